package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"

	"github.com/tailscale/hujson"
)

// Untranslated is a text of package.json that package.nls.json does not have.
type Untranslated struct {
	Line  int    // of package.json, from 1
	Field string // such as contributes.menus["editor/title"][0].title
	Text  string // %key%
	Key   string
}

// Translated returns package.json with the texts of package.nls.json, nil if there
// is none, as vsce translates; the package comment has the rules. Lines stay, unless
// a translation is an object or a list. If package.nls.json cannot be read, that is
// the error, and package.json is returned as it is.
func Translated(packageJSON, nls []byte) ([]byte, []Untranslated, error) {
	words, err := parseWords(nls)
	if err != nil || words == nil {
		return packageJSON, nil, err
	}
	if !json.Valid(packageJSON) { // which refuses what nests too deep for hujson, too
		return packageJSON, nil, errors.New("package.json is not JSON")
	}
	root, err := hujson.Parse(packageJSON)
	if err != nil {
		return packageJSON, nil, err
	}
	t := translator{source: packageJSON, words: words}
	t.walk(&root, "")
	return root.Pack(), t.missing, nil
}

// parseWords returns the translations by key as JSON, nil if the text is empty. One
// with comments for translators, {"message": "Hello", "comment": ["Greeting"]}, is
// its message.
func parseWords(nls []byte) (map[string]hujson.Literal, error) {
	nls = bytes.TrimPrefix(nls, bomUTF8)
	if len(bytes.TrimSpace(nls)) == 0 {
		return nil, nil
	}
	o, err := parseNLS(nls)
	if err != nil {
		return nil, err
	}
	words := make(map[string]hujson.Literal, len(o.fields))
	for key, raw := range o.fields {
		words[key] = hujson.Literal(raw)
		if message, ok := o.object(key).str("message"); ok {
			words[key] = hujson.String(message)
		}
	}
	return words, nil
}

func name(m hujson.ObjectMember) string {
	literal, _ := m.Name.Value.(hujson.Literal)
	return literal.String()
}

// translator replaces %key% in package.json.
type translator struct {
	source  []byte
	words   map[string]hujson.Literal // any value, not only what hujson calls a literal
	missing []Untranslated
}

// placeholderForPacking is vsce's: a key with other characters, such as '-',
// makes the text an ordinary one.
var placeholderForPacking = regexp.MustCompile(`^%([A-Za-z0-9_.]+)%$`)

// walk translates every text of v, of which path is the place. What a
// translation holds is not translated again.
func (t *translator) walk(v *hujson.Value, path string) {
	switch x := v.Value.(type) {
	case *hujson.Object:
		for i := range x.Members {
			t.walk(&x.Members[i].Value, memberPath(path, name(x.Members[i])))
		}
	case *hujson.Array:
		for i := range x.Elements {
			t.walk(&x.Elements[i], path+"["+strconv.Itoa(i)+"]")
		}
	case hujson.Literal:
		t.translate(v, x, path)
	}
}

func (t *translator) translate(v *hujson.Value, text hujson.Literal, path string) {
	if text.Kind() != '"' {
		return
	}
	m := placeholderForPacking.FindStringSubmatch(text.String())
	if m == nil {
		return
	}
	if word, ok := t.words[m[1]]; ok {
		v.Value = word
		return
	}
	line := 1 + bytes.Count(t.source[:v.StartOffset], []byte("\n"))
	t.missing = append(t.missing, Untranslated{line, path, text.String(), m[1]})
}

var plainKey = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

// memberPath names a member as JavaScript would: contributes.menus["editor/title"].
func memberPath(path, key string) string {
	switch {
	case !plainKey.MatchString(key):
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}
