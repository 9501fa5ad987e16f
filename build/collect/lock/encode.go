package lock

import (
	"slices"
	"strings"

	"galbuild/build/jsondoc"
	"galbuild/build/visible"
)

// Encode returns the text of a lock. It sorts the entries and the companions.
func (l *Lock) Encode() ([]byte, error) {
	slices.SortFunc(l.Entries, Compare)
	slices.SortFunc(l.Companions, func(a, b Companion) int { return strings.Compare(a.Path, b.Path) })
	text := []byte(`{"galbuildLock":1,` + "\n" + `"settings":`)
	text, err := appendValue(text, l.Settings)
	if err != nil {
		return nil, err
	}
	text = append(text, ",\n"...)
	if text, err = appendList(text, "requests", l.Requests); err != nil {
		return nil, err
	}
	text = append(text, ",\n"...)
	if text, err = appendList(text, "entries", l.Entries); err != nil {
		return nil, err
	}
	text = append(text, ",\n"...)
	if text, err = appendList(text, "companions", l.Companions); err != nil {
		return nil, err
	}
	return escape(append(text, "}\n"...)), nil
}

// escape escapes invisible characters, which upstreams may state. They could hide in a review what
// a line says, or change the order in which it is shown. The JSON has the same meaning.
func escape(text []byte) []byte { return []byte(visible.Escape(string(text), "\n")) }

// appendList appends a key and a list with an item on each line.
func appendList[T any](text []byte, key string, all []T) ([]byte, error) {
	text = append(text, `"`+key+`":[`+"\n"...)
	for i := range all {
		var err error
		if text, err = appendValue(text, &all[i]); err != nil {
			return nil, err
		}
		if i < len(all)-1 {
			text = append(text, ',')
		}
		text = append(text, '\n')
	}
	return append(text, ']'), nil
}

// appendValue appends a value without a newline.
func appendValue(text []byte, v any) ([]byte, error) {
	text, err := jsondoc.AppendLine(text, v)
	if err != nil {
		return nil, err
	}
	return text[:len(text)-1], nil
}
