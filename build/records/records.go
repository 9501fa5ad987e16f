// Package records reads and writes the attestations about a package in a file next to it: those of
// x.vsix are in x.vsix.records. The gallery that reads the package keeps them.
//
// The file has a record with both parts on each line, sorted by ID:
//
//	{"public":{"id":"…","kind":"approved","subject":"sha256:…",…},"private":{"by":"alice"}}
//
// It has no decisions, such as a block, because a folder of packages decides nothing. Signatures
// are verified where the records count, with the keys of a policy.
package records

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"aead.dev/minisign"
	json2 "github.com/go-json-experiment/json"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/jsondoc"
	"galbuild/build/regularfile"
)

// MaxBytes is the largest size of a file.
const MaxBytes = 1 << 20

// maxCounter is the largest counter of a record. A gallery gives its next decision a counter that
// is larger than all that it has. Anybody can write an unsigned record, so one with the largest
// counter that is possible would leave none for that decision.
const maxCounter = 1 << 32

// Path returns the path of the file with the records of a package.
func Path(vsix string) string { return vsix + ".records" }

// line is a record in a file.
type line struct {
	Public  *catalog.Record  `json:"public"`
	Private *catalog.Private `json:"private,omitempty"`
}

// Parse returns the valid records of a file that are about the package with a hash. An error about
// each other line names the line.
func Parse(text []byte, sha256 blob.Ref) (all []catalog.Record, problems []error) {
	number := 0
	for text := range bytes.Lines(text) {
		number++
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		r, err := parseLine(text, sha256)
		if err != nil {
			problems = append(problems, fmt.Errorf("line %d: %w", number, err))
			continue
		}
		all = append(all, *r)
	}
	return decision.Merge(all, nil), problems
}

func parseLine(text []byte, sha256 blob.Ref) (*catalog.Record, error) {
	var l line
	if err := json2.Unmarshal(text, &l, json2.RejectUnknownMembers(true)); err != nil {
		return nil, err
	}
	if l.Public == nil || l.Private == nil {
		return nil, errors.New(`want the keys "public" and "private"`)
	}
	r := l.Public
	r.Private = l.Private
	if err := r.Check(); err != nil {
		return nil, err
	}
	if r.Counter > maxCounter {
		return nil, fmt.Errorf("record %s: the counter %d is more than the limit of %d", r.ID, r.Counter, int64(maxCounter))
	}
	switch id, err := r.Identity(); {
	case err != nil:
		return nil, err
	case id != r.ID:
		return nil, fmt.Errorf("record %s: was changed: its parts do not match its id", r.ID)
	case !decision.IsAttestation(r):
		return nil, fmt.Errorf("record %s: want a record of the kind %s, %s, %s or %s about a hash, found %s about %s",
			r.ID, decision.Approved, decision.Verdict, decision.Revoked, decision.Submitted, r.Kind, r.Subject)
	case r.Subject.SHA256 != sha256:
		return nil, fmt.Errorf("record %s: is about the package with SHA-256 %.12s…, this one has %.12s…", r.ID, r.Subject.SHA256, sha256)
	}
	return r, nil
}

// Encode returns the text of a file with these records.
func Encode(all []catalog.Record) (text []byte, err error) {
	for i := range all {
		if text, err = jsondoc.AppendLine(text, line{&all[i], all[i].Private}); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// ReadFile returns the records next to a package with a hash. There are none if there is no file.
func ReadFile(vsix string, sha256 blob.Ref) ([]catalog.Record, error) {
	path := Path(vsix)
	f, err := regularfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err == nil && len(text) > MaxBytes {
		err = fmt.Errorf("%s: more than %d bytes", path, MaxBytes)
	}
	if err != nil {
		return nil, err
	}
	all, problems := Parse(text, sha256)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(problems...))
	}
	return all, nil
}

// Append adds a record to the file next to a package with a hash, which it replaces in one step.
// The counter of the record becomes one more than the highest in the file. The record is signed
// unless key is nil. Append returns the record as it is in the file.
func Append(vsix string, sha256 blob.Ref, r catalog.Record, key *minisign.PrivateKey) (catalog.Record, error) {
	all, err := ReadFile(vsix, sha256)
	if err != nil {
		return r, err
	}
	r.Subject, r.Counter = catalog.Subject{SHA256: sha256}, 1
	for i := range all {
		r.Counter = max(r.Counter, all[i].Counter+1)
	}
	if err := decision.Seal(&r, key); err != nil {
		return r, err
	}
	text, err := Encode(decision.Merge(all, []catalog.Record{r}))
	if err != nil {
		return r, err
	}
	at, err := os.OpenRoot(filepath.Dir(vsix))
	if err != nil {
		return r, err
	}
	defer at.Close()
	return r, atomicfile.WriteText(at, filepath.Base(Path(vsix)), text)
}
