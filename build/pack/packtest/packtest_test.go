package packtest

import (
	"strings"
	"testing"
)

const document = `<?xml version="1.0"?>
<a xmlns="x:y" z="1" b='"&amp;"'><!-- " --><c xml:space="preserve"> t&lt; </c>
	<d/><e k="a
	b&#10;c"></e><f> </f></a>`

func TestCanonicalXML(t *testing.T) {
	want := `{x:y}a b="\"&\"" xmlns="x:y" z="1"
  c {http://www.w3.org/XML/1998/namespace}space="preserve" " t< "
  d
  e k="a  b\nc"
  f " "
`
	if got, err := CanonicalXML([]byte(document)); err != nil || got != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	for _, text := range []string{"", "<a>", "<a/><b/>", "<a>\x01</a>", "<a b=\"\x00\"/>", "<a/>&"} {
		if got, err := CanonicalXML([]byte(text)); err == nil {
			t.Errorf("%q: got %q, want an error", text, got)
		}
	}
}

func TestDiffXML(t *testing.T) {
	same := strings.NewReplacer(`z="1" b='"&amp;"'`, `b="&#34;&amp;&quot;" z='1'`, "<d/>", "<d></d>\n\n", "\n\tb", "  b").Replace(document)
	if got := DiffXML([]byte(document), []byte(same)); got != "" {
		t.Errorf("equivalent documents differ:\n%s", got)
	}
	for old, other := range map[string]string{
		"<d/>":       "",
		`z="1"`:      `z="2"`,
		" t&lt; ":    "t&lt;",
		"<f> </f>":   "<f/>",
		"&#10;":      " ",
		"x:y":        "x:z",
		"<d/><e":     "<e",
		"</f></a>":   "</f><d/></a>",
		"xml:space=": "space=",
		"</a>":       "",
	} {
		if DiffXML([]byte(document), []byte(strings.Replace(document, old, other, 1))) == "" {
			t.Errorf("no difference with %q instead of %q", other, old)
		}
	}
	if got, want := DiffXML([]byte("<a/>"), []byte("<b/>")), "-a\n+b\n"; got != want {
		t.Errorf("difference %q, want %q", got, want)
	}
}

// FuzzCanonicalXML checks that a document does not differ from itself.
func FuzzCanonicalXML(f *testing.F) {
	f.Add([]byte(document))
	f.Add([]byte("<a b='\r\n'><![CDATA[<]]></a>"))
	f.Add([]byte("<?x <?"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if got := DiffXML(text, text); got != "" {
			t.Error(got)
		}
	})
}
