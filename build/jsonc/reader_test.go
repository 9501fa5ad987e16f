package jsonc

import (
	"strings"
	"testing"
)

// TestReader reads a document with a mistake on each line.
func TestReader(t *testing.T) {
	r, root, err := NewReader("p", []byte(`{
"names": 7,
"name": "",
"on": "yes",
"count": 0,
"size": "ten",
"sizes": [1],
"other": {"nmae": 1},
"name": "b",
}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Members(root, "names", "name", "on", "count", "size", "sizes", "other") {
		switch f.Name {
		case "names":
			r.Elements(f)
		case "name":
			r.String(f, "a name")
		case "on":
			r.Bool(f)
		case "count":
			r.Count(f)
		case "size":
			r.Size(f)
		case "sizes":
			r.Size(r.Elements(f)[0])
		case "other":
			r.Members(f, "name")
		}
	}
	want := []string{
		`p:2: names: want a list in square brackets, found 7`,
		`p:3: name: want a name, found ""`,
		`p:4: on: want true or false, found "yes"`,
		`p:5: count: want a whole number from 1 to 1000000000, found 0`,
		`p:6: size: want a size such as "500KB", "10MB" or "4GiB", found "ten"`,
		`p:7: sizes: want a size such as "500KB", "10MB" or "4GiB", found 1`,
		`p:8: other: there is no key "nmae"; did you mean "name"?`,
		`p:9: name: is given twice, first on line 3`,
	}
	if err := r.Err(); err == nil || err.Error() != strings.Join(want, "\n") {
		t.Errorf("got\n%v, want\n%s", err, strings.Join(want, "\n"))
	}
}
