package delivery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aead.dev/minisign"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/pack"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/bundle"
	"galbuild/publish/delivery"
	"galbuild/publish/delivery/report"
	"galbuild/render"
)

// clock is the time of all deliveries.
var clock = time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)

// A side is where deliveries are made.
type side struct {
	folder string // of packages, site and tarballs
	cfg    delivery.Config
}

func newSide(t *testing.T) *side {
	t.Helper()
	s := &side{folder: t.TempDir()}
	if err := os.Mkdir(s.path("vsixs"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := &delivery.File{Packages: s.path("vsixs"), Site: s.path("site"), Export: &delivery.Export{Output: s.path("out/g.tar"), Since: delivery.SinceArrived}}
	s.cfg = delivery.Config{
		File: file, Now: clock,
		Build: build.Config{Sources: []string{file.Packages}, Now: clock, Settings: catalog.Settings{Render: render.Version, NoPages: true}},
	}
	return s
}

func (s *side) path(name string) string { return filepath.Join(s.folder, filepath.FromSlash(name)) }

// add adds a package with a change log.
func (s *side) add(t *testing.T, name, version, changes string) {
	t.Helper()
	var archive bytes.Buffer
	text := func(s string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(s), ModTime: time.Unix(1_700_000_000, 0)}
	}
	err := pack.Write(&archive, fstest.MapFS{
		"package.json": text(fmt.Sprintf(`{"name":%q,"publisher":"acme","version":%q,"engines":{"vscode":"^1.80.0"}}`, name, version)),
		"README.md":    text("# " + name + "\n"), "LICENSE.txt": text("a licence"), "CHANGELOG.md": text(changes),
	}, pack.Options{})
	if err == nil {
		err = os.WriteFile(filepath.Join(s.path("vsixs"), name+"-"+version+".vsix"), archive.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s *side) deliver(t *testing.T) *delivery.Result {
	t.Helper()
	r, err := delivery.Run(t.Context(), s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tarball returns the name of the tarball of a delivery that must have one.
func (s *side) tarball(t *testing.T) string {
	t.Helper()
	r := s.deliver(t)
	if r.Export == nil {
		t.Fatalf("there is no tarball; %+v has the generation", r.Delivered)
	}
	return filepath.Base(r.Export.Tarball)
}

// list returns the names of the files in the folder of tarballs, without the reports.
func (s *side) list(t *testing.T) string {
	t.Helper()
	files, err := os.ReadDir(s.path("out"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if !strings.Contains(f.Name(), ".report.") {
			names = append(names, f.Name())
		}
	}
	return strings.Join(names, " ")
}

// receive imports a tarball on another side.
func (s *side) receive(t *testing.T, site, tarball string) string {
	t.Helper()
	r, err := bundle.Import(t.Context(), bundle.ImportConfig{Archive: s.path("out/" + tarball), Site: s.path(site), Commit: siteCommit})
	if err != nil {
		t.Fatalf("%s imports %s: %v", site, tarball, err)
	}
	return r.Generation
}

var siteCommit = site.Commit{When: clock}

// TestDeliveries makes deliveries, of which one is lost and one has arrived without anybody saying
// so.
func TestDeliveries(t *testing.T) {
	s := newSide(t)
	s.add(t, "hello", "1.0.0", "")
	first := s.tarball(t)
	s.receive(t, "a", first)
	s.receive(t, "b", first)
	if r := s.deliver(t); r.Export != nil || r.Delivered == nil || r.Delivered.Name != first {
		t.Errorf("nothing has changed: %+v", r)
	}
	if _, err := delivery.Arrived(s.path("site"), first); err != nil {
		t.Fatal(err)
	}
	s.add(t, "hello", "1.1.0", "## 1.1.0\nfaster\n")
	second := s.tarball(t)
	s.receive(t, "a", second) // b does not get it
	s.add(t, "hello", "1.2.0", "## 1.2.0\nsmaller\n## 1.1.0\nfaster\n")
	r := s.deliver(t)
	if len(r.Export.Since) != 2 || len(r.Report.Since) != 2 || r.Export.Files > 60 {
		t.Errorf("the third tarball has %d files since %v", r.Export.Files, r.Export.Since)
	}
	if x := r.Report.Updated; len(x) != 1 || x[0].From != "1.0.0" || len(x[0].Versions) != 2 || strings.Join(x[0].Changes.Lines, "|") != "## 1.2.0|smaller|## 1.1.0|faster" {
		t.Errorf("the report says %+v", x)
	}
	third := filepath.Base(r.Export.Tarball)
	for _, other := range []string{"a", "b"} {
		if got := s.receive(t, other, third); got != r.Build.Generation {
			t.Errorf("%s is at %s, want %s", other, got, r.Build.Generation)
		}
	}
	if got, want := s.list(t), "g-2026-11-29-2.tar g-2026-11-29-2.tar.SHA256SUMS g-2026-11-29-3.tar g-2026-11-29-3.tar.SHA256SUMS g-2026-11-29.tar g-2026-11-29.tar.SHA256SUMS"; got != want {
		t.Errorf("there are %s, want %s", got, want)
	}
}

// TestInterruptedDelivery interrupts a delivery while it writes the tarball, and after the tarball
// is complete.
func TestInterruptedDelivery(t *testing.T) {
	s := newSide(t)
	s.add(t, "hello", "1.0.0", "")
	_, key, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.cfg.SignKey = &key
	ctx, cancel := context.WithCancel(t.Context())
	cfg := s.cfg
	cfg.Progress = func(done, total int64) { cancel() }
	if _, err := delivery.Run(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if got := s.list(t); got != "" {
		t.Errorf("there are %s", got)
	}
	s.add(t, "notes", "1.0.0", "") // the next run has another generation
	if got := s.tarball(t); got != "g-2026-11-29.tar" {
		t.Errorf("the tarball is %s", got)
	}

	note := s.path("site/.galbuild/delivered/exports.json")
	text, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	killed := bytes.Replace(text, []byte(`"written": true`), []byte(`"written": false`), 1)
	if err := os.WriteFile(note, killed, 0o644); err != nil {
		t.Fatal(err)
	}
	if r := s.deliver(t); r.Export != nil || r.Delivered == nil {
		t.Errorf("the tarball was complete: %+v", r.Export)
	}
	if err := errors.Join(os.WriteFile(note, killed, 0o644), os.Remove(s.path("out/g-2026-11-29.tar.SHA256SUMS.minisig"))); err != nil {
		t.Fatal(err)
	}
	if got := s.tarball(t); got != "g-2026-11-29.tar" {
		t.Errorf("the tarball is %s", got)
	}
	s.receive(t, "other", "g-2026-11-29.tar")
}

// TestCollected checks that a delivery reports what its collection has found, and does not build if
// that fails.
func TestCollected(t *testing.T) {
	s := newSide(t)
	s.cfg.Collect = func(context.Context) (*delivery.Collected, error) {
		s.add(t, "hello", "1.0.0", "")
		return &delivery.Collected{
			Lock:    &lock.Lock{Entries: []lock.Entry{{ID: "acme.hello", Version: "1.0.0", WantedBy: []string{"list.txt"}}}},
			Held:    []report.Held{{ID: "acme.hello@2.0.0", Rule: "minimumAge", Until: clock}},
			Missing: []report.Missing{{ID: "acme.gone", Chain: []string{"list.txt"}}},
		}, nil
	}
	r := s.deliver(t).Report
	if len(r.New) != 1 || len(r.New[0].Versions[0].WantedBy) != 1 || len(r.Held) != 1 || len(r.Missing) != 1 {
		t.Errorf("got %+v", r)
	}
	wrong := errors.New("no upstream")
	s.cfg.Collect = func(context.Context) (*delivery.Collected, error) { return nil, wrong }
	if r, err := delivery.Run(t.Context(), s.cfg); !errors.Is(err, wrong) || r != nil {
		t.Errorf("got %+v, %v", r, err)
	}
}

// TestNothing checks a delivery without packages.
func TestNothing(t *testing.T) {
	s := newSide(t)
	s.cfg.Publish = func(context.Context) (publish.Result, error) { return publish.Result{}, errors.New("there is no site") }
	for range 2 {
		r := s.deliver(t)
		if r.Export != nil || r.Build.Generation != "" || len(r.Report.Refused) != 1 {
			t.Errorf("got %+v", r)
		}
	}
	s.cfg.Publish = nil
	s.add(t, "hello", "1.0.0", "")
	if r := s.deliver(t); r.Export == nil {
		t.Error("there is no tarball")
	}
}

// TestPublishFails checks that the tarball is there although publishing fails.
func TestPublishFails(t *testing.T) {
	s := newSide(t)
	s.add(t, "hello", "1.0.0", "")
	wrong := errors.New("no such bucket")
	s.cfg.Publish = func(context.Context) (publish.Result, error) { return publish.Result{}, wrong }
	r, err := delivery.Run(t.Context(), s.cfg)
	if !errors.Is(err, wrong) || r == nil || r.Export == nil || r.Published != nil {
		t.Errorf("got %+v, %v", r, err)
	}
}

// TestWithoutTarball checks that the report then says what has changed in the site.
func TestWithoutTarball(t *testing.T) {
	s := newSide(t)
	s.cfg.File.Export = nil
	s.add(t, "hello", "1.0.0", "")
	if r := s.deliver(t); r.Export != nil || r.Delivered != nil || len(r.Report.New) != 1 {
		t.Errorf("got %+v", r)
	}
	if r := s.deliver(t); len(r.Report.New) != 0 {
		t.Errorf("nothing has changed: %+v", r.Report)
	}
}
