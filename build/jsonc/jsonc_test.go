package jsonc

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	d, err := Parse("p", []byte("// The first line.\n{\n  \"a\": [1,],\n} // no newline"))
	if err != nil {
		t.Fatal(err)
	}
	if line := d.Line(d.Root.StartOffset); line != 2 {
		t.Errorf("the object is on line %d", line)
	}
	if a := d.Root.Find("/a"); a == nil || d.Line(a.StartOffset) != 3 {
		t.Errorf("a is %v", a)
	}
}

// TestSyntax checks the errors of texts that are not JSON with comments.
func TestSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "p:1: the file is empty; want an object such as {}",
		"\n\n":                    "p:1: the file is empty; want an object such as {}",
		"{\n  \"deny\": [\"a\"\n": "p:2: the text ends before a bracket, a quotation mark or a comment is closed",
		"{\n  'deny': []}":        "p:2: is not JSON with comments from column 3 on: ",
		"{}\n{}":                  "p:2: is not JSON with comments from column 1 on: ",
		"{\n\"a\": \"\xff\"}":     "p:2: is not UTF-8",
		"[\"" + strings.Repeat("[", 30) + "\"," + strings.Repeat("[", 20): "p:1: more than 20 brackets are open",
		strings.Repeat("[\n", 1<<20):                                      "p:21: more than 20 brackets are open",
	} {
		if _, err := Parse("p", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %s", text, err, want)
		}
	}
}
