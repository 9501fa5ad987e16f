package markdown

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/chroma/v2"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Limits of the code that is coloured. Code above them is shown without colours.
const (
	maxBlock     = 8 << 10          // bytes of one block
	maxCode      = 64 << 10         // bytes of all blocks of a text
	maxLine      = 1000             // bytes of a line
	maxTokens    = 10_000           // in all blocks of a text
	maxBlockTime = 10 * time.Second // see the package comment
)

// languages are the names of the lexers that are used: those for the languages of most readmes and
// for what these contain. Each one more is code that reads hostile texts.
var languages = []string{
	"Bash", "Bash Session", "Batchfile", "C", "C#", "C++", "Clojure", "CMake", "CoffeeScript", "CSS", "Dart", "Diff", "Docker", "Elixir",
	"Elm", "Erlang", "FSharp", "Go", "GraphQL", "Groovy", "Haskell", "HCL", "HTML", "INI", "Java", "JavaScript", "JSON", "Julia",
	"Kotlin", "Lua", "Makefile", "MATLAB", "Nim", "Nix", "OCaml", "Objective-C", "Perl", "PowerShell", "properties", "Protocol Buffer", "Python",
	"R", "react", "Ruby", "Rust", "Sass", "Scala", "SCSS", "SQL", "Swift", "TeX", "Terraform", "TOML", "TypeScript", "VimL",
	"vue", "XML", "YAML", "Zig",
}

// otherNames are the names of languages in VS Code and on GitHub that chroma does not know.
var otherNames = map[string]string{
	"jsonc": "json", "json5": "json", "shellscript": "bash", "javascriptreact": "jsx", "typescriptreact": "tsx",
	"dockercompose": "yaml", "ps1": "powershell", "viml": "vim", "golang": "go",
}

// patient returns a lexer whose expressions are not interrupted after a quarter of a second, as
// those of chroma are. An expression that is interrupted does not match, so on a slow machine the
// result would be another one.
func patient(lexer *chroma.RegexLexer) chroma.Lexer {
	return chroma.MustNewLexer(lexer.Config(), func() chroma.Rules {
		rules := lexer.MustRules().Clone()
		rules["root"] = append(slices.Clone(rules["root"]), chroma.Rule{Pattern: `(?!)`, Mutator: patience{}})
		return rules
	})
}

// patience is in a rule that matches nothing. When the rules of the lexer are compiled, it
// changes all of them and removes its own.
type patience struct{}

// Mutate implements [chroma.Mutator].
func (patience) Mutate(*chroma.LexerState) error { return nil }

// MutateLexer implements [chroma.LexerMutator].
func (patience) MutateLexer(rules chroma.CompiledRules, state string, rule int) error {
	rules[state] = slices.Delete(rules[state], rule, rule+1)
	for _, all := range rules {
		for _, r := range all {
			r.Regexp.MatchTimeout = maxBlockTime
		}
	}
	return nil
}

// A highlighter colours the code of a text.
type highlighter struct {
	bytes, tokens int
	stopped       bool // a block needed too much time
}

// replace replaces the content of an element by coloured code. It reports whether it did.
func (h *highlighter) replace(code *html.Node, language string) bool {
	lexer := byName()[strings.ToLower(language)]
	text := textOf(code)
	h.bytes += len(text)
	if lexer == nil || h.stopped || len(text) > maxBlock || h.bytes > maxCode || longLine(text) {
		return false
	}
	begin := time.Now()
	nodes, err := h.colour(lexer, text)
	if time.Since(begin) >= maxBlockTime {
		h.stopped = true
		return false
	}
	if err != nil {
		return false
	}
	for child := code.FirstChild; child != nil; child = code.FirstChild {
		code.RemoveChild(child)
	}
	code.Attr = nil
	for _, n := range nodes {
		code.AppendChild(n)
	}
	return true
}

func longLine(s string) bool {
	for line := range strings.Lines(s) {
		if len(line) > maxLine {
			return true
		}
	}
	return false
}

// errTokens is returned for code that has too many tokens, or other tokens than its text.
var errTokens = errors.New("too many or other tokens")

// colour returns the nodes of coloured code.
func (h *highlighter) colour(lexer chroma.Lexer, text string) (nodes []*html.Node, err error) {
	defer func() { // a lexer panics if it needs one for another language that is not in the list
		if recover() != nil {
			err = errTokens
		}
	}()
	next, err := lexer.Tokenise(&chroma.TokeniseOptions{State: "root", Nested: true}, text)
	if err != nil {
		return nil, err
	}
	begin, length, last := time.Now(), 0, ""
	for token := next(); token != chroma.EOF; token = next() {
		length += len(token.Value)
		if h.tokens++; h.tokens > maxTokens || time.Since(begin) >= maxBlockTime || !strings.HasPrefix(text[min(length-len(token.Value), len(text)):], token.Value) {
			return nil, errTokens
		}
		class := classOf(token.Type)
		if len(nodes) > 0 && class == last {
			n := nodes[len(nodes)-1]
			if class != "" {
				n = n.FirstChild
			}
			n.Data += token.Value
			continue
		}
		last = class
		n := newText(token.Value)
		if class != "" {
			span := newElement(atom.Span, "class", class)
			span.AppendChild(n)
			n = span
		}
		nodes = append(nodes, n)
	}
	if length != len(text) {
		return nil, errTokens
	}
	return nodes, nil
}

// classOf returns the class of a token, or "" for text in the usual colour. There are few, because
// more colours do not make code easier to read.
func classOf(t chroma.TokenType) string {
	switch {
	case t == chroma.GenericDeleted:
		return "c-deleted"
	case t == chroma.GenericInserted:
		return "c-inserted"
	case t == chroma.GenericHeading, t == chroma.GenericSubheading, t == chroma.GenericPrompt:
		return "c-comment"
	case t == chroma.CommentPreproc, t == chroma.CommentPreprocFile:
		return "c-keyword"
	case t.InCategory(chroma.Comment):
		return "c-comment"
	case t == chroma.KeywordConstant, t == chroma.NameConstant, t.InSubCategory(chroma.LiteralNumber):
		return "c-number"
	case t.InCategory(chroma.Keyword), t == chroma.OperatorWord:
		return "c-keyword"
	case t.InSubCategory(chroma.LiteralString):
		return "c-string"
	case t == chroma.NameFunction, t == chroma.NameFunctionMagic, t == chroma.NameClass, t == chroma.NameDecorator:
		return "c-name"
	case t == chroma.NameTag, t == chroma.NameAttribute, t == chroma.NameProperty:
		return "c-tag"
	}
	return ""
}
