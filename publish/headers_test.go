package publish_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/pack"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/target"
	"galbuild/render"
)

// A recorder is a target that records the headers of objects.
type recorder struct {
	target.Target
	mutex   sync.Mutex
	objects map[string]target.Object
	copied  map[string]bool // whether the object was copied and not put
}

func (r *recorder) note(o target.Object, copied bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.objects[o.Key], r.copied[o.Key] = o, copied
}

func (r *recorder) Put(ctx context.Context, o target.Object) error {
	r.note(o, false)
	return r.Target.Put(ctx, o)
}

func (r *recorder) Copy(ctx context.Context, from string, o target.Object) error {
	r.note(o, true)
	return r.Target.Copy(ctx, from, o)
}

func newRecorder(t *testing.T) *recorder {
	at, _ := newFolder(t)
	return &recorder{Target: at, objects: make(map[string]target.Object), copied: make(map[string]bool)}
}

// hostileSite builds a site of a package with files that a browser could run. The site is like that
// of a program with the given render.Version.
func hostileSite(t *testing.T, version int) (root string) {
	t.Helper()
	source, root := t.TempDir(), t.TempDir()
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"package.json": `{"name":"evil","publisher":"Acme","version":"1.0.0","engines":{"vscode":"^1.80.0"},"browser":"./main.js","activationEvents":[]}`,
		"README.md":    "# evil\n", "LICENSE.txt": "a licence", "main.js": "main", "font.woff2": "font", "add.wasm": "wasm", "style.css": "style",
		"evil.html": "html", "evil.HTM": "htm", "evil.svg": "svg", "evil.xml": "xml", "evil.pdf": "pdf", "evil.tmLanguage": "xml too", "evil.xhtml": "xhtml", "noext": "html too",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	var archive bytes.Buffer
	if err := pack.Write(&archive, files, pack.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(source, "evil.vsix"), archive.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	dir, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	report, err := publish.Build(t.Context(), dir, build.Config{
		Sources: []string{source}, Settings: catalog.Settings{Render: version, Unpack: "web"},
	}, site.Commit{})
	if err != nil || len(report.Refused) > 0 {
		t.Fatal(err, report.Refused)
	}
	return root
}

const evilFiles = "files/acme/evil/1.0.0/extension/"

// attached are the files that a browser could run; the others keep their types.
var attached = map[string]bool{
	evilFiles + "evil.html": true, evilFiles + "evil.HTM": true, evilFiles + "evil.svg": true, evilFiles + "evil.xml": true,
	evilFiles + "evil.pdf": true, evilFiles + "evil.tmLanguage": true,
	"assets/acme/evil/1.0.0/Microsoft.VisualStudio.Services.VsixManifest": true,
}

var inertTypes = map[string]string{
	"main.js": "text/javascript; charset=utf-8", "style.css": "text/css; charset=utf-8", "font.woff2": "font/woff2", "add.wasm": "application/wasm",
	"package.json": "application/json", "noext": "application/octet-stream", "evil.xhtml": "application/octet-stream",
}

// TestDownloads publishes a package with files that a browser could run. Targets cannot send a
// Content-Security-Policy, so these files are attachments, and blobs have a neutral media type.
func TestDownloads(t *testing.T) {
	at := newRecorder(t)
	publishSite(t, at, hostileSite(t, render.Version))
	found := 0
	for key, o := range at.objects {
		want := ""
		if attached[key] {
			want, found = target.Attachment, found+1
		}
		if o.Disposition != want {
			t.Errorf("%s (%s): disposition %q, want %q", key, o.MediaType, o.Disposition, want)
		}
		if strings.HasPrefix(key, "blobs/") && o.MediaType != "application/octet-stream" {
			t.Errorf("%s is %s", key, o.MediaType)
		}
	}
	if found != len(attached) {
		t.Errorf("%d of %d files were published", found, len(attached))
	}
	for name, want := range inertTypes {
		if o := at.objects[evilFiles+name]; o.MediaType != want {
			t.Errorf("%s: %q, want %s", name, o.MediaType, want)
		}
	}
	if page := at.objects["index.html"]; page.MediaType != "text/html; charset=utf-8" {
		t.Errorf("the page is %s", page.MediaType)
	}
}

// TestDownloadsOfOldSites publishes to a target whose site an older program has published. The
// missing headers are added by copies within the target.
func TestDownloadsOfOldSites(t *testing.T) {
	at := newRecorder(t)
	publishSite(t, at, hostileSite(t, 2))
	clear(at.objects)
	next := hostileSite(t, render.Version)
	publishSite(t, at, next)
	for key := range attached {
		if o, ok := at.objects[key]; !ok || o.Disposition != target.Attachment || !at.copied[key] {
			t.Errorf("%s: %+v, copied %v", key, o, at.copied[key])
		}
		if blob := at.objects[key].SHA256.Path(); at.objects[blob].MediaType != "application/octet-stream" || !at.copied[blob] {
			t.Errorf("%s of %s: %+v, copied %v", blob, key, at.objects[blob], at.copied[blob])
		}
	}
	if _, again := at.objects[evilFiles+"main.js"]; again {
		t.Error("a script was copied although its headers have not changed")
	}
	clear(at.objects)
	publishSite(t, at, next)
	if len(at.objects) > 0 {
		t.Errorf("publishing again has sent or copied %d objects", len(at.objects))
	}
	if report, err := publish.Verify(t.Context(), at); err != nil || len(report.Problems) > 0 {
		t.Errorf("%v, %v", report, err)
	}
}
