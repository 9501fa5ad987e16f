package build

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/build/source"
	"galbuild/build/vsix"
)

// newReader returns a reader of packages into a new site that is not published.
func newReader(t testing.TB, l vsix.Limits) *reader {
	t.Helper()
	dir, err := site.DryRun(filepath.Join(t.TempDir(), "site"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	c := Config{Site: dir, Limits: l, Settings: catalog.Settings{Unpack: "all"}}.withDefaults()
	return &reader{last: &knowledge{}, Config: c, cache: &cache{}, interner: catalog.NewInterner()}
}

// readFile reads a package, and a sidecar if there is one, as a run does.
func (r *reader) readFile(t testing.TB, text, sidecar []byte) (*candidate, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.vsix")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	item := &source.Item{Name: "x.vsix", Path: path, Size: int64(len(text))}
	if sidecar != nil {
		item.Sidecar = &source.Stamp{Path: path + ".json"}
		if err := os.WriteFile(item.Sidecar.Path, sidecar, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := new(candidate)
	return c, r.readOne(item, c)
}

const helloJSON = `{"name":"hello","publisher":"acme","version":"1.0.0","engines":{"vscode":"^1.90.0"}}`

// TestPanicRefuses reads with a reader that panics, because it has no site. The package is refused,
// the stack is logged, and the refusal is not cached.
func TestPanicRefuses(t *testing.T) {
	var log bytes.Buffer
	r := newReader(t, vsix.Limits{})
	r.Site, r.Log = nil, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c, err := r.readFile(t, archive(t, map[string]string{"extension/package.json": helloJSON}), nil)
	if err != nil || c.refused == nil || !strings.Contains(c.refused.Error(), "internal error in galbuild") {
		t.Fatalf("refused: %v; error %v", c.refused, err)
	}
	if !strings.Contains(log.String(), "stack=") || !strings.Contains(log.String(), "(*reader).readPackage") {
		t.Errorf("no stack in the log: %s", log.String())
	}
	if results := newCache([]candidate{*c}, &knowledge{}); len(results.next) != 0 || !results.partial {
		t.Errorf("the refusal is in the cache: %+v", results.next)
	}
}

// TestGzipRatio reads a compressed package that expands too much.
func TestGzipRatio(t *testing.T) {
	var compressed bytes.Buffer
	z := gzip.NewWriter(&compressed)
	if _, err := io.CopyN(z, zeros{}, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := newReader(t, vsix.Limits{}).readFile(t, compressed.Bytes(), nil)
	if err != nil || c.refused == nil || !strings.Contains(c.refused.Error(), "more than the limit of 200 times") {
		t.Errorf("refused: %v; error %v", c.refused, err)
	}
}

// TestDamagedGzip reads a compressed package that is cut short at each byte, and with a bit of each
// byte flipped. Those that Go's own gzip refuses are refused, and the others are not.
func TestDamagedGzip(t *testing.T) {
	var compressed bytes.Buffer
	z, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(archive(t, map[string]string{"extension/package.json": helloJSON})); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	whole := compressed.Bytes()
	r := newReader(t, vsix.Limits{})
	damaged := func(what string, text []byte) {
		c, err := r.readFile(t, text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if isGzip(text) != (c.refused == nil) {
			t.Errorf("%s: refused: %v", what, c.refused)
		}
	}
	for i := range whole {
		damaged(fmt.Sprint("cut to ", i), whole[:i])
		text := bytes.Clone(whole)
		text[i] ^= 1 << (i % 8)
		damaged(fmt.Sprint("a bit of byte ", i), text)
	}
	damaged("followed by something", append(bytes.Clone(whole), "more"...))
	damaged("followed by half of itself", append(bytes.Clone(whole), whole[:20]...))
	if c, err := r.readFile(t, whole, nil); err != nil || c.refused != nil {
		t.Errorf("undamaged: %v, %v", err, c.refused)
	}
}

// isGzip reports whether Go's own gzip reads a file.
func isGzip(text []byte) bool {
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, z)
	return err == nil
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestSidecarBounds reads a sidecar with a publisher's display name that is too long and
// contains hidden characters.
func TestSidecarBounds(t *testing.T) {
	text := archive(t, map[string]string{"extension/package.json": helloJSON})
	sidecar := `{"publisher":{"displayName":"\u202e` + strings.Repeat("p", 300) + `","domain":"https://` + strings.Repeat("d", 300) + `","isDomainVerified":true}}`
	c, err := newReader(t, vsix.Limits{}).readFile(t, text, []byte(sidecar))
	if err != nil || c.refused != nil {
		t.Fatal(err, c.refused)
	}
	p := c.version.Sidecar.Publisher
	if len([]rune(p.DisplayName)) != 255 || p.Domain != "" || p.IsDomainVerified {
		t.Errorf("got %+v", p)
	}
	warnings := strings.Join(c.warnings, "\n")
	for _, want := range []string{"display name has 301 characters, more than the limit of 255", "bidirectional character U+202E", "domain is left out: it has 308 bytes"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("warnings %q, want %q", warnings, want)
		}
	}
	c, err = newReader(t, vsix.Limits{}).readFile(t, text, []byte(`{"statistics":{"install":`+strings.Repeat("1", 5000)+`}}`))
	if warnings := strings.Join(c.warnings, "\n"); err != nil || c.refused != nil || len(warnings) > 1010 || !strings.Contains(warnings, "statistics.install is invalid") {
		t.Errorf("warnings %.200q, refused %v; error %v", warnings, c.refused, err)
	}
	c, err = newReader(t, vsix.Limits{SidecarBytes: 10}).readFile(t, text, []byte(sidecar))
	if warnings := strings.Join(c.warnings, "\n"); err != nil || c.refused != nil || c.version.Sidecar != nil || !strings.Contains(warnings, "x.vsix.json is left out: more than 10 bytes") {
		t.Errorf("warnings %q, refused %v; error %v", warnings, c.refused, err)
	}
}

// TestLimitsAreInTheRecipe checks that the cache is not used after the limits have changed.
func TestLimitsAreInTheRecipe(t *testing.T) {
	usual := Config{}.recipe()
	for _, row := range vsix.LimitTable() {
		var l vsix.Limits
		if err := l.Set(row.Name + "=7"); err != nil {
			t.Fatal(err)
		}
		if (Config{Limits: l}).recipe() == usual {
			t.Errorf("%s is not in the recipe", row.Name)
		}
	}
}

// FuzzReadPackage reads any bytes as a package with a sidecar, into a real site: the
// package is accepted or refused, without a panic or an error of the site.
func FuzzReadPackage(f *testing.F) {
	hello := map[string]string{"extension/package.json": helloJSON, "extension/a.js": "1"}
	f.Add(archive(f, hello), []byte(`{"publisher":{"displayName":"x"}}`))
	f.Add(archive(f, map[string]string{"extension/package.json": helloJSON, "extension.vsixmanifest": `<PackageManifest><Assets><Asset Type="t" Path="extension/package.json"/></Assets></PackageManifest>`}), []byte(nil))
	f.Add([]byte("\x1f\x8b\x08\x00"), []byte("{}"))
	l := vsix.Limits{PackageBytes: 1 << 20, EntryBytes: 1 << 20, UnpackedBytes: 2 << 20, Entries: 100, ManifestBytes: 1 << 16}
	r := newReader(f, l)
	f.Fuzz(func(t *testing.T, text, sidecar []byte) {
		c, err := r.readFile(t, text, sidecar)
		if err != nil {
			t.Fatalf("error of the site: %v", err)
		}
		if c.panicked() {
			t.Fatalf("%v\n%s", c.refused, c.refused.(*vsix.PanicError).Stack)
		}
		if c.refused == nil && c.version.Package.Size > l.PackageBytes {
			t.Errorf("accepted %d bytes", c.version.Package.Size)
		}
	})
}
