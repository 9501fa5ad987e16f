package build

import (
	"reflect"
	"testing"

	"galbuild/build/catalog"
)

// TestNotFeatured warns about ids that are not in the gallery, and suggests others.
func TestNotFeatured(t *testing.T) {
	c := &catalog.Catalog{Extensions: []catalog.Extension{needing("hello"), needing("notes")}}
	for name, tt := range map[string]struct {
		featured []string
		want     []Problem
	}{
		"in the gallery":      {[]string{"acme.hello"}, nil},
		"similar id":          {[]string{"acme.helo", "acme.notes"}, []Problem{{File: "--featured=acme.helo", Reason: `is not in the gallery; did you mean "acme.hello"?`}}},
		"another publisher":   {[]string{"other.notes"}, []Problem{{File: "--featured=other.notes", Reason: `is not in the gallery; did you mean "acme.notes"?`}}},
		"nothing is similar":  {[]string{"other.thing"}, []Problem{{File: "--featured=other.thing", Reason: "is not in the gallery"}}},
		"nothing is featured": {nil, nil},
	} {
		c.Featured = tt.featured
		if got := notFeatured(c); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}
