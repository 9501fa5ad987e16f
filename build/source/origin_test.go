package source

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOrigin checks that origins do not depend on where the sources are, and that they have no
// secrets.
func TestOrigin(t *testing.T) {
	root := tree(t, "in/a/x.vsix", "in/b/y.vsix", "lists/z.vsix")
	write(t, "lists/list.txt", "z.vsix\n../in\n")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(packageText)) }))
	defer server.Close()
	secret := strings.Replace(server.URL, "://", "://user:password@", 1) + "/v%2F1/x.vsix?sig=secret#part"
	for _, tt := range []struct{ sources, want []string }{
		{[]string{"in"}, []string{"a/x.vsix", "b/y.vsix"}},
		{[]string{"./in/"}, []string{"a/x.vsix", "b/y.vsix"}},
		{[]string{filepath.Join(root, "in")}, []string{"a/x.vsix", "b/y.vsix"}},
		{[]string{"."}, []string{"in/a/x.vsix", "in/b/y.vsix", "lists/z.vsix"}},
		{[]string{"in/*/x.vsix"}, []string{"a/x.vsix"}},
		{[]string{"**/y.vsix"}, []string{"in/b/y.vsix"}},
		{[]string{"in/*"}, []string{"a/x.vsix", "b/y.vsix"}},
		{[]string{"in/a/x.vsix"}, []string{"x.vsix"}},
		{[]string{"in/a/x.vsix", "in/b"}, []string{"x.vsix", "y.vsix"}},
		{[]string{"@lists/list.txt"}, []string{"a/x.vsix", "b/y.vsix", "z.vsix"}},
		{[]string{secret}, []string{server.URL + "/v%2F1/x.vsix"}},
		{[]string{"-"}, []string{"-"}},
	} {
		items, problems, err := Expand(t.Context(), tt.sources, Config{Downloads: t.TempDir(), Stdin: strings.NewReader(packageText)})
		if err != nil || len(problems) > 0 {
			t.Fatal(problems, err)
		}
		var got []string
		for _, i := range items {
			got = append(got, i.Origin)
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.sources, got, tt.want)
		}
	}
}
