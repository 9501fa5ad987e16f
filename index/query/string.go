package query

import (
	"fmt"
	"strings"
)

// String returns q on one line, for logs: the filters, separated by semicolons, and the
// flags. Default values are omitted.
func (q Query) String() string {
	var b strings.Builder
	for i := range q.Filters {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(q.Filters[i].String())
	}
	fmt.Fprintf(&b, " flags=%#x", uint32(q.Flags))
	return strings.TrimSpace(b.String())
}

// String returns f on one line.
func (f *Filter) String() string {
	var parts []string
	list := func(name string, values []string) {
		for _, v := range values {
			parts = append(parts, fmt.Sprintf("%s=%q", name, v))
		}
	}
	number := func(name string, n, ordinary int) {
		if n != ordinary {
			parts = append(parts, fmt.Sprintf("%s=%d", name, n))
		}
	}
	list("tag", f.Tags)
	list("title", f.DisplayNames)
	list("id", f.IDs)
	list("category", f.Categories)
	list("name", f.Names)
	list("target", f.Targets)
	if f.Featured {
		parts = append(parts, "featured")
	}
	list("text", f.Text)
	number("exclude", int(f.Exclude), 0)
	number("include", int(f.Include), 0)
	list("publisher", f.Publishers)
	list("publisher-title", f.PublisherTitles)
	list("platform", f.Platforms)
	list("short-name", f.ShortNames)
	if f.Sort != Relevance {
		parts = append(parts, "sort="+f.Sort.String())
	}
	number("order", int(f.Order), 0)
	number("page", f.Page, 1)
	number("size", f.Size, DefaultPageSize)
	return strings.Join(parts, " ")
}

// String returns the name of the order.
func (s Sort) String() string {
	switch s {
	case Relevance:
		return "relevance"
	case Updated:
		return "updated"
	case Title:
		return "title"
	case Publisher:
		return "publisher"
	case InstallCount:
		return "installs"
	case AverageRating:
		return "rating"
	case TrendingDaily:
		return "trending-daily"
	case TrendingWeekly:
		return "trending-weekly"
	case TrendingMonthly:
		return "trending-monthly"
	case Released:
		return "released"
	case WeightedRating:
		return "weighted-rating"
	}
	return fmt.Sprintf("sort(%d)", uint8(s))
}
