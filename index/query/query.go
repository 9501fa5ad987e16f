// Package query decodes queries to the gallery. It does no I/O.
//
// The body of POST …/extensionquery has a list of filters. Each filter has criteria, an order
// and a page, and the response has one result set for each filter. [Parse] is lenient where
// editors and scripts are known to be careless: numbers may be strings, criteria may lack a
// value, unknown filter types are ignored, and a truncated body is read up to its last
// complete criterion. It only refuses a body that is not a JSON object.
//
// Criteria of the same type are alternatives. Criteria of different types must all match,
// except that ids (4) and names (7) are one type. Target, ExcludeWithFlags and
// IncludeWithFlags restrict the results.
//
// # Operators in texts
//
// Texts may contain the operators that people type into VS Code: @category:x, @tag:x, @ext:x
// and @id:x become criteria, the first three also without the @; @featured, @popular,
// @recentlyPublished, @web and @sort:x have the same effect as in VS Code. Values may be in
// quotation marks. Operators that editors apply themselves, such as @installed, are dropped.
// All other operators remain in the text.
//
// # Limits
//
// limits.go lists the limits of a query: the page size, and the number and length of filters,
// values and texts. Exceeding them is not an error. A page size that is too large is reduced.
// Excess values are dropped, but as if they matched nothing, so that a filter does not find
// more without them. Long values are truncated. Excess texts and filters are ignored. Repeated
// values count once. Parsing takes time and memory in proportion to the body. The strings of
// the query share one copy of the body.
//
// # Truncated bodies
//
// VS Code itself sends truncated bodies: its Content-Length counts UTF-16 units, so if the
// search text is not ASCII, the last bytes of the body are missing. A number at the end of such
// a body may lack digits and is ignored.
package query

// Query is the body of one POST …/extensionquery.
type Query struct {
	Filters   []Filter // at least one from Parse
	Flags     Flags
	Truncated bool // the body ended before its JSON was complete, or had bytes after it
}

// Filter is one element of filters[]. The zero value matches everything. Strings are as
// sent, without surrounding space, and are compared without regard to case.
type Filter struct {
	Tags             []string // 1
	DisplayNames     []string // 2: the whole display name
	IDs              []string // 4: extensionId, or publisher.name as in code-marketplace
	Categories       []string // 5
	Names            []string // 7: publisher.name
	Targets          []string // 8
	Featured         bool     // 9
	Text             []string // 10: with publisher:"x" and "phrases"; all texts must match
	Exclude, Include uint32   // 12, 13: PublishedExtensionFlags
	Publishers       []string // 18
	PublisherTitles  []string // 19: the publisher's display name
	Platforms        []string // 23
	ShortNames       []string // 24: the name without the publisher

	Page  int // from 1; less means 1
	Size  int // 1 to MaxPageSize, or the number of ids and names if that is larger
	Sort  Sort
	Order Order
}

// Flags select the content of a response (ExtensionQueryFlags).
type Flags uint32

// The flags that change a response. All others are accepted and ignored.
const (
	IncludeVersions           Flags = 0x1
	IncludeLatestOnly         Flags = 0x200
	IncludeLatestPreAndStable Flags = 0x10000
)

// Sort is the order of results.
type Sort uint8

// The values of sortBy. 5 and 10 are both the release date. 11 (author) is read as Publisher, and
// unknown values as Relevance.
const (
	Relevance       Sort = 0
	Updated         Sort = 1
	Title           Sort = 2
	Publisher       Sort = 3
	InstallCount    Sort = 4
	AverageRating   Sort = 6
	TrendingDaily   Sort = 7
	TrendingWeekly  Sort = 8
	TrendingMonthly Sort = 9
	Released        Sort = 10
	WeightedRating  Sort = 12
)

// Order is the direction of a [Sort]. The default is descending for counts, ratings and
// dates, and ascending for titles and publishers. Relevance has one direction only.
type Order uint8

// The values of sortOrder.
const (
	DefaultOrder Order = 0
	Ascending    Order = 1
	Descending   Order = 2
)

// Bits of PublishedExtensionFlags, the values of criteria 12 and 13.
const (
	Validated   uint32 = 4
	Public      uint32 = 256
	Preview     uint32 = 2048
	Unpublished uint32 = 4096
)
