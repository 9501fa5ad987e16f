package markdown

import (
	"strings"

	"github.com/microcosm-cc/bluemonday"
)

// Languages are the names of all lexers.
var Languages = languages

// HasLexer reports whether there is a lexer for a language.
func HasLexer(language string) bool { return byName()[strings.ToLower(language)] != nil }

// Sanitize returns HTML as the policy allows it.
func Sanitize(s string) string { return policy.Sanitize(s) }

// AllowNothing replaces the policy by one without elements, until restore is called.
func AllowNothing() (restore func()) {
	p := policy
	policy = bluemonday.NewPolicy()
	return func() { policy = p }
}
