package manifest

import (
	"encoding/json"
	"strings"
)

// ForPacking parses a translated package.json, so that [Derive] returns the same as vsce. The
// package comment has the rules. ForPacking does not check the values: name and version may be
// empty.
func ForPacking(packageJSON []byte) (*Package, error) {
	o, err := parseObject(packageJSON)
	if err != nil {
		return nil, err
	}
	o.exact = true
	return &Package{
		Publisher: o.identifier("publisher"), Name: o.identifier("name"),
		Version: o.identifier("version"), object: o,
	}, nil
}

// identifier returns the untranslated value of a field that is a string, or "".
func (o object) identifier(key string) string {
	s, _ := decode[string](o, key)
	return s
}

// printed converts a value to a string like JavaScript. For null and for objects, it returns "",
// because "[object Object]" would be useless.
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
