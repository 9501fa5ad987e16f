// Package history defines the history of a site or target: which generations became current, when,
// and why. It does no I/O.
//
// A history is a list of entries, numbered from 1. Each entry names the previous one, and never
// changes. The head of a history commits to all of its entries: its root is the root of a Merkle
// tree (RFC 6962, as in golang.org/x/mod/sumdb/tlog) whose leaves are the texts of the entries. So
// the entries between two heads show whether one history extends the other. A signed head proves
// to a client that the owner of the key made its generation current.
//
// A history belongs to a site or target, not to its content: the name of a generation does not
// depend on a history, and histories are never merged. If content was copied from another site or
// target, the sender, the entry names the head of the sender's history.
//
// # Entries
//
// An entry is the file private/history/<number>-<16 digits>.json with the first 16 hexadecimal
// digits of the SHA-256 of its text. It names people and reasons, so it must not be served. Its
// text is one line of JSON with the keys of [Entry]. A program keeps the text of an entry as it is,
// with keys that it does not know.
//
// The ID of a history is the SHA-256 of the text of its first entry. Histories whose first entries
// have the same text have the same ID, such as those of two builds of the same sources at the same
// time.
//
// # Heads
//
// A head is the file index/history/<number>-<16 digits>.head, with the number of entries and digits
// of the SHA-256 of the file. It is public. Its text is a checkpoint (c2sp.org/tlog-checkpoint):
//
//	galbuild/history/<64 digits>    the ID of the history
//	<number>                        the number of entries, in decimal
//	<44 characters>                 the root, in base64
//	generation <16 digits>          the generation that is current
//	catalog <64 digits>             the SHA-256 of its catalogue,
//	index <64 digits>               of its index,
//	private <64 digits>             of its private file; the line is missing if there is none
//	time <2006-01-02T15:04:05Z>     when the head was made
//	entry <64 digits>               the SHA-256 of the text of the last entry
//
// All digits are lower-case hexadecimal digits, all lines end with a newline, and no line is
// missing or in another place. If a head is signed, an empty line and one line for each signature
// follow (c2sp.org/signed-note, as in golang.org/x/mod/sumdb/note):
//
//	— minisign/<16 digits> <92 characters>
//
// The digits are the ID of a minisign key as minisign prints it, in upper case. The characters are
// the base64 of 4 bytes, which are the first of the SHA-256 of the key's name, a newline, the byte
// 1 and the 32 bytes of the Ed25519 public key, and of the 64 bytes of an Ed25519 signature of the
// text above the empty line. The same keys sign the listings of bundles, whose first line is never
// that of a head.
package history

import (
	"errors"
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"time"

	json2 "github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"

	"galbuild/build/blob"
	"galbuild/build/jsondoc"
)

