package gallery

import (
	"context"
	"fmt"

	"galbuild/build/jsondoc"
)

// Types of criteria.
const (
	filterCategory         = 5
	filterName             = 7 // publisher.name
	filterTarget           = 8
	filterText             = 10
	filterExcludeWithFlags = 12
)

// Orders of results.
const (
	sortRelevance = 0
	sortInstalls  = 4
)

// Flags of a query: what the response must have.
const (
	includeVersions           = 0x1
	includeFiles              = 0x2
	includeCategoryAndTags    = 0x4
	includeVersionProperties  = 0x10
	excludeNonValidated       = 0x20
	includeAssetURI           = 0x80
	includeStatistics         = 0x100
	includeLatestVersionsOnly = 0x200

	// allVersions are those with which editors request all versions.
	allVersions = includeVersions | includeFiles | includeCategoryAndTags | includeVersionProperties |
		excludeNonValidated | includeAssetURI | includeStatistics
	// listed are those for a list: editors also look at the categories.
	listed = includeCategoryAndTags | excludeNonValidated | includeLatestVersionsOnly
)

// A request is the body of a query.
type request struct {
	Filters    []filter `json:"filters"`
	AssetTypes []string `json:"assetTypes"`
	Flags      int      `json:"flags"`
}

type filter struct {
	Criteria   []criterion `json:"criteria"`
	PageNumber int         `json:"pageNumber"` // from 1
	PageSize   int         `json:"pageSize"`
	SortBy     int         `json:"sortBy"`
	SortOrder  int         `json:"sortOrder"` // 0 is that of SortBy
}

type criterion struct {
	FilterType int    `json:"filterType"`
	Value      string `json:"value"`
}

// newRequest returns a query with the criteria that editors always send.
func newRequest(f filter, flags int) request {
	f.Criteria = append(f.Criteria,
		criterion{filterTarget, "Microsoft.VisualStudio.Code"},
		criterion{filterExcludeWithFlags, "4096"}) // those that are not published any more
	return request{Filters: []filter{f}, AssetTypes: []string{}, Flags: flags}
}

// byID returns a query for all versions of an extension. It is for one extension only: servers
// limit responses, and galshim may leave out older versions of some of several.
func byID(id string) request {
	f := filter{Criteria: []criterion{{filterName, id}}, PageNumber: 1, PageSize: 1}
	return newRequest(f, allVersions)
}

// query sends a query. The first one also finds the service, while others wait.
func (c *Client) query(ctx context.Context, q request) (*result, error) {
	body, err := jsondoc.Line(q)
	if err != nil {
		return nil, err
	}
	c.lock.Lock()
	service := c.service
	if service == "" {
		defer c.lock.Unlock()
		return c.find(ctx, body)
	}
	c.lock.Unlock()
	return c.post(ctx, service, body)
}

// post sends the body of a query to a service.
func (c *Client) post(ctx context.Context, service string, body []byte) (*result, error) {
	text, err := c.requests.Post(ctx, service+queryPath, "application/json", body)
	if err != nil {
		return nil, err
	}
	found, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("the response of %s %w", service+queryPath, err)
	}
	return found, nil
}
