package galshim

import (
	"testing"
)

// openViews serves a main gallery with other extensions than its view team-a, which has only
// Acme.Hello.
func openViews(t *testing.T, change ...func(*config)) *testGallery {
	t.Helper()
	dir := t.TempDir()
	sample{pages: defaultPages()}.write(t, dir)
	team := open(t, dir, folder{dir}).live
	return openSample(t, append(change, func(c *config) { c.views = map[string]*live{"team-a": team} })...)
}

func TestViewOf(t *testing.T) {
	s := openViews(t)
	for path, want := range map[string][2]string{
		"/team-a":            {"team-a", "/"},
		"/team-a/api/x":      {"team-a", "/api/x"},
		"/team-a/team-a/api": {"team-a", "/team-a/api"},
		"/team-b/api":        {"", "/team-b/api"},
		"/Team-A/api":        {"", "/Team-A/api"},
		"/api/team-a":        {"", "/api/team-a"},
		"/":                  {"", "/"},
	} {
		name, rest, ok := s.viewOf(path)
		if name != want[0] || rest != want[1] || ok != (name != "") {
			t.Errorf("%s: view %q, rest %q, %v; want %q", path, name, rest, ok, want)
		}
	}
}
