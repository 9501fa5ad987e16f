package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"

	"aead.dev/minisign"

	"galbuild/build/decision"
	"galbuild/publish"
	"galbuild/publish/target"
)

// A Submission is a package to submit.
type Submission struct {
	Name
	Package string // catalog.Key
	File    string // with the package
	Size    int64
}

// Submit puts packages into the inbox of a target, each with a document that the author has signed.
// It writes nothing anywhere else, and reads nothing. A submission of the same package is replaced,
// also one that has a result. Submit returns how many of the packages it has submitted. The
// function progress is called while they are read, and may be nil.
func Submit(ctx context.Context, at target.Target, all []Submission, by decision.Author, secret *minisign.PrivateKey, progress func(publish.Progress)) (done int, err error) {
	var bytes int64
	for _, s := range all {
		bytes += s.Size
	}
	m := newMeter(progress, "submit", len(all), bytes)
	for i, s := range all {
		d, err := NewDocument(s.Name, s.Package, s.Size, by, secret)
		if err == nil {
			err = s.put(ctx, at, d, m)
		}
		if err != nil {
			return i, fmt.Errorf("submit %s to %s: %w", s.Package, at, err)
		}
		m.next(s.Size)
	}
	return len(all), nil
}

// put writes the package, and then the document.
func (s *Submission) put(ctx context.Context, at target.Target, d *Document, m *meter) error {
	text, err := d.Encode()
	if err != nil {
		return err
	}
	o := target.File(s.PackageKey(), "application/vsix", target.Revalidate, s.File, s.SHA256, s.Size)
	o.Disposition = target.Attachment
	open := o.Open
	o.Open = func() (io.ReadCloser, error) {
		f, err := open()
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{m.reader(f), f}, nil
	}
	if err := at.Put(ctx, o); err != nil {
		return err
	}
	return at.Put(ctx, documentObject(s.Name, text))
}

func documentObject(n Name, text []byte) target.Object {
	return target.Bytes(n.DocumentKey(), "application/json", target.Revalidate, text)
}

// Read returns the document of a submission, and its text. The error wraps [target.ErrNotExist] if
// there is none, and errUnreadable if it is not a document.
func Read(ctx context.Context, from target.Target, n Name) (*Document, []byte, error) {
	r, err := from.Get(ctx, n.DocumentKey(), 0, -1) // servers refuse a range of an empty object
	if err != nil {
		return nil, nil, err
	}
	text, err := target.ReadAll(r, maxDocument)
	if err != nil && err != io.ErrShortBuffer { // Decode refuses a text that is too long
		return nil, nil, err
	}
	d, err := Decode(text)
	if err != nil {
		err = fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return d, text, err
}

// errUnreadable is wrapped by the error about a document that can never be read.
var errUnreadable = errors.New("not a submission")
