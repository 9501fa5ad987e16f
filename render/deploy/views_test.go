package deploy

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galbuild/build/site"
	"galbuild/render/gallery"
)

// TestViewNames checks that no view can have the name of a location that the configuration has
// anyway: nginx refuses a configuration with the same location twice.
func TestViewNames(t *testing.T) {
	var text strings.Builder
	n := Nginx{BaseURL: "https://gallery.example", Root: "/srv/gallery", Cert: "/etc/cert.pem", Key: "/etc/key.pem", Tokens: true, Views: []string{"team-a"}}
	if err := n.Write(&text); err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`location (?:= |\^~ )?/([^/ ]+)`).FindAllStringSubmatch(text.String(), -1)
	if len(found) < 5 {
		t.Errorf("only %d locations were found", len(found))
	}
	for _, f := range found {
		if err := gallery.CheckViewName(f[1]); err == nil && f[1] != "team-a" {
			t.Errorf("a view can have the name of the location %s", f[0])
		}
	}
}

// TestPrivateFolders checks that no configuration serves the folders of a site that are not for
// clients.
func TestPrivateFolders(t *testing.T) {
	for name, x := range map[string]struct {
		write  func(io.Writer) error
		closed *regexp.Regexp // by which the text says so
	}{
		"nginx": {Nginx{BaseURL: "https://gallery.example", Root: "/srv/gallery", Cert: "/etc/cert.pem", Key: "/etc/key.pem"}.Write, regexp.MustCompile(`location \^~ /([a-z]+)/ \{ return 404; \}`)},
		"caddy": {Caddy{BaseURL: "https://gallery.example", Root: "/srv/gallery"}.Write, regexp.MustCompile(`@private path_regexp \^/\(\?:([a-z]+)\|([a-z]+)\)/\n\s*error @private 404`)},
	} {
		var text strings.Builder
		if err := x.write(&text); err != nil {
			t.Fatal(err)
		}
		var closed []string
		for _, m := range x.closed.FindAllStringSubmatch(text.String(), -1) {
			closed = append(closed, m[1:]...)
		}
		for _, folder := range []string{site.PrivateDir, site.InboxDir} {
			if !slices.Contains(closed, strings.TrimSuffix(folder, "/")) {
				t.Errorf("%s serves %s: it refuses only %q", name, folder, closed)
			}
		}
	}
}
