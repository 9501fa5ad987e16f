package index

// Document is what the index knows of one extension: keys to match and values to
// sort by. It knows nothing of packages or HTTP.
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
	Contributed    []string // other texts that people search for, such as titles of commands
	Platforms      []string // platforms of its versions; "universal" fits all
	Flags          uint32   // query.Public | …
	Featured       bool
	Installs       int64
	Rating         float64 // average, 0 to 5
	Ratings        int64   // how many
	Updated        int64   // Unix seconds
	Released       int64   // Unix seconds
}
