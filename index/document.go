package index

// Document is what the index stores about one extension: values to match, texts to search
// and numbers to sort by.
type Document struct {
	ID             string // publisher.name as declared; matched without regard to case
	UUID           string // extensionId
	Name           string // without the publisher
	Publisher      string // publisher name
	PublisherTitle string // publisher display name
	Title          string // display name
	Description    string
	Categories     []string
	Tags           []string
	Contributed    []string // other searchable texts, such as the titles of commands
	Platforms      []string // of its versions; "universal" matches every platform
	Flags          uint32   // query.Public | …
	Featured       bool
	Installs       int64
	Rating         float64 // average, 0 to 5
	Ratings        int64   // number of ratings
	Updated        int64   // Unix seconds
	Released       int64   // Unix seconds
	Use            Use
}

// Use are numbers of a document that most galleries do not have.
type Use struct {
	Downloads int64
	// Installs of the last day, the last week and the last month.
	Daily, Weekly, Monthly int64
}
