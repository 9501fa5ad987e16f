package manifest

import (
	"encoding/json"
	"strings"
)

// ForPacking reads package.json, translated, for [Derive] to say what vsce says; the
// package comment has the rules. Whether it may be packed is not asked: name and
// version may be empty.
func ForPacking(packageJSON []byte) (*Package, error) {
	o, err := parseObject(packageJSON)
	if err != nil {
		return nil, err
	}
	o.exact = true
	return &Package{Publisher: o.identifier("publisher"), Name: o.identifier("name"), Version: o.identifier("version"), object: o}, nil
}

// identifier returns a field if it is a string.
func (o object) identifier(key string) string {
	s, _ := decode[string](o, key)
	return s
}

// printed returns what JavaScript makes of a value where it wants a text. Nothing
// comes of null, and of an object: "[object Object]" would tell a reader
// nothing.
func printed(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	return printValue(v)
}

func printValue(v any) string {
	switch v := v.(type) {
	case string:
		return strings.Map(keepAllowed, v)
	case []any:
		texts := make([]string, len(v))
		for i := range v {
			texts[i] = printValue(v[i])
		}
		return strings.Join(texts, ",")
	case bool, float64:
		text, _ := json.Marshal(v) // it writes numbers as JavaScript does
		return string(text)
	}
	return ""
}
