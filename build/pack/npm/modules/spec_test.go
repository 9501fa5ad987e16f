package modules

import "testing"

func TestReadSpec(t *testing.T) {
	for _, test := range []struct {
		spec     string
		from     origin
		versions string
	}{
		{"", registry, "*"},
		{" * ", registry, "*"},
		{"^1.2 || 3", registry, "^1.2 || 3"},
		{"1.x foo", registry, "1.x foo"},
		{"~1", registry, "~1"},
		{"latest", elsewhere, ""},
		{"~/lib", elsewhere, ""},
		{"./lib", elsewhere, ""},
		{"/lib", elsewhere, ""},
		{`C:\lib`, elsewhere, ""},
		{"FILE:lib", elsewhere, ""},
		{"lib.tgz", elsewhere, ""},
		{"owner/repo#semver:^1", elsewhere, ""},
		{"git+ssh://git@example.com:o/r.git", elsewhere, ""},
		{"https://example.com/a.tgz", elsewhere, ""},
		{"npm:a", registry, "*"},
		{"npm:@s/a@^1", registry, "^1"},
		{"npm:@s/a", registry, "*"},
		{"npm:a@next", elsewhere, ""},
		{"npm:npm:a@1", unknown, ""},
		{"npm:o/r", unknown, ""},
		{"npm:", unknown, ""},
		{"npm:a@o/r", unknown, ""},
		{"workspace:*", unknown, ""},
		{"not a tag", unknown, ""},
	} {
		if from, versions := readSpec(test.spec); from != test.from || versions != test.versions {
			t.Errorf("%q: got %d %q, want %d %q", test.spec, from, versions, test.from, test.versions)
		}
	}
}
