package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	json2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"galbuild/build/blob"
)

// Record is a statement about a subject that a catalogue keeps, such as the decision that a version
// was removed. Package decision defines what the kinds of decisions mean. Records never change. A
// program keeps records of kinds that it does not know, and keys that it does not know, as they
// are.
//
// A record has a public part, which is in the catalogue, and a private part, which is in another
// file of the generation. Its ID depends on both.
type Record struct {
	ID      blob.Ref  `json:"id"` // see Identity
	Kind    string    `json:"kind"`
	Subject Subject   `json:"subject"`
	Counter int64     `json:"counter"` // larger than that of every record that its author had seen
	When    time.Time `json:"when"`
	Use     string    `json:"use,omitempty"` // lower-case id of the extension to use instead

	Scanner string `json:"scanner,omitempty"` // of a verdict: the name of the program
	Result  string `json:"result,omitempty"`  // of a verdict: clean, found or failed

	// Key is the ID of the minisign key that signs it, in hexadecimal, or "". Two people who
	// say the same have different records.
	Key string `json:"key,omitempty"`
	// Signature is a minisign signature of the text of SignedText, as in a .minisig file, or
	// "". Neither Identity nor SignedText depends on it.
	Signature string `json:"signature,omitempty"`

	Other   map[string]jsontext.Value `json:",embed"` // public keys that this program does not know
	Private *Private                  `json:"-"`      // nil if it is not known
}

// Private is the private part of a record.
type Private struct {
	ID     blob.Ref `json:"id,omitzero"` // of the record; set only in a file
	By     string   `json:"by"`
	Reason string   `json:"reason,omitempty"`
	Output string   `json:"output,omitempty"` // of a verdict: the beginning of what the scanner printed

	Other map[string]jsontext.Value `json:",embed"` // keys that this program does not know
}

// Subject is what a record is about: an extension, some of its versions, or the package with a
// hash. As text, it is the id in lower case, or sha256: and the hash.
type Subject struct {
	ID
	SHA256 blob.Ref // of the package; zero if the subject has an id
}

// hashPrefix precedes the hash in the text of a subject.
const hashPrefix = "sha256:"

// ParseSubject parses the text of a subject, in any case of letters.
func ParseSubject(s string) (Subject, error) {
	if hash, ok := strings.CutPrefix(strings.ToLower(s), hashPrefix); ok {
		ref, err := blob.Parse(hash)
		if err != nil {
			return Subject{}, fmt.Errorf("%.200q: want %s and 64 hexadecimal digits", s, hashPrefix)
		}
		return Subject{SHA256: ref}, nil
	}
	id, err := ParseID(strings.ToLower(s))
	if err != nil {
		return Subject{}, err
	}
	if !strings.Contains(id.Extension, ".") {
		return Subject{}, fmt.Errorf("%.200q: the publisher is missing: %s", s, wantID)
	}
	return Subject{ID: id}, nil
}

// String returns the text of the subject.
func (s Subject) String() string {
	if !s.SHA256.IsZero() {
		return hashPrefix + s.SHA256.String()
	}
	return s.ID.String()
}

// MarshalText implements [encoding.TextMarshaler].
func (s Subject) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. It refuses other texts than String returns.
func (s *Subject) UnmarshalText(text []byte) error {
	parsed, err := ParseSubject(string(text))
	if err == nil && parsed.String() != string(text) {
		err = fmt.Errorf("subject %.200q: want %q", text, parsed)
	}
	*s = parsed
	return err
}

