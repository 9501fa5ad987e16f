package vet

import (
	"bytes"
	"io"

	"galbuild/build/vsix"
)

// Version is that of the rules. It rises when the same package gives another result, so that callers
// who keep results vet the packages again.
const Version = 1

// maxFile is the size in bytes of the largest file that is read completely. Of a larger one, only
// the first headSize bytes are read.
const (
	maxFile  = 16 << 20
	headSize = 4 << 10
)

// Options select what a Scanner compares a package with. The zero value is ready for use.
type Options struct {
	Advisories *Advisories // about npm packages; nil: bundled packages are not compared with any
}

// Result is what was seen in a package.
type Result struct {
	Findings []Finding // sorted by severity, high first, then by rule, file and line
	Profile  Profile
}

// A Scanner looks at the files of one package, in any order. It needs memory for one file of at most
// 16 MiB at a time. It must not be used by several goroutines at once.
type Scanner struct {
	options  Options
	facts    facts
	profile  Profile
	findings findings
	buffer   bytes.Buffer
}

// NewScanner returns a scanner for the files of p.
func NewScanner(p *vsix.Package, o Options) *Scanner {
	return newScanner(o)
}

func newScanner(o Options) *Scanner { return &Scanner{options: o} }

// Read reads what it needs of a file from content, looks at it, and returns a reader of the complete
// content, which is valid until the next call.
func (s *Scanner) Read(e vsix.Entry, content io.Reader) (io.Reader, error) {
	n := e.Size
	if n > maxFile {
		n = headSize
	}
	s.buffer.Reset()
	if _, err := io.CopyN(&s.buffer, content, n); err != nil && err != io.EOF {
		return nil, err
	}
	s.Add(e, s.buffer.Bytes())
	return io.MultiReader(bytes.NewReader(s.buffer.Bytes()), content), nil
}

// Add looks at a file. Content is all of it, or the beginning of a file that is too large to be read
// completely. It is not kept.
func (s *Scanner) Add(e vsix.Entry, content []byte) {}

// Result returns the findings and the profile of the package, when all its files have been added.
func (s *Scanner) Result() Result { return Result{} }
