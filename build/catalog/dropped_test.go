package catalog

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
)

func droppedOf(version, pkg string, since time.Time) Dropped {
	f := File{Ref: blob.Sum([]byte(pkg)), Size: 1, Type: "application/zip"}
	return Dropped{Since: since, Version: Version{Publisher: "Acme", Name: "notes", Version: version, Package: f, Updated: day(1)}}
}

// TestDroppedLines writes and reads dropped versions, and refuses invalid ones.
func TestDroppedLines(t *testing.T) {
	c := &Catalog{Dropped: []Dropped{droppedOf("1.0.0", "a", day(2)), droppedOf("2.0.0", "b", day(3))}}
	var text bytes.Buffer
	if err := c.Write(&text); err != nil {
		t.Fatal(err)
	}
	got, err := Read(bytes.NewReader(text.Bytes()))
	if err != nil || !reflect.DeepEqual(got.Dropped, c.Dropped) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for old, test := range map[string]struct{ new, want string }{
		`"dropped":2`:             {`"dropped":-1`, "dropped: want 0 to"},
		`"version":"2.0.0"`:       {`"version":"1.0.0"`, "line 3: dropped version: acme.notes@1.0.0 follows"},
		`"version":"1.0.0"`:       {`"version":"../x"`, "line 2"},
		`"publisher":"Acme"`:      {`"publisher":""`, "publisher"},
		`"name":"notes"`:          {`"name":"../x"`, "name"},
		`"2026-01-02T00:00:00Z"`:  {`"0001-01-01T00:00:00Z"`, "the date is missing"},
		`"2026-01-03T00:00:00Z",`: {`"2026-01-03T00:00:00Z","x":[` + strings.Repeat("{},", 1_000_000) + `{}],`, "too many"},
	} {
		if !strings.Contains(text.String(), old) {
			t.Fatalf("%s is not in %s", old, &text)
		}
		_, err := Read(strings.NewReader(strings.Replace(text.String(), old, test.new, 1)))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.100s: %v, want %q", test.new, err, test.want)
		}
	}
}

// TestMergeDropped merges lists in every order and grouping.
func TestMergeDropped(t *testing.T) {
	a := []Dropped{droppedOf("1.0.0", "a", day(3)), droppedOf("3.0.0", "x", day(1))}
	b := []Dropped{droppedOf("1.0.0", "a", day(2)), droppedOf("2.0.0", "b", day(5))}
	c := []Dropped{droppedOf("1.0.0", "a", day(4)), droppedOf("3.0.0", "y", day(1))}
	hashes := droppedOf("3.0.0", "x", day(1))
	if x, y := blob.Sum([]byte("x")), blob.Sum([]byte("y")); bytes.Compare(y[:], x[:]) < 0 {
		hashes = droppedOf("3.0.0", "y", day(1))
	}
	want := []Dropped{droppedOf("1.0.0", "a", day(2)), droppedOf("2.0.0", "b", day(5)), hashes}
	for name, got := range map[string][]Dropped{
		"abc":   MergeDropped(MergeDropped(a, b), c),
		"a(bc)": MergeDropped(a, MergeDropped(b, c)),
		"cba":   MergeDropped(MergeDropped(c, b), a),
		"abcb":  MergeDropped(MergeDropped(MergeDropped(a, b), c), b),
		"none":  MergeDropped(MergeDropped(nil, want), nil),
	} {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
