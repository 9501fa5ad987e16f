package build

import (
	"errors"
	"fmt"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/decision"
)

func TestMaxRemovals(t *testing.T) {
	for _, tt := range []struct {
		flag        string
		all, vanish int
		decided     int // of those that vanish
		want        bool
	}{
		{"", 0, 0, 0, true},
		{"", 10, 10, 0, true}, // not more than ten
		{"", 11, 11, 0, false},
		{"", 100, 20, 0, true}, // not more than 20 %
		{"", 100, 21, 0, false},
		{"", 100, 30, 10, true},
		{"", 100, 100, 100, true},
		{"0", 100, 1, 0, false},
		{"0", 100, 1, 1, true},
		{"5", 100, 5, 0, true},
		{"5", 100, 6, 0, false},
		{"50%", 100, 50, 0, true},
		{"50%", 4, 3, 0, false},
		{"100%", 100, 100, 0, true},
	} {
		var m MaxRemovals
		if tt.flag != "" {
			if err := m.UnmarshalText([]byte(tt.flag)); err != nil || m.String() != tt.flag {
				t.Fatal(m, err)
			}
		}
		var old, next catalog.Catalog
		old.Extensions = []catalog.Extension{{Publisher: catalog.Publisher{Name: "acme"}, Name: "hello"}}
		next.Extensions = []catalog.Extension{{Publisher: catalog.Publisher{Name: "acme"}, Name: "hello"}}
		var subjects []catalog.Subject
		for i := range tt.all {
			v := catalog.Version{Version: fmt.Sprintf("%d.0.0", i)}
			old.Extensions[0].Versions = append(old.Extensions[0].Versions, v)
			if i >= tt.vanish {
				next.Extensions[0].Versions = append(next.Extensions[0].Versions, v)
			} else if i < tt.decided {
				subjects = append(subjects, catalog.Subject{ID: catalog.ID{Extension: "acme.hello", Version: v.Version}})
			}
		}
		var err error
		if next.Records, err = decision.Add(nil, decision.Author{}, decision.Removed, subjects, ""); err != nil {
			t.Fatal(err)
		}
		err = m.Check(&old, &next, nil)
		e, ok := errors.AsType[*RemovalsError](err)
		if (err == nil) != tt.want || ok && len(e.Versions) != tt.vanish-tt.decided {
			t.Errorf("%+v: %v", tt, err)
		}
	}
	for _, bad := range []string{"", "-1", "x", "101%", "%", "1.5"} {
		if err := new(MaxRemovals).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
