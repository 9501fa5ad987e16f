//go:build e2e

package vsix

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

// TestEditor installs the packages of editorCases with code-server, from a gallery that lists
// all of them. It must install what Open accepts, and nothing that Open refuses.
func TestEditor(t *testing.T) {
	tools := toolchain.Tools(t)
	cases := editorCases()
	packages := make(map[string][]byte)
	for _, c := range cases {
		packages[c.name] = editorPackage(t, c)
	}
	home := t.TempDir()
	server := httptest.NewServer(editorGallery{packages: packages, cases: cases})
	defer server.Close()
	for _, c := range cases {
		command := exec.Command(tools.Node, filepath.Join(tools.CodeServer, "out", "node", "entry.js"),
			"--extensions-dir", filepath.Join(home, "extensions"), "--user-data-dir", filepath.Join(home, "data"), "--install-extension", "acme."+c.name)
		command.Env = append(os.Environ(), "HOME="+home, `EXTENSIONS_GALLERY={"serviceUrl":"`+server.URL+`/api","itemUrl":"`+server.URL+`/item"}`)
		out, err := command.CombinedOutput()
		if (err == nil) != (c.want == "") {
			t.Errorf("%s: code-server returns %v, Open %q:\n%s", c.name, err, c.want, out)
		}
	}
}

// editorGallery lists each package with the metadata of its XML, as a gallery that does not read
// package.json.
type editorGallery struct {
	packages map[string][]byte
	cases    []editorCase
}

// ServeHTTP implements [http.Handler].
func (g editorGallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/extensionquery" {
		g.query(w, r)
		return
	}
	for _, c := range g.cases {
		switch r.URL.Path {
		case "/" + c.name + "/Microsoft.VisualStudio.Code.Manifest":
			w.Write([]byte(strings.TrimPrefix(c.packageJSON, "\ufeff")))
			return
		case "/" + c.name + "/Microsoft.VisualStudio.Services.VSIXPackage":
			w.Write(g.packages[c.name])
			return
		}
	}
	http.NotFound(w, r)
}

func (g editorGallery) query(w http.ResponseWriter, r *http.Request) {
	var query struct {
		Filters []struct {
			Criteria []struct {
				FilterType int
				Value      string
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&query); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	extensions := []string{}
	for _, criterion := range query.Filters[0].Criteria {
		for _, c := range g.cases {
			if criterion.FilterType == 7 && strings.EqualFold(criterion.Value, "acme."+c.name) || criterion.FilterType == 4 && criterion.Value == "id-"+c.name {
				extensions = append(extensions, c.listing("http://"+r.Host))
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"results":[{"extensions":[%s],"resultMetadata":[{"metadataType":"ResultCount","metadataItems":[{"name":"TotalCount","count":%d}]}]}]}`,
		strings.Join(extensions, ","), len(extensions))
}

// listing returns the extension of a case as in a response of a gallery. The engine is that of
// package.json, as packagers copy it, if it is a string, and otherwise one that editors accept.
func (c editorCase) listing(base string) string {
	text := struct {
		Version string
		Engines struct{ VSCode any }
	}{Version: "1.0.0"}
	json.Unmarshal([]byte(strings.TrimPrefix(c.packageJSON, "\ufeff")), &text) // a part of it is enough
	if _, ok := text.Engines.VSCode.(string); !ok {
		text.Engines.VSCode = "*"
	}
	engine, _ := json.Marshal(text.Engines.VSCode)
	at := base + "/" + c.name
	return fmt.Sprintf(`{"publisher":{"publisherId":"p","publisherName":"acme","displayName":"acme"},"extensionId":"id-%s","extensionName":"%s","displayName":"x","flags":"",
"versions":[{"version":"%s","assetUri":"%s","fallbackAssetUri":"%s","files":[{"assetType":"Microsoft.VisualStudio.Code.Manifest","source":"%s"}],
"properties":[{"key":"Microsoft.VisualStudio.Code.Engine","value":%s},{"key":"PrivateMarketplace","value":"true"}]}]}`,
		c.name, c.name, text.Version, at, at, at, engine)
}
