package openvsx

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/upstream"
)

// window is how many results of a search can be read: the server returns an empty list, and a total
// size of zero, if offset and size are more than this together.
//
// Source: maxResultWindow in
// https://github.com/eclipse-openvsx/openvsx/blob/16e55b4d2acdc9acc53c5e0b3785ade8ab6177ae/server/src/main/java/org/eclipse/openvsx/search/ElasticSearchService.java
const window = 10_000

// List implements [upstream.Upstream]. Results of a search are in the order of their relevance,
// into which Open VSX counts downloads, and all other lists in that of their downloads.
func (c *Client) List(ctx context.Context, l upstream.Listing) ([]string, error) {
	if l.Top < 0 {
		return nil, fmt.Errorf("%d extensions cannot be listed", l.Top)
	}
	if l.Publisher != "" && l.Search == "" && l.Category == "" {
		return c.publisher(ctx, l)
	}
	return c.search(ctx, l)
}

// search returns results of a search. The server cannot restrict it to a publisher.
func (c *Client) search(ctx context.Context, l upstream.Listing) ([]string, error) {
	parameters := url.Values{"sortBy": {"downloadCount"}}
	for key, value := range map[string]string{"query": l.Search, "category": l.Category} {
		if value != "" {
			parameters.Set(key, value)
		}
	}
	if l.Search != "" {
		parameters.Set("sortBy", "relevance")
	}
	found := list{top: l.Top}
	offset := 0
	for pages := 0; offset < window; pages++ {
		if pages == maxPages {
			return nil, c.tooLong()
		}
		p, err := c.results(ctx, parameters, offset, l)
		if err != nil {
			return nil, err
		}
		offset += len(p.Extensions)
		for _, r := range p.Extensions {
			if l.Publisher == "" || strings.EqualFold(r.Namespace, l.Publisher) {
				found.add(r.Namespace, r.Name)
			}
		}
		if found.isFull() || len(p.Extensions) == 0 || offset >= p.TotalSize {
			return found.ids, nil
		}
	}
	c.log.Warn("the registry lists only the first results of a search",
		"upstream", c.Name(), "results", window)
	return found.ids, nil
}

// results requests a page of results. It has as many as are needed, if no others are left out.
func (c *Client) results(ctx context.Context, parameters url.Values, offset int, l upstream.Listing) (page, error) {
	size := min(maxPage, window-offset)
	if l.Top > 0 && l.Publisher == "" {
		size = min(size, l.Top)
	}
	parameters.Set("size", strconv.Itoa(size))
	parameters.Set("offset", strconv.Itoa(offset))
	var p page
	err := c.get(ctx, c.uncached(), "/api/-/search", parameters, &p)
	return p, err
}

// publisher returns the extensions of a publisher, the most downloaded first.
func (c *Client) publisher(ctx context.Context, l upstream.Listing) ([]string, error) {
	all, err := c.query(ctx, url.Values{"namespaceName": {l.Publisher}, "includeAllVersions": {"false"}})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.Publisher, err)
	}
	all = slices.DeleteFunc(all, func(r release) bool { return !strings.EqualFold(r.Namespace, l.Publisher) })
	if len(all) == 0 {
		return nil, fmt.Errorf("the publisher %s: %w on %s", l.Publisher, upstream.ErrNotFound, c.base.Host)
	}
	slices.SortStableFunc(all, func(a, b release) int {
		return cmp.Or(cmp.Compare(b.DownloadCount, a.DownloadCount), strings.Compare(a.Name, b.Name))
	})
	found := list{top: l.Top}
	for _, r := range all {
		if r.Downloadable == nil || *r.Downloadable {
			found.add(r.Namespace, r.Name)
		}
	}
	return found.ids, nil
}

// uncached returns requests that do not store responses, because nothing requests them again.
func (c *Client) uncached() upstream.Requests {
	r := c.requests
	r.Cache = ""
	return r
}

// list is a list of different ids, up to a number.
type list struct {
	top int // 0 is no limit
	ids []string
	has map[string]bool
}

func (l *list) isFull() bool { return l.top > 0 && len(l.ids) >= l.top }

// add adds an id to the list. What cannot be an id is left out.
func (l *list) add(publisher, name string) {
	id := publisher + "." + name
	if l.isFull() || l.has[strings.ToLower(id)] || catalog.CheckID(publisher, name) != nil {
		return
	}
	if l.has == nil {
		l.has = map[string]bool{}
	}
	l.has[strings.ToLower(id)] = true
	l.ids = append(l.ids, id)
}
