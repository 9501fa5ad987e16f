package markdown

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
)

// TestLexers compares lexers.zip with the lexers of chroma. With the variable UPDATE, it writes the
// file instead.
func TestLexers(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	all, err := openLexers()
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range languages {
		rules := marshal(t, original(t, language))
		file, err := w.Create(language + ".xml")
		if err != nil {
			t.Fatal(err)
		}
		file.Write(rules)
		if got, err := fs.ReadFile(all, language+".xml"); os.Getenv("UPDATE") == "" && (err != nil || !bytes.Equal(got, rules)) {
			t.Errorf("%s is not as in chroma: run this test with UPDATE=1: %v", language, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile("lexers.zip", b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// marshal returns a lexer as XML, with its states in order.
func marshal(t *testing.T, lexer *chroma.RegexLexer) []byte {
	t.Helper()
	text, err := chroma.Marshal(lexer)
	if err != nil {
		t.Fatal(err)
	}
	before, states, _ := strings.Cut(string(text), "  <rules>\n")
	states, after, ok := strings.Cut(states, "  </rules>\n")
	begin := "    <state " // a state without rules has no end of its own
	all := strings.Split(strings.TrimPrefix(states, begin), begin)
	if !ok || !strings.HasPrefix(states, begin) {
		t.Fatalf("%s", text)
	}
	for i := range all {
		all[i] = begin + all[i]
	}
	slices.Sort(all)
	return []byte(before + "  <rules>\n" + strings.Join(all, "") + "  </rules>\n" + after)
}

// original returns a lexer of chroma, whose rules can be written as XML. That for Go has one rule
// with a function, for templates within raw strings, which become strings without colours in them.
func original(t *testing.T, language string) *chroma.RegexLexer {
	t.Helper()
	lexer, ok := lexers.Get(language).(*chroma.RegexLexer)
	if !ok {
		t.Fatalf("%s: %T", language, lexers.Get(language))
	}
	if language != "Go" {
		return lexer
	}
	rules := lexer.MustRules().Clone()
	i := slices.IndexFunc(rules["root"], func(r chroma.Rule) bool { return r.Pattern == "(`)([^`]*)(`)" })
	if i < 0 {
		t.Fatal("the rule for raw strings of Go has changed")
	}
	rules["root"] = slices.Clone(rules["root"])
	rules["root"][i] = chroma.Rule{Pattern: "`[^`]*`", Type: chroma.LiteralString}
	return chroma.MustNewLexer(lexer.Config(), func() chroma.Rules { return rules })
}
