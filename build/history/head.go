package history

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"galbuild/build/blob"
)

// Head is the state of a history after one of its entries. Heads can be compared with ==, which
// also compares signatures; see Same.
type Head struct {
	History    blob.Ref
	Number     int64 // of entries, and the number of the last one
	Root       tlog.Hash
	Generation string
	Catalog    blob.Ref
	Index      blob.Ref
	Private    blob.Ref // zero if the generation has no private file
	When       time.Time
	Entry      blob.Ref // SHA-256 of the text of the last entry

	signed string // the whole file with its signatures, or "" if there are none
}

// MaxHead is the largest size of the file of a head in bytes.
const MaxHead = 8 << 10

// Errors of Verify and Consistent.
var (
	ErrUnsigned     = errors.New("the head of the history is not signed")
	ErrUntrusted    = errors.New("the head of the history is not signed by a trusted key")
	ErrInconsistent = errors.New("the histories are not consistent")
)

// HeadDir and EntryDir are the folders of heads and entries relative to the site.
const (
	HeadDir  = "index/history/"
	EntryDir = "private/history/"
)

// HeadPath returns the path of a head's file relative to the site. The hash is that of the file.
func HeadPath(number int64, sum blob.Ref) string {
	return fmt.Sprintf("%s%d-%s.head", HeadDir, number, sum.String()[:16])
}

// EntryPath returns the path of an entry's file relative to the site. The hash is that of the file.
func EntryPath(number int64, sum blob.Ref) string {
	return fmt.Sprintf("%s%d-%s.json", EntryDir, number, sum.String()[:16])
}

const origin = "galbuild/history/"

// text returns the text of the head without signatures.
func (h Head) text() []byte {
	text := fmt.Appendf(nil, "%s%s\n%d\n%s\n", origin, h.History, h.Number, base64.StdEncoding.EncodeToString(h.Root[:]))
	text = fmt.Appendf(text, "generation %s\ncatalog %s\nindex %s\n", h.Generation, h.Catalog, h.Index)
	if !h.Private.IsZero() {
		text = fmt.Appendf(text, "private %s\n", h.Private)
	}
	return fmt.Appendf(text, "time %s\nentry %s\n", h.When.UTC().Format(time.RFC3339), h.Entry)
}

// File returns the file of the head, with the signatures that it was parsed with.
func (h Head) File() []byte {
	if h.signed != "" {
		return []byte(h.signed)
	}
	return h.text()
}

// Sign returns the head with signatures of the signers in place of those that it has. Without
// signers it is not signed.
func (h Head) Sign(signers ...note.Signer) (Head, error) {
	h.signed = ""
	if len(signers) == 0 {
		return h, nil
	}
	file, err := note.Sign(&note.Note{Text: string(h.text())}, signers...)
	if err != nil {
		return Head{}, fmt.Errorf("sign the head of the history: %w", err)
	}
	h.signed = string(file)
	return h, nil
}

var headText = regexp.MustCompile(`^` + origin + `([0-9a-f]{64})\n([1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)` +
	`\ngeneration ([0-9a-f]{16})\ncatalog ([0-9a-f]{64})\nindex ([0-9a-f]{64})\n(?:private ([0-9a-f]{64})\n)?` +
	`time ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)\nentry ([0-9a-f]{64})\n$`)

// ParseHead parses the file of a head. It refuses every file that File does not return. It does not
// verify signatures; see Verify.
func ParseHead(file []byte) (Head, error) {
	if len(file) > MaxHead {
		return Head{}, fmt.Errorf("head of a history: longer than %d bytes", MaxHead)
	}
	text, signed := string(file), ""
	if bytes.Contains(file, []byte("\n\n")) {
		_, err := note.Open(file, note.VerifierList())
		unverified, ok := errors.AsType[*note.UnverifiedNoteError](err)
		if !ok {
			return Head{}, errors.New("head of a history: its signatures are malformed")
		}
		text, signed = unverified.Note.Text, string(file)
	}
	h, err := parseText(text)
	if err != nil {
		return Head{}, fmt.Errorf("head of a history: %w", err)
	}
	h.signed = signed
	return h, nil
}

