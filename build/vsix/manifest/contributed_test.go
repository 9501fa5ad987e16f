package manifest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// contributing returns a package.json with these contributions.
func contributing(t *testing.T, contributes string) *Package {
	t.Helper()
	p, err := ParsePackage([]byte(`{"publisher":"p","name":"a","version":"1.0.0","contributes":` + contributes + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestContributedIsLimited has a hundred thousand commands. The language must be returned, although
// it follows them.
func TestContributedIsLimited(t *testing.T) {
	for name, title := range map[string]string{"short": "c%d", "long": strings.Repeat("x", contributedEach-6) + "%06d"} {
		var commands []string
		for i := range 100_000 {
			commands = append(commands, fmt.Sprintf(`{"title":"`+title+`"}`, i))
		}
		got := contributing(t, `{"commands":[`+strings.Join(commands, ",")+`],"languages":[{"id":"tsp"}]}`).Contributed()
		bytes := len(strings.Join(got, ""))
		if got[0] != "tsp" || len(got) > contributedTexts || bytes > contributedBytes {
			t.Errorf("%s: got %d texts of %d bytes, the first %q", name, len(got), bytes, got[0])
		}
		if len(got) < contributedTexts && bytes < contributedBytes-contributedEach {
			t.Errorf("%s: got only %d texts of %d bytes", name, len(got), bytes)
		}
	}
	const each = contributedEach
	got := contributing(t, fmt.Sprintf(`{"themes":[{"label":"%s"},{"label":"%s"},{"label":"$(a)  %s"}]}`,
		strings.Repeat("x", each+1), strings.Repeat("y", each), strings.Repeat("z", each))).Contributed()
	if !slices.Equal(got, []string{strings.Repeat("y", each), strings.Repeat("z", each)}) {
		t.Errorf("got %q, want the texts of %d bytes", got, each)
	}
}

// TestContributedOfOtherTypes has values of other types in place of lists, objects and texts.
func TestContributedOfOtherTypes(t *testing.T) {
	for _, contributes := range []string{
		`null`, `[]`, `"x"`, `{"commands":null}`, `{"commands":"x"}`, `{"commands":[[[]]]}`, `{"commands":{"title":[]}}`,
		`{"languages":[{"id":{},"aliases":"x y"}]}`, `{"languages":{"aliases":{"0":"x"}}}`, `{"commands":[{"title":{"value":{"value":"x"}}}]}`,
		`{"commands":[{"title":"%x%"},{"title":"$(x)"},{"title":" \n "}]}`,
	} {
		got := contributing(t, contributes).Contributed()
		if len(got) > 0 && !slices.Equal(got, []string{"x y"}) {
			t.Errorf("%s: got %q", contributes, got)
		}
	}
}
