package jsondoc

import (
	"math"
	"testing"
)

func TestForms(t *testing.T) {
	v := map[string]any{"b": "<&>\u2028", "a": []int{1}, "e": []int{}}
	line, err := Line(v)
	if want := `{"a":[1],"b":"<&>\u2028","e":[]}` + "\n"; err != nil || string(line) != want {
		t.Errorf("Line: %q, %v, want %q", line, err, want)
	}
	indented, err := Indented(v)
	if want := "{\n  \"a\": [\n    1\n  ],\n  \"b\": \"<&>\\u2028\",\n  \"e\": []\n}\n"; err != nil || string(indented) != want {
		t.Errorf("Indented: %q, %v, want %q", indented, err, want)
	}
	two, err := AppendLine([]byte("first\n"), 2)
	if want := "first\n2\n"; err != nil || string(two) != want {
		t.Errorf("AppendLine: %q, %v, want %q", two, err, want)
	}
	if _, err := Line(math.NaN()); err == nil {
		t.Error("NaN is encoded")
	}
}
