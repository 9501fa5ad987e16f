package query

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Parse decodes the body of POST …/extensionquery. A body without filters asks
// for everything. The error says that the body is not a JSON object; nothing
// else is refused.
func Parse(body []byte) (Query, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if !opensObject(body) {
		return Query{}, errors.New("parse query: the body is not a JSON object")
	}
	var q Query
	s := scanner{text: string(body)}
	whole := s.object(func(key string) {
		switch key {
		case "filters":
			s.objects(func() { q.addFilter(&s) })
		case "flags":
			q.Flags = Flags(s.number())
		default:
			s.skip()
		}
	})
	q.Cut = !whole || s.at < len(s.text)
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

func (q *Query) addFilter(s *scanner) {
	if len(q.Filters) == MaxFilters {
		s.skip()
		return
	}
	q.Filters = append(q.Filters, parseFilter(s))
}

func parseFilter(s *scanner) Filter {
	f := Filter{Page: 1}
	s.object(func(key string) {
		switch key {
		case "criteria":
			s.objects(func() { f.parseCriterion(s) })
		case "pageNumber":
			f.Page = max(1, int(min(s.number(), math.MaxInt32)))
		case "pageSize":
			f.Size = int(min(s.number(), MaxPageSize))
		case "sortBy":
			f.Sort = parseSort(s.number())
		case "sortOrder":
			f.Order = parseOrder(s.number())
		default:
			s.skip()
		}
	})
	if f.Size < 1 {
		f.Size = DefaultPageSize
	}
	// Who names extensions wants them all, whatever page size a script forgot to give.
	f.Size = min(max(f.Size, len(f.IDs)+len(f.Names)), MaxPageSize)
	return f
}

// parseCriterion notes a criterion if it is all there.
func (f *Filter) parseCriterion(s *scanner) {
	var kind int64
	var value string
	whole := s.object(func(key string) {
		switch key {
		case "filterType":
			kind = s.number()
		case "value":
			value = s.value()
		default:
			s.skip()
		}
	})
	if whole {
		f.add(kind, strings.TrimSpace(value))
	}
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
		f.IDs = appendName(f.IDs, value)
	case 7:
		f.Names = appendName(f.Names, value)
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

// appendName makes room for many at the second: who names two is checking what is
// installed.
func appendName(names []string, name string) []string {
	if len(names) == 1 {
		names = slices.Grow(names, 63)
	}
	return append(names, name)
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
