package collect

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/policy"
	"galbuild/build/retry"
	"galbuild/build/site"
	"galbuild/build/upstream"
	"galbuild/build/vsix"
)

// packageOf returns a package of an extension, with a readme unless that is "".
func packageOf(id, version, platform, readme string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	publisher, name, _ := strings.Cut(id, ".")
	for _, f := range []struct{ name, text string }{
		{"extension.vsixmanifest", fmt.Sprintf(`<PackageManifest><Metadata><Identity Id=%q Version=%q Publisher=%q TargetPlatform=%q/></Metadata></PackageManifest>`, name, version, publisher, platform)},
		{"extension/package.json", fmt.Sprintf(`{"name":%q,"publisher":%q,"version":%q,"engines":{"vscode":"*"}}`, name, publisher, version)},
		{"extension/README.md", readme},
	} {
		if f.text == "" {
			continue
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Store})
		if err == nil {
			_, err = io.WriteString(w, f.text)
		}
		if err != nil {
			panic(err) // a bytes.Buffer returns no errors
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// A storage serves files by their paths, and records the requests for them.
type storage struct {
	*httptest.Server
	mutex    sync.Mutex
	files    map[string][]byte
	requests []string
	cut      map[string]int // bytes after which a response ends, once
}

func newStorage(t *testing.T) *storage {
	s := &storage{files: map[string][]byte{}, cut: map[string]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *storage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	text, ok := s.files[r.URL.Path]
	cut := s.cut[r.URL.Path]
	delete(s.cut, r.URL.Path)
	s.requests = append(s.requests, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Range")))
	s.mutex.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", `"`+blob.Sum(text).String()+`"`)
	if cut > 0 {
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
		_, _ = w.Write(text[:cut])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// add serves a package, and returns how it is planned.
func (s *storage) add(id, version, platform string) Planned {
	return s.addPackage(id, version, platform, packageOf(id, version, platform, ""))
}

// addPackage serves the bytes of a package.
func (s *storage) addPackage(id, version, platform string, text []byte) Planned {
	path := fmt.Sprintf("/%s-%s%s.vsix", id, version, platform)
	s.files[path] = text
	return Planned{
		Entry: lock.Entry{
			ID: strings.ToLower(id), Version: version, Platform: platform, Address: s.URL + path,
			SHA256: blob.Sum(text), Size: int64(len(text)), Stated: true, Upstream: s.URL, WantedBy: []string{"list.txt"},
		},
		Status: New,
	}
}

// wantRequests compares the requests since the last call, sorted.
func (s *storage) wantRequests(t *testing.T, want ...string) {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	slices.Sort(s.requests)
	if !slices.Equal(s.requests, want) {
		t.Errorf("requests %q, want %q", s.requests, want)
	}
	s.requests = nil
}

var fetchedAt = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// config returns settings without pauses between attempts. A request is not repeated.
func config(t *testing.T) FetchConfig {
	t.Helper()
	client, err := retry.New(retry.Config{Sleep: func(context.Context, time.Duration) error { return errNoRetry }})
	if err != nil {
		t.Fatal(err)
	}
	return FetchConfig{Client: client, PictureClient: client, Now: fetchedAt}
}

var errNoRetry = errors.New("the request is not repeated")

// in calls do with the folder of a collection.
func in(t *testing.T, dir string, do func(*Folder) (*Fetched, error)) *Fetched {
	t.Helper()
	folder, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	result, err := do(folder)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// run fetches packages.
func run(t *testing.T, dir string, c FetchConfig, planned ...Planned) *Fetched {
	t.Helper()
	return in(t, dir, func(f *Folder) (*Fetched, error) {
		return f.Fetch(t.Context(), &Plan{Entries: planned}, &lock.Lock{}, c)
	})
}

// again returns how the packages of a lock are planned if nothing has changed.
func again(t *testing.T, dir string) (all []Planned) {
	t.Helper()
	l, err := ReadLock(dir)
	if err != nil || l == nil {
		t.Fatal(l, err)
	}
	for _, e := range l.Entries {
		all = append(all, Planned{Entry: e, Status: Same})
	}
	return all
}

// filesIn returns the files in a folder, without those that are outside of the promise that the
// same lock gives the same folder.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir() && path != site.WorkDir || path == UpstreamFile:
			return err
		case d.IsDir():
			return fs.SkipDir
		}
		text, err := os.ReadFile(filepath.Join(dir, path))
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	if got := slices.Sorted(maps.Keys(filesIn(t, dir))); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

// wantFailed compares what failed, without the addresses of servers.
func wantFailed(t *testing.T, result *Fetched, want ...string) {
	t.Helper()
	var got []string
	for _, f := range result.Failed {
		got = append(got, fmt.Sprintf("%s@%s: %s (%s)", f.ID, f.Version, f.Reason, f.Kept))
	}
	if !slices.Equal(got, want) {
		t.Errorf("failed %q, want %q", got, want)
	}
}

// TestFetch fetches packages, and fetches them again. Nothing is requested twice.
func TestFetch(t *testing.T) {
	s, dir := newStorage(t), filepath.Join(t.TempDir(), "vsixs")
	hello, notes := s.add("Acme.Hello", "1.0.0", ""), s.add("acme.notes", "2.0.0", "linux-x64")
	notes.SHA256, notes.Size, notes.Stated = blob.Ref{}, -1, false
	var last FetchProgress
	c := config(t)
	c.Progress = func(p FetchProgress) { last = p }
	result := run(t, dir, c, hello, notes)
	wantFailed(t, result)
	wantFiles(t, dir, "acme.hello-1.0.0.vsix", "acme.hello-1.0.0.vsix.json", "acme.notes-2.0.0@linux-x64.vsix", "acme.notes-2.0.0@linux-x64.vsix.json", lock.FileName)
	s.wantRequests(t, "/Acme.Hello-1.0.0.vsix", "/acme.notes-2.0.0linux-x64.vsix")
	if e := result.Lock.Entries; e[0].ID != "Acme.Hello" || !e[0].Added.Equal(fetchedAt) || e[1].SHA256 != blob.Sum(packageOf("acme.notes", "2.0.0", "linux-x64", "")) {
		t.Errorf("locked: %+v", e)
	}
	if size := result.Lock.Entries[0].Size + result.Lock.Entries[1].Size; last != (FetchProgress{Bytes: size, OfBytes: size, Done: 2, Of: 2}) {
		t.Errorf("progress %+v", last)
	}
	before := filesIn(t, dir)
	result = run(t, dir, c, again(t, dir)...)
	s.wantRequests(t)
	if !maps.Equal(filesIn(t, dir), before) || len(result.Packages) != 0 {
		t.Errorf("the second run has changed the folder: %+v", result)
	}
	if left, err := os.ReadDir(filepath.Join(dir, downloadsDir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("downloads remain: %v, %v", left, err)
	}
}

// TestRefused has packages that are not what was planned. Each is named, and the others are
// fetched.
func TestRefused(t *testing.T) {
	s, dir := newStorage(t), t.TempDir()
	good, hash, size, id, version, platform, text, missing := s.add("acme.good", "1.0.0", ""), s.add("acme.hash", "1.0.0", ""), s.add("acme.size", "1.0.0", ""),
		s.add("acme.id", "1.0.0", ""), s.add("acme.version", "1.0.0", ""), s.add("acme.platform", "1.0.0", ""), s.add("acme.text", "1.0.0", ""), s.add("acme.missing", "1.0.0", "")
	hash.SHA256 = blob.Sum(nil)
	size.SHA256, size.Size = blob.Ref{}, 7
	id.ID, version.Version, platform.Platform = "acme.other", "2.0.0", "web"
	text.Entry = s.add("acme.text", "1.0.0", "").Entry
	s.files["/acme.text-1.0.0.vsix"] = []byte("PK\x03\x04 but not a package")
	text.SHA256, text.Size = blob.Ref{}, -1
	delete(s.files, "/acme.missing-1.0.0.vsix")
	result := run(t, dir, config(t), good, hash, size, id, version, platform, text, missing)
	host := strings.TrimPrefix(s.URL, "http://")
	wantFailed(t, result,
		"acme.hash@1.0.0: the downloaded file has the SHA-256 "+blob.Sum(packageOf("acme.hash", "1.0.0", "", "")).String()+", expected is "+blob.Sum(nil).String()+" ()",
		fmt.Sprintf("acme.size@1.0.0: the downloaded file has the size %d bytes, expected is 7 bytes ()", len(packageOf("acme.size", "1.0.0", "", ""))),
		"acme.other@1.0.0: the package is acme.id@1.0.0, expected is acme.other@1.0.0 ()",
		"acme.version@2.0.0: the package is acme.version@1.0.0, expected is acme.version@2.0.0 ()",
		"acme.platform@1.0.0: the package is acme.platform@1.0.0, expected is acme.platform@1.0.0@web ()",
		"acme.text@1.0.0: the package cannot be used: "+reasonOf(t, "PK\x03\x04 but not a package")+" ()",
		"acme.missing@1.0.0: there is no such file on "+host+" (404 Not Found) ()",
	)
	wantFiles(t, dir, "acme.good-1.0.0.vsix", "acme.good-1.0.0.vsix.json", lock.FileName)
}

// TestUpdateFails has an update that fails. The earlier version, and what only that needs, stays.
func TestUpdateFails(t *testing.T) {
	s, dir := newStorage(t), t.TempDir()
	hello, needed, other := s.add("acme.hello", "1.0.0", ""), s.add("acme.needed", "1.0.0", ""), s.add("acme.other", "1.0.0", "")
	needed.WantedBy, other.WantedBy = []string{"acme.hello"}, []string{"acme.gone"}
	run(t, dir, config(t), hello, needed, other)
	update := s.add("acme.hello", "2.0.0", "")
	update.Status, update.Replaces, update.SHA256 = Updated, "1.0.0", blob.Sum(nil)
	unwanted := []lock.Entry{again(t, dir)[1].Entry, again(t, dir)[2].Entry}
	result := in(t, dir, func(f *Folder) (*Fetched, error) {
		return f.Fetch(t.Context(), &Plan{Entries: []Planned{update}, Unwanted: unwanted}, &lock.Lock{}, config(t))
	})
	if len(result.Failed) != 1 || result.Failed[0].Kept != "1.0.0" {
		t.Errorf("failed: %+v", result.Failed)
	}
	wantFiles(t, dir, "acme.hello-1.0.0.vsix", "acme.hello-1.0.0.vsix.json", "acme.needed-1.0.0.vsix", "acme.needed-1.0.0.vsix.json", lock.FileName)
	if want := []string{"acme.other-1.0.0.vsix", "acme.other-1.0.0.vsix.json"}; !slices.Equal(result.Removed, want) {
		t.Errorf("removed %q, want %q", result.Removed, want)
	}
	update.SHA256 = blob.Sum(packageOf("acme.hello", "2.0.0", "", ""))
	result = run(t, dir, config(t), update)
	wantFiles(t, dir, "acme.hello-2.0.0.vsix", "acme.hello-2.0.0.vsix.json", lock.FileName)
	if len(result.Removed) != 4 || len(result.Packages) != 1 {
		t.Errorf("got %+v", result)
	}
}

// TestForeignFiles has files that no lock lists. They stay.
func TestForeignFiles(t *testing.T) {
	s, dir := newStorage(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "acme.mine-1.0.0.vsix"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, dir, config(t), s.add("acme.hello", "1.0.0", ""))
	run(t, dir, config(t))
	wantFiles(t, dir, "acme.mine-1.0.0.vsix", lock.FileName)
}

// TestInterrupted ends a run in the middle of a transfer. The next one requests the rest of it.
func TestInterrupted(t *testing.T) {
	s, dir := newStorage(t), t.TempDir()
	first, second := s.add("acme.a", "1.0.0", ""), s.add("acme.b", "1.0.0", "")
	s.cut["/acme.b-1.0.0.vsix"] = 100
	ctx, cancel := context.WithCancel(t.Context())
	c := config(t)
	c.Jobs = 1
	c.Client, _ = retry.New(retry.Config{Sleep: func(context.Context, time.Duration) error { cancel(); return ctx.Err() }})
	folder, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Fetch(ctx, &Plan{Entries: []Planned{first, second}}, &lock.Lock{}, c); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	if _, err := OpenFolder(dir); !errors.Is(err, site.ErrLocked) {
		t.Errorf("a second run at once: %v, want %v", err, site.ErrLocked)
	}
	folder.Close()
	wantFiles(t, dir)
	result := run(t, dir, config(t), first, second)
	wantFailed(t, result)
	s.wantRequests(t, "/acme.a-1.0.0.vsix", "/acme.b-1.0.0.vsix", "/acme.b-1.0.0.vsix bytes=100-")
}

// TestKilled has what a run leaves that is killed between two files of the folder. The packages are
// not requested again.
func TestKilled(t *testing.T) {
	s, dir := newStorage(t), t.TempDir()
	planned := []Planned{s.add("acme.a", "1.0.0", ""), s.add("acme.b", "1.0.0", "")}
	planned[1].SHA256, planned[1].Size = blob.Ref{}, -1
	run(t, dir, config(t), planned...)
	want := filesIn(t, dir)
	s.wantRequests(t, "/acme.a-1.0.0.vsix", "/acme.b-1.0.0.vsix")

	folder, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if err := os.Remove(filepath.Join(dir, lock.FileName)); err != nil {
		t.Fatal(err)
	}
	x, err := folder.newFetch(config(t))
	if err != nil {
		t.Fatal(err)
	}
	jobs := []*job{{Planned: planned[0]}, {Planned: planned[1]}}
	if err := x.runAll(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	s.wantRequests(t, "/acme.b-1.0.0.vsix") // the upstream states no hash
	if err := x.place(jobs[1]); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Fetch(t.Context(), &Plan{Entries: planned}, &lock.Lock{}, config(t)); err != nil {
		t.Fatal(err)
	}
	s.wantRequests(t)
	if !maps.Equal(filesIn(t, dir), want) {
		t.Errorf("the folder differs")
	}
}

// TestSameBytes has packages whose addresses have changed, and the folder of which has lost one.
func TestSameBytes(t *testing.T) {
	s, dir := newStorage(t), t.TempDir()
	run(t, dir, config(t), s.add("acme.a", "1.0.0", ""), s.add("acme.b", "1.0.0", ""))
	s.requests = nil
	planned := again(t, dir)
	for i := range planned {
		planned[i].Address += "?moved"
	}
	if err := os.Remove(filepath.Join(dir, "acme.b-1.0.0.vsix")); err != nil {
		t.Fatal(err)
	}
	run(t, dir, config(t), planned...)
	s.wantRequests(t, "/acme.b-1.0.0.vsix")
	wantFiles(t, dir, "acme.a-1.0.0.vsix", "acme.a-1.0.0.vsix.json", "acme.b-1.0.0.vsix", "acme.b-1.0.0.vsix.json", lock.FileName)
}

// An upstreamOf lists the packages of a storage.
type upstreamOf struct {
	upstream.Upstream
	*storage
	all []Planned
}

func (u upstreamOf) Name() string { return u.URL }

func (u upstreamOf) Extension(_ context.Context, id string) (*upstream.Extension, error) {
	e := &upstream.Extension{ID: id}
	for _, p := range u.all {
		if p.ID == id {
			e.Releases = append(e.Releases, upstream.Release{Version: p.Version, Platform: p.Platform, Package: upstream.File{URL: p.Address}})
		}
	}
	if e.Releases == nil {
		return nil, upstream.ErrNotFound
	}
	return e, nil
}

// TestLocked fetches the packages of a lock elsewhere, partly from another upstream. The folders
// are the same.
func TestLocked(t *testing.T) {
	s, dir := newStorage(t), t.TempDir()
	s.files["/code"], s.files["/a.png"] = []byte("code"), []byte("\x89PNG\r\n\x1a\n")
	c := config(t)
	c.Companions = []Companion{{"cli/code", s.URL + "/code"}}
	c.Pictures = true
	readme := "![](" + s.URL + "/a.png) ![](" + s.URL + "/missing.png)"
	result := run(t, dir, c, s.addPackage("acme.a", "1.0.0", "", packageOf("acme.a", "1.0.0", "", readme)), s.add("acme.b", "1.0.0", "web"))
	if len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "/missing.png is left out: the server responds with 404 Not Found") {
		t.Errorf("warnings %q", result.Warnings)
	}
	l, err := ReadLock(dir)
	if err != nil {
		t.Fatal(err)
	}

	other := newStorage(t)
	moved := other.add("acme.b", "1.0.0", "web")
	delete(s.files, "/acme.b-1.0.0web.vsix")
	elsewhere := t.TempDir()
	c = config(t)
	c.Upstreams = []upstream.Upstream{upstreamOf{storage: other, all: []Planned{moved}}}
	result = in(t, elsewhere, func(f *Folder) (*Fetched, error) { return f.FetchLocked(t.Context(), l, c) })
	wantFailed(t, result)
	if !maps.Equal(filesIn(t, elsewhere), filesIn(t, dir)) {
		t.Error("the folders differ")
	}
	other.wantRequests(t, "/acme.b-1.0.0web.vsix")

	// An upstream with other bytes is not accepted.
	other.files["/acme.b-1.0.0web.vsix"] = packageOf("acme.b", "1.0.0", "", "")
	result = in(t, t.TempDir(), func(f *Folder) (*Fetched, error) { return f.FetchLocked(t.Context(), l, c) })
	if len(result.Failed) != 1 || !strings.Contains(result.Failed[0].Reason, "there is no such file on") || !strings.Contains(result.Failed[0].Reason, "the downloaded file has the SHA-256") {
		t.Errorf("failed: %+v", result.Failed)
	}
}

// TestVet vets packages with those before them. It keeps out what is refused, and what cannot be
// vetted.
func TestVet(t *testing.T) {
	s, dir := newStorage(t), t.TempDir()
	c := config(t)
	var mutex sync.Mutex
	var vetted []string
	c.Vet = func(_ context.Context, v Vetting) (*policy.Exclusion, []catalog.Finding, error) {
		mutex.Lock()
		defer mutex.Unlock()
		line := fmt.Sprint(v.Entry, " ", v.IsNew)
		for _, path := range append([]string{v.Path}, v.Older...) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
			}
			line += " " + s.nameOf(text)
		}
		vetted = append(vetted, line)
		found := []catalog.Finding{{Rule: "odd", Detail: "it is odd"}}
		switch v.Entry.ID {
		case "acme.bad":
			return &policy.Exclusion{Rule: "vet.odd", Line: 3, Detail: "it is odd"}, found, nil
		case "acme.waits":
			return &policy.Exclusion{Rule: "vet.odd", Line: 3, Detail: "it is odd", Quarantine: true}, found, nil
		case "acme.broken":
			return nil, nil, errors.New("it cannot be read")
		case "acme.good":
			return nil, nil, nil
		}
		return nil, found, nil
	}
	want := func(lines ...string) {
		t.Helper()
		slices.Sort(vetted)
		if !slices.Equal(vetted, lines) {
			t.Errorf("vetted %q, want %q", vetted, lines)
		}
		vetted = nil
	}
	result := run(t, dir, c, s.add("acme.bad", "1.0.0", ""), s.add("acme.broken", "1.0.0", ""), s.add("acme.good", "1.0.0", ""), s.add("acme.odd", "1.0.0", ""), s.add("acme.waits", "1.0.0", ""))
	wantFailed(t, result, "acme.bad@1.0.0: the policy refuses it: it is odd (vet.odd, line 3 of the policy) ()", "acme.broken@1.0.0: it cannot be read ()")
	want("acme.bad@1.0.0 true acme.bad-1.0.0", "acme.broken@1.0.0 true acme.broken-1.0.0", "acme.good@1.0.0 true acme.good-1.0.0",
		"acme.odd@1.0.0 true acme.odd-1.0.0", "acme.waits@1.0.0 true acme.waits-1.0.0")
	var actions []string
	for _, v := range result.Vetted {
		actions = append(actions, v.ID+" "+v.Action)
	}
	if want := []string{"acme.bad refuse", "acme.odd warn", "acme.waits quarantine"}; !slices.Equal(actions, want) {
		t.Errorf("actions %q, want %q", actions, want)
	}
	if result.Failed[0].Rule != "vet.odd" || result.Failed[1].Rule != "" {
		t.Errorf("%+v", result.Failed)
	}
	wantFiles(t, dir, "acme.good-1.0.0.vsix", "acme.good-1.0.0.vsix.json", "acme.odd-1.0.0.vsix", "acme.odd-1.0.0.vsix.json",
		"acme.waits-1.0.0.vsix", "acme.waits-1.0.0.vsix.json", lock.FileName)

	// A file that was put into the folder in another way is vetted, too.
	planted := s.add("acme.planted", "1.0.0", "")
	content := s.files["/acme.planted-1.0.0.vsix"]
	planted.SHA256, planted.Size = blob.Sum(content), int64(len(content))
	if err := os.WriteFile(filepath.Join(dir, "acme.planted-1.0.0.vsix"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, dir, c, append(again(t, dir), planted)...)
	want("acme.planted@1.0.0 true acme.planted-1.0.0")

	// Only what is new is vetted, with the older versions for the platform, the newest first.
	newer := append(again(t, dir), s.add("acme.good", "1.2.0", ""), s.add("acme.good", "1.10.0", ""), s.add("acme.good", "0.9.0", ""), s.add("acme.good", "2.0.0", "web"))
	run(t, dir, c, newer...)
	want("acme.good@0.9.0 false acme.good-0.9.0", "acme.good@1.10.0 false acme.good-1.10.0 acme.good-1.2.0 acme.good-1.0.0 acme.good-0.9.0",
		"acme.good@1.2.0 false acme.good-1.2.0 acme.good-1.0.0 acme.good-0.9.0", "acme.good@2.0.0@web false acme.good-2.0.0web")
}

// nameOf returns the name of a package.
func (s *storage) nameOf(text []byte) string {
	for path, other := range s.files {
		if bytes.Equal(text, other) {
			return strings.TrimSuffix(strings.TrimPrefix(path, "/"), ".vsix")
		}
	}
	return "unknown"
}

// TestCompanions fetches companions from a file and an address, keeps them in the next run, and
// names one that cannot be had.
func TestCompanions(t *testing.T) {
	s, dir := newStorage(t), t.TempDir()
	file := filepath.Join(t.TempDir(), "code.tar.gz")
	if err := os.WriteFile(file, []byte("code"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.files["/server"] = []byte("server")
	c := config(t)
	c.Companions = []Companion{{"cli/code.tar.gz", file}, {"server", s.URL + "/server"}, {"missing", s.URL + "/missing"}}
	result := run(t, dir, c)
	if len(result.Failed) != 1 || result.Failed[0].ID != "companions/missing" {
		t.Errorf("failed: %+v", result.Failed)
	}
	want := []lock.Companion{
		{Path: "cli/code.tar.gz", SHA256: blob.Sum([]byte("code")), Size: 4},
		{Path: "server", Address: s.URL + "/server", SHA256: blob.Sum([]byte("server")), Size: 6},
	}
	result = run(t, dir, config(t))
	if !slices.Equal(result.Lock.Companions, want) {
		t.Errorf("got %+v, want %+v", result.Lock.Companions, want)
	}
	wantFiles(t, dir, "companions/cli/code.tar.gz", "companions/server", lock.FileName)
	s.wantRequests(t, "/missing", "/server")

	result = in(t, t.TempDir(), func(f *Folder) (*Fetched, error) { return f.FetchLocked(t.Context(), result.Lock, config(t)) })
	if len(result.Failed) != 1 || !strings.Contains(result.Failed[0].Reason, "give it again with --with cli/code.tar.gz=FILE") {
		t.Errorf("failed: %+v", result.Failed)
	}
}

// TestCompanionPaths refuses companions that cannot be in one folder on every system, before
// anything is downloaded.
func TestCompanionPaths(t *testing.T) {
	s, dir := newStorage(t), t.TempDir()
	s.files["/a"], s.files["/b"] = []byte("a"), []byte("b")
	c := config(t)
	c.Companions = []Companion{{"cli/code", s.URL + "/a"}}
	run(t, dir, c)
	for path, want := range map[string]string{
		"CLI/code": `companions: "cli/code" and "CLI/code" differ only in case`,
		"cli":      `companions: "cli" is a file, and the folder of "cli/code"`,
		"cli/code": "<nil>",
	} {
		c.Companions = []Companion{{path, s.URL + "/b"}}
		f, err := OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Fetch(t.Context(), &Plan{}, &lock.Lock{}, c)
		if f.Close(); fmt.Sprint(err) != want {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
}

// TestEmptySignature leaves out an archive without a signature, and keeps one of another upstream
// whose key is not known.
func TestEmptySignature(t *testing.T) {
	archiveOf := func(signature string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create(".signature.p7s")
		if err == nil {
			_, err = io.WriteString(w, signature)
		}
		if err = errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	s, dir := newStorage(t), t.TempDir()
	s.files["/empty"], s.files["/signed"] = archiveOf(""), archiveOf("signed")
	empty, signed := s.add("acme.empty", "1.0.0", ""), s.add("acme.signed", "1.0.0", "")
	empty.Signature, signed.Signature = &lock.Signature{Address: s.URL + "/empty"}, &lock.Signature{Address: s.URL + "/signed"}
	result := run(t, dir, config(t), empty, signed)
	wantFailed(t, result)
	wantFiles(t, dir, "acme.empty-1.0.0.vsix", "acme.empty-1.0.0.vsix.json", "acme.signed-1.0.0.sigzip", "acme.signed-1.0.0.vsix", "acme.signed-1.0.0.vsix.json", lock.FileName)
	if e := result.Lock.Entries; e[0].Signature != nil || e[1].Signature == nil || len(result.Warnings) > 0 {
		t.Errorf("%+v, %q", e, result.Warnings)
	}
}

func TestParseCompanion(t *testing.T) {
	for text, want := range map[string]Companion{
		"cli/code=x=y": {"cli/code", "x=y"}, "code": {}, "code=": {}, "../code=x": {}, ".code=x": {}, "=x": {},
	} {
		got, err := ParseCompanion(text)
		if (err == nil) != (want != Companion{}) || err == nil && got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
	}
}

// reasonOf returns why a text is not a package.
func reasonOf(t *testing.T, text string) string {
	t.Helper()
	_, err := vsix.Open(strings.NewReader(text), int64(len(text)), vsix.Limits{})
	if err == nil {
		t.Fatal("it is a package")
	}
	return err.Error()
}
