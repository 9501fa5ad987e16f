// Package query holds one question to the gallery, decoded.
//
// A body of POST …/extensionquery has a list of filters, and each filter is
// answered by one result set. Parse is lenient where editors and scripts are
// known to be careless: numbers may be strings, criteria may lack a value,
// unknown filter types are dropped, a body cut off behind its last complete
// criterion is read up to there. Only a body that is no JSON object is refused.
//
// Criteria of one type are alternatives; different types must all hold, except
// that ids (4) and names (7) form one set. Target, ExcludeWithFlags and
// IncludeWithFlags restrict. The package does no I/O.
//
// # Operators in texts
//
// Texts may hold the operators that people type into VS Code: @category:x, @tag:x, @ext:x and
// @id:x become criteria, the first three without the @ too; @featured, @popular,
// @recentlyPublished, @web and @sort:x mean what they mean there. Values may be in quotation
// marks. Operators that editors answer by themselves, such as @installed, are dropped. All
// others remain in the text.
//
// # Limits
//
// limits.go lists the limits of a query: page size, and the number and length of filters,
// values and texts. Exceeding them is not an error. A page size that is too large is
// reduced. Excess values are dropped as if they matched nothing, so that the filter does
// not find more without them. Long values are cut. Excess texts and filters are ignored.
// Repeated values count once. Parsing takes time and memory in proportion to the body, and
// the strings of the query share one copy of the body.
//
// # Truncated bodies
//
// VS Code itself sends them: its Content-Length counts UTF-16 units, so if the search text is
// not ASCII, the last bytes of the body are lost. A number at the end of such a body may have
// lost digits and is ignored.
package query

// Query is one POST …/extensionquery.
type Query struct {
	Filters []Filter // at least one from Parse
	Flags   Flags
	Cut     bool // the body ended before its JSON did, or went on behind it
}

// Filter is one element of filters[]; the zero value asks for everything.
// Strings are as sent, but trimmed; they are compared without regard to case.
type Filter struct {
	Tags             []string // 1
	DisplayNames     []string // 2: text, the whole display name
	IDs              []string // 4: extensionId; also publisher.name, as code-marketplace has it
	Categories       []string // 5
	Names            []string // 7: publisher.name
	Targets          []string // 8
	Featured         bool     // 9
	Text             []string // 10: free text without operators, may hold publisher:"x" and "phrases"; all must match
	Exclude, Include uint32   // 12, 13: PublishedExtensionFlags
	Publishers       []string // 18
	PublisherTitles  []string // 19: the publisher's display name
	Platforms        []string // 23
	ShortNames       []string // 24: the name without the publisher

	Page  int // from 1; less is read as 1
	Size  int // 1 to MaxPageSize, but not less than there are ids and names
	Sort  Sort
	Order Order
}

// Flags say what an answer holds (ExtensionQueryFlags).
type Flags uint32

// The flags that change an answer; the others are accepted and ignored.
const (
	IncludeVersions           Flags = 0x1
	IncludeLatestOnly         Flags = 0x200
	IncludeLatestPreAndStable Flags = 0x10000
)

// Sort is the order of a result.
type Sort uint8

// The numbers are the wire's. 5 and 10 are both the release date; 7 to 9
// (trending) are read as InstallCount, 11 (author) as Publisher, and what is
// unknown as Relevance.
const (
	Relevance      Sort = 0
	Updated        Sort = 1
	Title          Sort = 2
	Publisher      Sort = 3
	InstallCount   Sort = 4
	AverageRating  Sort = 6
	Released       Sort = 10
	WeightedRating Sort = 12
)

// Order is the direction of a sort. Default is descending for counts, ratings
// and dates, ascending for titles and publishers. Relevance has one direction.
type Order uint8

// The numbers are the wire's.
const (
	DefaultOrder Order = 0
	Ascending    Order = 1
	Descending   Order = 2
)

// PublishedExtensionFlags bits, the values of criteria 12 and 13.
const (
	Validated   uint32 = 4
	Public      uint32 = 256
	Preview     uint32 = 2048
	Unpublished uint32 = 4096
)
