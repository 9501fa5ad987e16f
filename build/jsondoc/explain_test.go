package jsondoc

import (
	"encoding/json"
	"errors"
	"testing"

	json2 "github.com/go-json-experiment/json"
)

func TestExplain(t *testing.T) {
	const open = "is not complete JSON: a bracket or a quotation mark is not closed"
	for text, want := range map[string]string{
		`{"a": 1`:           open,
		`["a`:               open,
		"":                  "is empty",
		" \n":               "is empty",
		`{"a": 1,}`:         "is not JSON from line 1, column 9 on",
		"{\n  \"a\": 1;\n}": "is not JSON from line 2, column 9 on",
		"{'a': 1}":          "is not JSON from line 1, column 2 on",
		"{} x":              "is not JSON from line 1, column 4 on",
	} {
		var v any
		if err := Explain([]byte(text), json.Unmarshal([]byte(text), &v)); err == nil || err.Error() != want {
			t.Errorf("encoding/json, %q: got %v, want %s", text, err, want)
		}
		if err := Explain([]byte(text), json2.Unmarshal([]byte(text), &v)); err == nil || err.Error() != want && text != `{"a": 1,}` {
			t.Errorf("go-json-experiment, %q: got %v, want %s", text, err, want)
		}
	}
	other := errors.New("other")
	if got := Explain([]byte("{}"), other); got != other {
		t.Errorf("got %v, want the error itself", got)
	}
	if got := Explain([]byte("{}"), nil); got != nil {
		t.Errorf("got %v, want nil", got)
	}
}