func parseText(text string) (h Head, err error) {
	m := headText.FindStringSubmatch(text)
	if m == nil {
		return Head{}, errors.New("lines are missing, unknown or in another order")
	}
	if h.Number, err = strconv.ParseInt(m[2], 10, 64); err != nil {
		return Head{}, err
	}
	if h.Root, err = tlog.ParseHash(m[3]); err != nil {
		return Head{}, err
	}
	if h.When, err = time.Parse(time.RFC3339, m[8]); err != nil {
		return Head{}, err
	}
	h.Generation = m[4]
	for field, digits := range map[*blob.Ref]string{&h.History: m[1], &h.Catalog: m[5], &h.Index: m[6], &h.Private: m[7], &h.Entry: m[9]} {
		if digits == "" {
			continue
		}
		if *field, err = blob.Parse(digits); err != nil {
			return Head{}, err
		}
	}
	if string(h.text()) != text {
		return Head{}, errors.New("a value is not in the form in which it is written")
	}
	return h, nil
}

// IsSigned reports whether the head has signatures. They may be wrong.
func (h Head) IsSigned() bool { return h.signed != "" }

// Verify returns an error that wraps ErrUnsigned or ErrUntrusted unless one of the keys has signed
// the head.
func (h Head) Verify(keys ...note.Verifier) error {
	if !h.IsSigned() {
		return ErrUnsigned
	}
	for _, key := range keys {
		if n, err := note.Open([]byte(h.signed), note.VerifierList(key)); err == nil && n.Text == string(h.text()) {
			return nil
		}
	}
	return ErrUntrusted
}

// Same reports whether two heads are the same state of the same history. They may have been made
// at different times and signed by different keys.
func (h Head) Same(other Head) bool {
	h.When, h.signed, other.When, other.signed = time.Time{}, "", time.Time{}, ""
	return h == other
}

// Consistent returns an error that wraps ErrInconsistent unless the history with the head newer
// extends the one with the head older, which means that it begins with the same entries. The
// entries are those that follow the older head, in their order. If older is the zero head, they are
// all entries.
func Consistent(older, newer Head, entries iter.Seq2[*Entry, error]) error {
	if older.Number > 0 && older.History != newer.History {
		return fmt.Errorf("%w: the heads are of different histories, %s and %s", ErrInconsistent, older.History, newer.History)
	}
	if older.Number > newer.Number {
		return fmt.Errorf("%w: the history has %d entries, fewer than the %d of the other head", ErrInconsistent, newer.Number, older.Number)
	}
	last := older
	var edge []tlog.Hash // of the tree before the next entry; nil before the first one
	for e, err := range entries {
		if err != nil {
			return err
		}
		if last.Number == newer.Number {
			return fmt.Errorf("%w: there are more entries than the %d of the head", ErrInconsistent, newer.Number)
		}
		if err := follows(last, edge, e, newer.History); err != nil {
			return err
		}
		last, edge = e.Head(), e.edge()
	}
	if last.Number < newer.Number {
		return fmt.Errorf("%w: entry %d is missing", ErrInconsistent, last.Number+1)
	}
	if !last.Same(newer) {
		return fmt.Errorf("%w: entry %d is not the one that the head names", ErrInconsistent, newer.Number)
	}
	return nil
}

// follows checks that e is the entry after the head last, with the subtrees edge if they are known.
func follows(last Head, edge []tlog.Hash, e *Entry, id blob.Ref) error {
	switch {
	case e.Number != last.Number+1:
		return fmt.Errorf("%w: entry %d follows entry %d", ErrInconsistent, e.Number, last.Number)
	case e.HistoryID() != id:
		return fmt.Errorf("%w: entry %d is of another history", ErrInconsistent, e.Number)
	case e.Previous != last.Entry:
		return fmt.Errorf("%w: entry %d follows a different entry %d", ErrInconsistent, e.Number, last.Number)
	case edge != nil && !slices.Equal(edge, e.Hashes), len(e.Hashes) > 0 && root(e.Hashes) != last.Root:
		return fmt.Errorf("%w: the hashes of entry %d are not those of the entries before it", ErrInconsistent, e.Number)
	}
	return nil
}
