package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"

	"github.com/tailscale/hujson"
)

// Untranslated is a text of package.json without a translation in package.nls.json.
type Untranslated struct {
	Line  int    // in package.json, counted from 1
	Field string // such as contributes.menus["editor/title"][0].title
	Text  string // %key%
	Key   string
}

// Translated returns package.json with the texts of package.nls.json, like vsce; the package
// comment has the rules. nls is nil if there is no package.nls.json. Line numbers do not change,
// unless a translation is an object or a list. If package.nls.json is invalid, Translated returns
// an error and the unchanged package.json.
func Translated(packageJSON, nls []byte) ([]byte, []Untranslated, error) {
	translations, err := parseTranslations(nls)
	if err != nil || translations == nil {
		return packageJSON, nil, err
	}
	if !json.Valid(packageJSON) { // also refuses objects that are too deeply nested for hujson
		return packageJSON, nil, errors.New("package.json is not JSON")
	}
	root, err := hujson.Parse(packageJSON)
	if err != nil {
		return packageJSON, nil, err
	}
	t := translator{source: packageJSON, translations: translations}
	t.walk(&root, "")
	return root.Pack(), t.missing, nil
}

// parseTranslations returns the translations by key as JSON, or nil if the text is empty. For a
// translation with comments for translators, {"message": "Hello", "comment": ["Greeting"]}, it
// returns the message.
func parseTranslations(nls []byte) (map[string]hujson.Literal, error) {
	nls = bytes.TrimPrefix(nls, bomUTF8)
	if len(bytes.TrimSpace(nls)) == 0 {
		return nil, nil
	}
	o, err := parseNLS(nls)
	if err != nil {
		return nil, err
	}
	translations := make(map[string]hujson.Literal, len(o.fields))
	for key, raw := range o.fields {
		translations[key] = hujson.Literal(raw)
		if message, ok := o.object(key).str("message"); ok {
			translations[key] = hujson.String(message)
		}
	}
	return translations, nil
}

func name(m hujson.ObjectMember) string {
	literal, _ := m.Name.Value.(hujson.Literal)
	return literal.String()
}

// translator replaces %key% in package.json.
type translator struct {
	source       []byte
	translations map[string]hujson.Literal // any value, not only what hujson calls a literal
	missing      []Untranslated
}

// placeholderForPacking matches the placeholders of vsce. A text whose key contains other
// characters, such as '-', is not a placeholder.
var placeholderForPacking = regexp.MustCompile(`^%([A-Za-z0-9_.]+)%$`)

// walk translates every text in v. path is the path of v in package.json. Translations are not
// translated again.
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
	if word, ok := t.translations[m[1]]; ok {
		v.Value = word
		return
	}
	line := 1 + bytes.Count(t.source[:v.StartOffset], []byte("\n"))
	t.missing = append(t.missing, Untranslated{line, path, text.String(), m[1]})
}

var plainKey = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

// memberPath returns the path of a member as in JavaScript: contributes.menus["editor/title"].
func memberPath(path, key string) string {
	switch {
	case !plainKey.MatchString(key):
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}