// Entry is a generation that became current, and how.
type Entry struct {
	Number     int64     `json:"number"`
	Previous   blob.Ref  `json:"previous,omitzero"` // SHA-256 of the text of the previous entry; zero in the first one
	History    blob.Ref  `json:"history,omitzero"`  // ID of the history; zero in the first entry, see HistoryID
	When       time.Time `json:"when"`              // in whole seconds, UTC
	Generation string    `json:"generation"`        // 16 hexadecimal digits
	Catalog    blob.Ref  `json:"catalog"`
	Index      blob.Ref  `json:"index"`
	Private    blob.Ref  `json:"private,omitzero"` // zero if the generation has no private file
	Extensions int       `json:"extensions"`
	Versions   int       `json:"versions"`
	Command    string    `json:"command"` // such as "publish"
	By         string    `json:"by,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	Sender     *Sender   `json:"sender,omitempty"`  // of an import, pull or publish, whose content was copied
	Added      []Change  `json:"added,omitempty"`   // versions that the previous generation does not have
	Removed    []Change  `json:"removed,omitempty"` // versions that only the previous generation has
	// Hashes has the roots of the perfect subtrees of the tree before this entry, the largest
	// first. With them, the next root can be computed from the last entry alone.
	Hashes []tlog.Hash `json:"hashes,omitempty"`

	text string // see Text
}

// Change is a version that was added or removed.
type Change struct {
	Key    string   `json:"version"` // a catalog.Key
	SHA256 blob.Ref `json:"sha256"`  // of the package
}

// Sender is the head of the history of the site, target or bundle that content was copied from.
type Sender struct {
	History blob.Ref  `json:"history"` // its ID
	Number  int64     `json:"number"`  // of its last entry
	Root    tlog.Hash `json:"root"`
	// Generation and When are those of the head, so that messages can name them.
	Generation string    `json:"generation"`
	When       time.Time `json:"when"`
}

// ErrEntry is wrapped by the errors of ParseEntry and Append for an entry that no history can have.
var ErrEntry = errors.New("not a valid entry of a history")

var generationName = regexp.MustCompile(`^[0-9a-f]{16}$`)

// check reports what is wrong with an entry.
func (e *Entry) check() error {
	wrong := ""
	switch first := e.Number == 1; {
	case e.Number < 1:
		wrong = "its number is not positive"
	case e.Previous.IsZero() != first:
		wrong = "only the first entry has no previous one, and must have none"
	case e.History.IsZero() != first:
		wrong = "only the first entry does not name its history, and must not"
	case len(e.Hashes) != bits.OnesCount64(uint64(e.Number-1)):
		wrong = "it has a wrong number of hashes"
	case !generationName.MatchString(e.Generation):
		wrong = "the generation is not 16 hexadecimal digits"
	case e.Catalog.IsZero() || e.Index.IsZero():
		wrong = "the hash of the catalogue or index is missing"
	case e.When.Nanosecond() != 0 || e.When.Location() != time.UTC:
		wrong = "its time is not in whole seconds of UTC"
	case e.Sender != nil && (e.Sender.Number < 1 || e.Sender.History.IsZero()):
		wrong = "its sender has no number or no history"
	}
	if wrong != "" {
		return fmt.Errorf("%w: entry %d: %s", ErrEntry, e.Number, wrong)
	}
	return nil
}

// ParseEntry parses the text of an entry.
func ParseEntry(text []byte) (*Entry, error) {
	e := &Entry{text: string(text)}
	if err := json2.Unmarshal(text, e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEntry, jsondoc.Explain(text, err))
	}
	e.When = e.When.UTC()
	return e, e.check()
}

// Append returns the entry that follows previous, and the head of the history with it. It sets
// Number, Previous, History and Hashes of e. If previous is nil, a history begins. The time of the
// head is that of the entry.
func Append(previous *Entry, e Entry) (*Entry, Head, error) {
	e.Number, e.Previous, e.History, e.Hashes = 1, blob.Ref{}, blob.Ref{}, nil
	if previous != nil {
		e.Number, e.Previous, e.History = previous.Number+1, previous.SHA256(), previous.HistoryID()
		e.Hashes = previous.edge()
	}
	e.When = e.When.UTC().Truncate(time.Second)
	if err := e.check(); err != nil {
		return nil, Head{}, err
	}
	text, err := jsondoc.Line(e)
	if err != nil {
		return nil, Head{}, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	e.text = string(text)
	return &e, e.Head(), nil
}

// Text returns the text of an entry that Append or ParseEntry returned.
func (e *Entry) Text() []byte { return []byte(e.text) }

// SHA256 returns the hash of the text.
func (e *Entry) SHA256() blob.Ref { return blob.Sum(e.Text()) }

// HistoryID returns the ID of the history that the entry is in.
func (e *Entry) HistoryID() blob.Ref {
	if e.Number == 1 {
		return e.SHA256()
	}
	return e.History
}

// Path returns the path of the entry's file relative to the site.
func (e *Entry) Path() string { return EntryPath(e.Number, e.SHA256()) }

// Head returns the head of the history that ends with this entry. Its time is that of the entry.
func (e *Entry) Head() Head {
	return Head{
		History: e.HistoryID(), Number: e.Number, Root: root(e.edge()), When: e.When, Entry: e.SHA256(),
		Generation: e.Generation, Catalog: e.Catalog, Index: e.Index, Private: e.Private,
	}
}

// edge returns the roots of the perfect subtrees of the tree that ends with this entry.
func (e *Entry) edge() []tlog.Hash {
	edge := append(slices.Clone(e.Hashes), tlog.RecordHash(e.Text()))
	for n := e.Number; n%2 == 0; n /= 2 { // two subtrees of the same size become one
		last := len(edge) - 1
		edge = append(edge[:last-1], tlog.NodeHash(edge[last-1], edge[last]))
	}
	return edge
}

// root returns the root of the tree with these perfect subtrees, of which there is at least one.
func root(edge []tlog.Hash) tlog.Hash {
	last := len(edge) - 1
	hash := edge[last]
	for _, left := range slices.Backward(edge[:last]) {
		hash = tlog.NodeHash(left, hash)
	}
	return hash
}
