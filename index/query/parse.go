package query

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// Parse decodes the body of POST …/extensionquery. A body without filters asks
// for everything. The error says that the body is not a JSON object; nothing
// else is refused.
func Parse(body []byte) (Query, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if !opensObject(body) {
		return Query{}, errors.New("parse query: the body is not a JSON object")
	}
	o := newObject(string(body))
	q := Query{Flags: Flags(o.number("flags"))}
	for i, raw := range elements(o.get("filters")) {
		if i == MaxFilters {
			break
		}
		q.Filters = append(q.Filters, parseFilter(newObject(raw)))
	}
	if len(q.Filters) == 0 {
		q.Filters = []Filter{{Page: 1, Size: DefaultPageSize}}
	}
	return q, nil
}

// opensObject reports whether body begins as a JSON object does; how far it
// goes on is left to those who read its members.
func opensObject(body []byte) bool {
	if len(body) == 0 || body[0] != '{' {
		return false
	}
	rest := bytes.TrimLeft(body[1:], " \t\r\n")
	return len(rest) == 0 || rest[0] == '"' || rest[0] == '}'
}

func parseFilter(o object) Filter {
	f := Filter{
		Page:  max(1, int(min(o.number("pageNumber"), math.MaxInt32))),
		Size:  int(min(o.number("pageSize"), MaxPageSize)),
		Sort:  parseSort(o.number("sortBy")),
		Order: parseOrder(o.number("sortOrder")),
	}
	if f.Size < 1 {
		f.Size = DefaultPageSize
	}
	for _, raw := range elements(o.get("criteria")) {
		if c := newObject(raw); c.closed {
			f.add(c.number("filterType"), strings.TrimSpace(c.get("value").String()))
		}
	}
	// Who names extensions wants them all, whatever page size a script forgot to give.
	f.Size = min(max(f.Size, len(f.IDs)+len(f.Names)), MaxPageSize)
	return f
}

func parseSort(n int64) Sort {
	switch n {
	case 1, 2, 3, 4, 6, 10, 12:
		return Sort(n)
	case 5:
		return Released
	case 7, 8, 9:
		return InstallCount
	case 11:
		return Publisher
	}
	return Relevance
}

func parseOrder(n int64) Order {
	if n == 1 || n == 2 {
		return Order(n)
	}
	return DefaultOrder
}

// add notes one criterion. An empty id or name is kept and matches nothing:
// whoever asks for one extension must not get them all. Elsewhere an empty
// value says nothing.
func (f *Filter) add(kind int64, value string) {
	switch kind {
	case 4:
		f.IDs = append(f.IDs, value)
	case 7:
		f.Names = append(f.Names, value)
	case 9:
		f.Featured = true
	case 12:
		f.Exclude |= parseBits(value)
	case 13:
		f.Include |= parseBits(value)
	default:
		if list := f.list(kind); list != nil && value != "" {
			*list = append(*list, value)
		}
	}
}

// list returns where a criterion's text goes, nil for types that are ignored.
func (f *Filter) list(kind int64) *[]string {
	switch kind {
	case 1:
		return &f.Tags
	case 2:
		return &f.DisplayNames
	case 5:
		return &f.Categories
	case 8:
		return &f.Targets
	case 10:
		return &f.Text
	case 18:
		return &f.Publishers
	case 19:
		return &f.PublisherTitles
	case 23:
		return &f.Platforms
	case 24:
		return &f.ShortNames
	}
	return nil
}

// parseBits reads decimal flags; what is no number excludes and demands nothing.
func parseBits(s string) uint32 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// object is a JSON object that may have been cut off.
type object struct {
	raw    string
	closed bool
}

func newObject(raw string) object { return object{raw, closed(raw)} }

func (o object) get(key string) gjson.Result { return gjson.Get(o.raw, key) }

// number returns the member as a whole number, 0 if it is none. In an object
// that was cut off, a number at the very end may lack digits and counts as none.
func (o object) number(key string) int64 {
	r := o.get(key)
	if !o.closed && r.Index+len(r.Raw) == len(o.raw) {
		return 0
	}
	if r.Type == gjson.String {
		n, _ := strconv.ParseInt(strings.TrimSpace(r.Str), 10, 64)
		return n
	}
	return r.Int()
}

// elements returns the objects in an array.
func elements(array gjson.Result) []string {
	if !array.IsArray() {
		return nil
	}
	var all []string
	array.ForEach(func(_, v gjson.Result) bool {
		if v.IsObject() {
			all = append(all, v.Raw)
		}
		return true
	})
	return all
}

// closed reports whether every bracket that raw opens is closed again. It does
// not recurse: nesting costs a hostile body nothing but its own length.
func closed(raw string) bool {
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
	return depth == 0 && !quoted
}
