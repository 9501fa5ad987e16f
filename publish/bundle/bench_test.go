package bundle

import (
	"bytes"
	"fmt"
	mathrand "math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/render"
)

// benchSite builds a site of incompressible packages of every size up to 512 KiB.
func benchSite(b *testing.B) string {
	b.Helper()
	root := filepath.Join(b.TempDir(), "site")
	dir, err := site.Lock(root)
	if err != nil {
		b.Fatal(err)
	}
	defer dir.Close()
	c := &catalog.Catalog{Settings: catalog.Settings{Render: render.Version, BaseURL: "https://gal.example", Unpack: "web"}}
	random := mathrand.NewChaCha8([32]byte{})
	when := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 1000 {
		code := make([]byte, random.Uint64()%(512<<10))
		_, _ = random.Read(code)
		name := fmt.Sprintf("ext-%04d", i)
		v := catalog.Version{Version: "1.0.0", DisplayName: name, Updated: when, Package: putFile(b, dir, string(code))}
		v.Assets = []catalog.Asset{
			{Type: "Microsoft.VisualStudio.Services.Content.Details", File: putFile(b, dir, "# "+name)},
			{Type: catalog.PackageAsset, File: v.Package},
		}
		c.Extensions = append(c.Extensions, catalog.Extension{Publisher: catalog.Publisher{ID: "p", Name: "acme", DisplayName: "Acme"},
			Name: name, UUID: "u-" + name, Released: when, Published: when, Updated: when, Versions: []catalog.Version{v}})
	}
	serve(b, dir, c)
	return root
}

// plain runs a command of standard tools.
func plain(b *testing.B, dir, script string, args ...string) {
	b.Helper()
	run := exec.Command("sh", append([]string{"-euc", script, "sh"}, args...)...)
	run.Dir = dir
	if out, err := run.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", script, err, bytes.TrimSpace(out))
	}
}

const (
	plainExport = `tar cf "$1" --exclude ./.galbuild . && find . -path ./.galbuild -prune -o -type f -print0 | xargs -0 sha256sum >"$2"`
	plainImport = `tar xf "$1" && sha256sum -c --quiet "$2"`
)

// BenchmarkExport compares the export of a site with tar and sha256sum.
func BenchmarkExport(b *testing.B) {
	root, out := benchSite(b), b.TempDir()
	b.Run("of=floor", func(b *testing.B) {
		for b.Loop() {
			plain(b, root, plainExport, filepath.Join(out, "plain.tar"), filepath.Join(out, "plain.sums"))
		}
	})
	b.Run("of=galbuild", func(b *testing.B) {
		for b.Loop() {
			b.SetBytes(mustExport(b, ExportConfig{Site: root, Output: filepath.Join(out, "gallery.tar")}).Bytes)
		}
	})
}

// BenchmarkImport compares an import into an empty folder with tar and sha256sum.
func BenchmarkImport(b *testing.B) {
	root, out := benchSite(b), b.TempDir()
	tarball, sums := filepath.Join(out, "plain.tar"), filepath.Join(out, "plain.sums")
	plain(b, root, plainExport, tarball, sums)
	b.Run("of=floor", func(b *testing.B) {
		for b.Loop() {
			plain(b, b.TempDir(), plainImport, tarball, sums)
		}
	})
	archive := export(b, root)
	b.Run("of=galbuild", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			b.SetBytes(mustImport(b, ImportConfig{Archive: archive, Site: filepath.Join(b.TempDir(), fmt.Sprint(i))}).Bytes)
		}
	})
}
