package render

import (
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/decision"
)

// TestCheckDecisions checks that verify notices a catalogue on which decisions have not acted.
func TestCheckDecisions(t *testing.T) {
	subject, err := catalog.ParseSubject("acme.hello@1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	c := &catalog.Catalog{Extensions: []catalog.Extension{{
		Publisher: catalog.Publisher{Name: "Acme"}, Name: "hello", Versions: []catalog.Version{{Version: "1.1.0"}, {Version: "1.0.0"}},
	}}}
	if problems := CheckDecisions(c); len(problems) > 0 {
		t.Errorf("without decisions: %q", problems)
	}
	if c.Records, err = decision.Add(nil, decision.Author{}, decision.Blocked, []catalog.Subject{subject}, ""); err != nil {
		t.Fatal(err)
	}
	dropped := catalog.Dropped{Version: catalog.Version{Publisher: "acme", Name: "hello", Version: "1.0.0"}}
	if problems := CheckDecisions(&catalog.Catalog{Records: c.Records, Dropped: []catalog.Dropped{dropped}}); len(problems) != 1 {
		t.Errorf("a dropped version: %q", problems)
	}
	problems := CheckDecisions(c)
	if want := "acme.hello@1.0.0 is in the catalogue, although acme.hello@1.0.0 is blocked"; len(problems) != 1 || problems[0] != want {
		t.Errorf("got %q, want %q", problems, want)
	}
}
