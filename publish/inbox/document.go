package inbox

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"aead.dev/minisign"
	json2 "github.com/go-json-experiment/json"

	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/jsondoc"
)

// maxDocument is the largest size of a document in bytes.
const maxDocument = 64 << 10

// format is the version of documents.
const format = 1

// A Document is a submission, with its result once it has one. The builder replaces a document that
// it cannot read by one with a result and nothing else.
type Document struct {
	Format  int              `json:"format"`
	Package string           `json:"package,omitempty"` // catalog.Key of the package, as the author says
	Size    int64            `json:"size,omitempty"`    // of the package in bytes, as the author says
	Public  *catalog.Record  `json:"public,omitempty"`
	Private *catalog.Private `json:"private,omitempty"`
	Result  *Result          `json:"result,omitempty"`
}

// A State says what became of a submission.
type State string

// States of submissions.
const (
	New        State = "new"        // nobody has read it yet
	Waiting    State = "waiting"    // its package is kept out for now; the next run reads it again
	Accepted   State = "accepted"   // its package is in the gallery
	Refused    State = "refused"    // its package is not in the gallery, and was deleted from the inbox
	Incomplete State = "incomplete" // the package or the document is missing
)

// A Result is what a builder has done with a submission.
type Result struct {
	State      State     `json:"state"`
	Reason     string    `json:"reason,omitempty"` // why it was refused, or waits for what
	When       time.Time `json:"when"`
	Until      time.Time `json:"until,omitzero"`       // of a package that is too young: when it is old enough
	Generation string    `json:"generation,omitempty"` // of the gallery with the package
	Number     int64     `json:"number,omitempty"`     // of that generation in the history; 0 if it is not known
}

// isFinal reports whether nothing will become of the submission any more.
func (r *Result) isFinal() bool { return r != nil && r.State != Waiting }

// NewDocument returns the submission of a package by an author, signed with the author's key.
func NewDocument(n Name, key string, size int64, by decision.Author, secret *minisign.PrivateKey) (*Document, error) {
	r := by.Record(catalog.Record{Kind: decision.Submitted, Subject: catalog.Subject{SHA256: n.SHA256}, Counter: 1})
	if err := decision.Seal(&r, secret); err != nil {
		return nil, err
	}
	d := &Document{Format: format, Package: key, Size: size, Public: &r, Private: r.Private}
	return d, d.check(n)
}

// Encode returns the text of a document.
func (d *Document) Encode() ([]byte, error) { return jsondoc.Indented(d) }

// Decode returns a document. It checks only its form: see [Document.check].
func Decode(text []byte) (*Document, error) {
	if len(text) > maxDocument {
		return nil, fmt.Errorf("%d bytes, more than the limit of %d", len(text), maxDocument)
	}
	d := new(Document)
	if err := json2.Unmarshal(text, d, json2.RejectUnknownMembers(true)); err != nil {
		return nil, jsondoc.Explain(text, err)
	}
	if d.Format != format {
		return nil, fmt.Errorf("format %d: this program knows only format %d", d.Format, format)
	}
	return d, nil
}

// check refuses a document that is not a valid submission of this name. It verifies everything but
// the signature, for which it needs a policy, and the package.
func (d *Document) check(n Name) error {
	switch {
	case d.Public == nil || d.Private == nil:
		return errors.New("want the keys public and private, which are the two parts of a record")
	case d.Size < 1:
		return fmt.Errorf("size: want a number of bytes, found %d", d.Size)
	}
	if err := checkKey(d.Package, n); err != nil {
		return err
	}
	r := d.record()
	if err := r.Check(); err != nil {
		return err
	}
	id, err := r.Identity()
	switch {
	case err != nil:
		return err
	case id != r.ID:
		return errors.New("the record was changed: its parts do not match its id")
	case r.Kind != decision.Submitted || r.Counter != 1:
		return fmt.Errorf("want a record of the kind %s with the counter 1, found %s with %d", decision.Submitted, r.Kind, r.Counter)
	case r.Subject.SHA256 != n.SHA256:
		return fmt.Errorf("the record is about %s, and the name is about the package %s", r.Subject, n.SHA256)
	case cmp.Or(r.Use, r.Scanner, r.Result) != "" || len(r.Other)+len(r.Private.Other) > 0 || r.Private.Output != "" || !r.Private.ID.IsZero():
		return errors.New("the record has keys that a submission does not have")
	case r.Signature == "":
		return errors.New("the submission is not signed")
	}
	return nil
}

// record returns the record with both parts.
func (d *Document) record() *catalog.Record {
	r := *d.Public
	r.Private = d.Private
	return &r
}

// checkKey refuses a text that is not the key of a version of the publisher.
func checkKey(key string, n Name) error {
	id, err := catalog.ParseID(key)
	if err == nil && (id.Version == "" || key != strings.ToLower(key)) {
		err = fmt.Errorf("%.200q: want publisher.name@version[@platform] in lower case", key)
	}
	if err != nil {
		return fmt.Errorf("package: %w", err)
	}
	if publisher, _, _ := strings.Cut(id.Extension, "."); publisher != n.Publisher {
		return fmt.Errorf("package %.200q: is not of the publisher %s", key, n.Publisher)
	}
	return nil
}
