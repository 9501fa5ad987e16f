package policy

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"galbuild/build/catalog"
)

// TestRatings reads ratings from a file, and again from the policy that includes them, whose file
// is not read again.
func TestRatings(t *testing.T) {
	files := map[string]string{
		"r.csv":  "id,average,count\n\nAcme.Notes,4.5,12\nglobex.beta, 3.25 ,4\n",
		"r.json": "{\n\"acme.notes\": {\"average\": 4.5, \"count\": 12},\n\"globex.beta\": {\"average\": 3.25, \"count\": 4}}",
	}
	read := func(path string) ([]byte, error) {
		if files[path] == "" {
			return nil, errors.New("no such file")
		}
		return []byte(files[path]), nil
	}
	for path, lines := range map[string][2]int{"r.csv": {3, 4}, "r.json": {2, 3}} {
		p, err := Load("policy.json", []byte(`{"ratings": "`+path+`", "denyLists": []}`), read)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]catalog.Rating{"acme.notes": {Average: 4.5, Count: 12, Line: lines[0]}, "globex.beta": {Average: 3.25, Count: 4, Line: lines[1]}}
		again, err := Parse("policy.json", p.Text())
		if err != nil {
			t.Fatalf("%v\n%s", err, p.Text())
		}
		for _, p := range []*Policy{p, again} {
			if !maps.Equal(p.Ratings, want) || p.RatingsFile != path {
				t.Errorf("%s: got %+v, want %+v", path, p.Ratings, want)
			}
		}
	}
}

// TestWrongRatings has files with mistakes, which are named with the line of the file.
func TestWrongRatings(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "r: the file is empty",
		"id,average\nacme.a,5\n":            "r:2: acme.a: want an average and a count",
		"id,average,count\nacme.a,6,1\n":    `r:2: acme.a: average: want a number from 0 to 5, found "6"`,
		"id,average,count\n\nacme a,5,1\n":  `r:3: want the id of an extension such as acme.hello, found "acme a"`,
		"id,average,count\nacme.a,5,1e10\n": "r:2: acme.a: want an average and a count of at most",
		"name,average,count\nacme.a,5,1\n":  "r:1: want a header whose first column is id",
		"id,average,count\nacme.a,5,1,7\n":  "r:2: want 3 columns, found 4",
		"id,average,stars\nacme.a,5,1\n":    `r:1: there is no column "stars"`,
		"id,average,rating\nacme.a,5,1\n":   `r:1: two columns state the same: "rating"`,
		`{"acme.a": {"average": 5}}`:        "r:1: acme.a: want an average and a count",
		"id,average,count\nacme.a,NaN,1\n":  "r:2: acme.a: average: want a number from 0 to 5",
		"id,average,count\nacme.a,\"5,1\n":  "r:2: is not CSV",
	} {
		_, err := Load("p", []byte(`{"ratings": "r"}`), func(string) ([]byte, error) { return []byte(text), nil })
		if err == nil || !strings.Contains(err.Error(), "p:1: ratings: "+want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if _, err := Load("p", []byte(`{"ratings": "r", "denyLists": ["r"]}`), readSample); err == nil || !strings.Contains(err.Error(), `"r" is among denyLists, too`) {
		t.Errorf("a file that is both: %v", err)
	}
}
