package similar

import (
	"strings"
	"testing"
)

func TestTo(t *testing.T) {
	commands := []string{"add", "build", "config", "export", "import", "inspect", "list", "ls", "ls-remote", "package", "publish", "pull", "verify"}
	ids := []string{"acme.hello", "acme.notes", "ms-python.python", "Redhat.java"}
	for _, test := range []struct {
		name       string
		candidates []string
		want       string
	}{
		{"bild", commands, "build"},
		{"pubish", commands, "publish"},
		{"lst", commands, "list ls"},
		{"veirfy", commands, "verify"}, // swapped letters are one mistake
		{"VERIFY", commands, "verify"},
		{"pub", commands, "publish"},
		{"p", commands, ""},
		{"site", commands, ""},
		{"add", commands, ""}, // itself; nothing else is near
		{"acme.helo", ids, "acme.hello"},
		{"acme-hello", ids, "acme.hello"},
		{"redhat.jaav", ids, "Redhat.java"},
		{"other.thing", ids, ""},
		{"größe", []string{"grösse", "grüße"}, "grüße"},
		{strings.Repeat("x", maxName+1), []string{strings.Repeat("x", maxName)}, ""},
		{"", commands, ""},
		{"aa", []string{"ab", "ab", "ac"}, "ab ac"},
	} {
		if got := strings.Join(To(test.name, test.candidates), " "); got != test.want {
			t.Errorf("%q: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestQuestion(t *testing.T) {
	for _, test := range []struct {
		candidates []string
		want       string
	}{
		{[]string{"abcd"}, `; did you mean "abcd"?`},
		{[]string{"abce", "abcd"}, `; did you mean "abcd" or "abce"?`},
		{[]string{"ab\x1bc"}, `; did you mean "ab\x1bc"?`},
		{[]string{"abcd", "abce", "abcf", "abcg"}, ""},
		{[]string{"other"}, ""},
	} {
		if got := Question("abc", test.candidates); got != test.want {
			t.Errorf("%q: got %q, want %q", test.candidates, got, test.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3},
	} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%q to %q: got %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
