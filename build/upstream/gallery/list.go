package gallery

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/upstream"
)

// Limits of a list. code-marketplace refuses pages of more than 200.
const (
	pageSize = 100
	maxPages = 5000
)

// List implements [upstream.Upstream]. The query has one criterion, because code-marketplace
// returns what matches any of several. The others are applied here.
func (c *Client) List(ctx context.Context, l upstream.Listing) ([]string, error) {
	f, err := filterOf(l)
	if err != nil {
		return nil, err
	}
	var ids []string
	seen := map[string]bool{}
	for f.PageNumber = 1; f.PageNumber <= maxPages && len(seen) < maxPages*pageSize; f.PageNumber++ {
		page, err := c.query(ctx, newRequest(f, listed))
		if err != nil {
			return nil, err
		}
		before := len(seen)
		for i := range page.extensions {
			e := &page.extensions[i]
			if key := strings.ToLower(e.id()); !seen[key] {
				seen[key] = true
				if matches(e, l) {
					ids = append(ids, e.id())
				}
			}
			if len(ids) == l.Top && l.Top > 0 {
				return ids, nil
			}
		}
		if len(seen) == before || page.total > 0 && f.PageNumber*pageSize >= page.total {
			return ids, nil
		}
	}
	return nil, fmt.Errorf("%s lists more than %d extensions, which is the limit; restrict the list",
		c.address, maxPages*pageSize)
}

// filterOf returns the filter of a query for a list, without its page.
func filterOf(l upstream.Listing) (filter, error) {
	f := filter{PageSize: pageSize, SortBy: sortInstalls}
	switch {
	case l.Search != "":
		f.SortBy = sortRelevance
		f.Criteria = []criterion{{filterText, l.Search}}
	case l.Publisher != "":
		if err := catalog.CheckID(l.Publisher, "name"); err != nil {
			return f, err
		}
		f.Criteria = []criterion{{filterText, `publisher:"` + l.Publisher + `"`}}
	case l.Category != "":
		f.Criteria = []criterion{{filterCategory, l.Category}}
	}
	return f, nil
}

// matches reports whether an extension matches the publisher and the category of a list.
func matches(e *extension, l upstream.Listing) bool {
	return (l.Publisher == "" || strings.EqualFold(e.Publisher.PublisherName, l.Publisher)) &&
		(l.Category == "" || slices.ContainsFunc(e.Categories, func(c string) bool { return strings.EqualFold(c, l.Category) }))
}
