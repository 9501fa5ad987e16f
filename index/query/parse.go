package query

import (
	"bytes"
	"errors"
	"hash/maphash"
	"math"
	"strconv"
	"strings"
)

// Parse decodes the body of POST …/extensionquery. A body without filters matches
// everything. Parse returns an error only if the body is not a JSON object.
func Parse(body []byte) (Query, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if !startsObject(body) {
		return Query{}, errors.New("parse query: the body is not a JSON object")
	}
	var q Query
	r := reader{scanner: scanner{text: string(body)}, seed: maphash.MakeSeed()}
	complete := r.object(func(key string) {
		switch key {
		case "filters":
			r.objects(func() { q.addFilter(&r) })
		case "flags":
			q.Flags = Flags(r.number())
		default:
			r.skip()
		}
	})
	q.Truncated = !complete || r.at < len(r.text)
	if len(q.Filters) == 0 {
		q.Filters = []Filter{{Page: 1, Size: DefaultPageSize}}
	}
	return q, nil
}

// startsObject reports whether body begins like a JSON object. It does not check the rest.
func startsObject(body []byte) bool {
	if len(body) == 0 || body[0] != '{' {
		return false
	}
	rest := bytes.TrimLeft(body[1:], " \t\r\n")
	return len(rest) == 0 || rest[0] == '"' || rest[0] == '}'
}

func (q *Query) addFilter(r *reader) {
	if len(q.Filters) == MaxFilters {
		r.skip()
		return
	}
	q.Filters = append(q.Filters, r.filter())
}

func (r *reader) filter() Filter {
	f := Filter{Page: 1}
	r.seen.reset()
	r.seenNames = false
	r.sort = Relevance
	r.object(func(key string) {
		switch key {
		case "criteria":
			r.objects(func() { r.criterion(&f) })
		case "pageNumber":
			f.Page = max(1, int(min(r.number(), math.MaxInt32)))
		case "pageSize":
			f.Size = int(min(r.number(), MaxPageSize))
		case "sortBy":
			f.Sort = parseSort(r.number())
		case "sortOrder":
			f.Order = parseOrder(r.number())
		default:
			r.skip()
		}
	})
	if r.sort != Relevance {
		f.Sort = r.sort
	}
	if f.Size < 1 {
		f.Size = DefaultPageSize
	}
	// A request by id or name expects all of them, even if a script sends no page size.
	f.Size = max(f.Size, f.countNames())
	return f
}

// criterion reads a criterion, and adds it to f if it is complete.
func (r *reader) criterion(f *Filter) {
	var kind int64
	var value string
	complete := r.object(func(key string) {
		switch key {
		case "filterType":
			kind = r.number()
		case "value":
			value = r.value()
		default:
			r.skip()
		}
	})
	if complete {
		r.add(f, kind, value)
	}
}

func parseSort(n int64) Sort {
	switch n {
	case 1, 2, 3, 4, 6, 7, 8, 9, 10, 12:
		return Sort(n)
	case 5:
		return Released
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

// Filter types that the code refers to more than once.
const (
	kindTag      = 1
	kindID       = 4
	kindCategory = 5
	kindName     = 7
	kindText     = 10
)

// add adds one criterion to f. An empty id or name is added and matches nothing: a request
// for one extension must not return all of them. Other empty values are ignored.
func (r *reader) add(f *Filter, kind int64, value string) {
	switch kind {
	case kindID, kindName:
		r.addName(f, kind, value)
	case 9:
		f.Featured = true
	case kindText:
		r.readText(f, value)
	case 12:
		f.Exclude |= parseBits(value)
	case 13:
		f.Include |= parseBits(value)
	default:
		if list := f.list(kind); list != nil && strings.TrimSpace(value) != "" {
			r.addValue(list, kind, value)
		}
	}
}

// list returns the list for the values of a filter type, or nil if the type is ignored.
func (f *Filter) list(kind int64) *[]string {
	switch kind {
	case kindTag:
		return &f.Tags
	case 2:
		return &f.DisplayNames
	case kindCategory:
		return &f.Categories
	case 8:
		return &f.Targets
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

// parseBits parses decimal flags. Anything else is 0, which excludes and requires nothing.
func parseBits(s string) uint32 {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}
