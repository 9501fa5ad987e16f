package publish_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/decision"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/bundle"
	"galbuild/publish/target/website"
)

// TestPrivate checks copies from an address that does not serve the private parts of records, as it
// should be, and that verify reports an address that does.
func TestPrivate(t *testing.T) {
	at, root := newFolder(t)
	local := t.TempDir()
	buildSite(t, local, "one@1.0.0", "two@1.0.0")
	publishSite(t, at, local)
	decide(t, at, decision.Removed, "acme.one@1.0.0")
	files := http.FileServer(http.Dir(root))
	for name, tt := range map[string]struct {
		private http.HandlerFunc
		problem string
	}{
		"not found": {http.NotFound, ""},
		"forbidden": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, ""},
		"served":    {files.ServeHTTP, "everyone can read who decided what and why"},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.Handle("/", files)
			mux.Handle("/private/", tt.private)
			server := httptest.NewServer(mux)
			defer server.Close()
			from, err := website.New(website.Config{URL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			report, err := publish.Verify(t.Context(), from)
			if err != nil || len(report.Problems) > 0 != (tt.problem != "") || !strings.Contains(strings.Join(report.Problems, "\n"), tt.problem) {
				t.Errorf("%+v, %v", report, err)
			}
			if tt.problem != "" {
				return
			}
			copied := filepath.Join(t.TempDir(), "copy")
			pull(t, from, copied)
			if _, c, err := site.Read(copied); err != nil || len(c.Records) != 1 || c.HasPrivate() {
				t.Fatalf("%+v, %v", c, err)
			}
			if _, err := bundle.Export(t.Context(), bundle.ExportConfig{Site: copied, Output: filepath.Join(t.TempDir(), "x.tar")}); !errors.Is(err, bundle.ErrPublicOnly) {
				t.Errorf("export: %v", err)
			}
			other, otherRoot := newFolder(t)
			publishSite(t, other, copied)
			if _, c, err := site.Read(otherRoot); err != nil || len(c.Records) != 1 {
				t.Errorf("published: %+v, %v", c, err)
			}
			pull(t, at, copied) // from the target itself: nothing is missing any more
			if _, c, err := site.Read(copied); err != nil || !c.HasPrivate() {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
	if err := os.RemoveAll(filepath.Join(root, "private")); err != nil {
		t.Fatal(err)
	}
	if report, err := publish.Verify(t.Context(), at); err != nil || len(report.Problems) != 2 {
		t.Errorf("without the private parts: %+v, %v", report, err)
	}
}