// MarshalJSON implements [json.Marshaler]. It encodes the public part.
func (r Record) MarshalJSON() ([]byte, error) {
	type plain Record
	return json2.Marshal(plain(r), json2.Deterministic(true))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (r *Record) UnmarshalJSON(text []byte) error {
	type plain Record
	return json2.Unmarshal(text, (*plain)(r))
}

// MarshalJSON implements [json.Marshaler].
func (p Private) MarshalJSON() ([]byte, error) {
	type plain Private
	return json2.Marshal(plain(p), json2.Deterministic(true))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *Private) UnmarshalJSON(text []byte) error {
	type plain Private
	return json2.Unmarshal(text, (*plain)(p))
}

// Identity returns the ID of a record: the SHA-256 of the object {"private":…,"public":…} in
// canonical form (RFC 8785). The public part is without its id and its signature.
func (r *Record) Identity() (blob.Ref, error) {
	public := *r
	public.ID, public.Signature = blob.Ref{}, ""
	text, err := json2.Marshal(map[string]any{"public": public, "private": r.Private})
	if err != nil {
		return blob.Ref{}, err
	}
	canonical := jsontext.Value(text)
	if err := canonical.Canonicalize(); err != nil {
		return blob.Ref{}, err
	}
	return blob.Sum(canonical), nil
}

// signedPrefix begins the text that is signed, so that no other text with a signature is one.
const signedPrefix = "galbuild record\n"

// SignedText returns the text that the signature of a record is for: a line "galbuild record", and
// the public part without the signature in canonical form (RFC 8785). The id in it commits to the
// private part, so that whoever knows only the public part can verify that.
func (r *Record) SignedText() ([]byte, error) {
	public := *r
	public.Signature = ""
	text, err := json2.Marshal(public)
	if err != nil {
		return nil, err
	}
	canonical := jsontext.Value(text)
	if err := canonical.Canonicalize(); err != nil {
		return nil, err
	}
	return append([]byte(signedPrefix), canonical...), nil
}

// Limits of a record.
const (
	maxKind    = 40
	maxCounter = 1 << 53 // numbers of canonical JSON are exact up to here
	maxBy      = 200     // bytes
	maxReason  = 4 << 10 // bytes
	maxSigned  = 1 << 10 // bytes of a signature
)

// Check refuses an invalid record. Read calls it.
func (r *Record) Check() error {
	switch {
	case r.ID.IsZero():
		return errors.New("record: the id is missing")
	case r.Kind == "" || len(r.Kind) > maxKind || strings.ContainsFunc(r.Kind, func(c rune) bool { return (c < 'a' || c > 'z') && c != '-' }):
		return fmt.Errorf("record %s: kind %.100q: want lower-case letters and '-'", r.ID, r.Kind)
	case r.Subject == Subject{}:
		return fmt.Errorf("record %s: the subject is missing", r.ID)
	case r.Counter < 1 || r.Counter >= maxCounter:
		return fmt.Errorf("record %s: counter: want 1 to %d, found %d", r.ID, int64(maxCounter)-1, r.Counter)
	}
	if r.Use != "" {
		if use, err := ParseSubject(r.Use); err != nil || use.CheckExtension() != nil || use.String() != r.Use {
			return fmt.Errorf("record %s: use: want the lower-case id of an extension, found %.200q", r.ID, r.Use)
		}
	}
	if err := cmp.Or(checkDates(&r.When), r.checkVerdict()); err != nil {
		return fmt.Errorf("record %s: %w", r.ID, err)
	}
	return r.Private.check()
}

// checkVerdict checks the parts that only verdicts and signed records have.
func (r *Record) checkVerdict() error {
	for _, name := range []string{r.Scanner, r.Result, r.Key} {
		if len(name) > maxBy || !isPlain(name) {
			return fmt.Errorf("scanner, result and key: want at most %d bytes without control characters, found %.100q", maxBy, name)
		}
	}
	if len(r.Signature) > maxSigned || !isPlain(strings.ReplaceAll(r.Signature, "\n", "")) {
		return fmt.Errorf("signature: want at most %d bytes of lines, found %.100q", maxSigned, r.Signature)
	}
	return nil
}

func (p *Private) check() error {
	if p == nil {
		return nil
	}
	for _, text := range []struct {
		key, value string
		limit      int
	}{{"by", p.By, maxBy}, {"reason", p.Reason, maxReason}, {"output", p.Output, maxReason}} {
		if len(text.value) > text.limit || !isPlain(text.value) {
			return fmt.Errorf("%s: want at most %d bytes without control characters, found %.100q", text.key, text.limit, text.value)
		}
	}
	return nil
}

// HasPrivate reports whether there is something that only auditors need.
func (c *Catalog) HasPrivate() bool {
	return len(c.Packages) > 0 || slices.ContainsFunc(c.Records, func(r Record) bool { return r.Private != nil })
}

// addPrivate adds the private part in a line to the record that it belongs to, which is the one
// with the index next or one after it. It returns the index after that.
func (c *Catalog) addPrivate(line []byte, next int) (int, error) {
	p := new(Private)
	if err := json2.Unmarshal(line, p); err != nil {
		return 0, err
	}
	if err := p.check(); err != nil {
		return 0, err
	}
	for next < len(c.Records) && c.Records[next].ID != p.ID {
		next++
	}
	if next == len(c.Records) {
		return 0, fmt.Errorf("record %s is not in the catalogue, or out of order", p.ID)
	}
	r := &c.Records[next]
	p.ID = blob.Ref{}
	r.Private = p
	if id, err := r.Identity(); err != nil || id != r.ID {
		return 0, cmp.Or(err, fmt.Errorf("record %s: its two parts do not match its id", r.ID))
	}
	return next + 1, nil
}
