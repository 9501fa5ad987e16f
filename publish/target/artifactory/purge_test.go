package artifactory

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestPurge checks what is reported of a trash that the server does or does not empty.
func TestPurge(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusNoContent: "", http.StatusNotFound: "", http.StatusForbidden: "403 Forbidden", http.StatusBadRequest: "400 Bad Request",
	} {
		var asked []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.Method+" "+r.URL.Path)
			w.WriteHeader(status)
		}))
		defer server.Close()
		at, err := New(Config{URL: server.URL + "/artifactory", Repo: "generic-local", Token: "x", Prefix: "gallery"})
		if err != nil {
			t.Fatal(err)
		}
		left, err := at.Purge(t.Context(), []string{"blobs/x"})
		if err != nil || (len(left) == 1) != (want != "") || want != "" && (left[0].Key != "blobs/x" || !strings.Contains(left[0].Reason, want)) {
			t.Errorf("%d: left %+v, %v", status, left, err)
		}
		if len(asked) != 1 || asked[0] != "DELETE /artifactory/api/trash/clean/generic-local/gallery/blobs/x" {
			t.Errorf("%d: asked %q", status, asked)
		}
	}
}
