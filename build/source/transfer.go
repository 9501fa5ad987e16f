package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/dustin/go-humanize"
)

// A damagedPart is the error of a download that went on with a part of an earlier try, where
// the part turned out to be of no use and was discarded. The server is not to blame, and may
// well send a package when it is asked for the whole.
type damagedPart struct{ error }

func (e damagedPart) Unwrap() error { return e.error }

// try asks for the package, or for what of it is not here yet. Where the part of an earlier
// try is of no use, the error is a damagedPart.
//
// The request says that it takes no encoding: otherwise net/http would ask for
// gzip, decode it and hide the length, so that an offset into what is on disk
// would be none into what the server sends. A server that compresses all the
// same is understood: the bytes are kept as sent and decoded at the end.
func (d *download) try(ctx context.Context) error {
	ctx, received, stop := watch(ctx, d.stallTimeout)
	defer stop()
	p, cached := d.part(), d.cached()
	resumed := p.done > 0
	request, err := d.request(ctx, p, cached)
	if err != nil {
		return err
	}
	response, err := d.Client.Do(request)
	if err != nil {
		return transportError(ctx, err)
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusNotModified && cached != nil:
		return nil
	case response.StatusCode == http.StatusPartialContent && p.isContinuedBy(response):
	case response.StatusCode == http.StatusPartialContent, response.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		p.discard()
		err := transient{error: fmt.Errorf("%s does not go on where it stopped", response.Request.URL.Host)}
		if resumed {
			return damagedPart{err}
		}
		return err
	case response.StatusCode == http.StatusOK:
		p.discard()
		resumed = false
		p.record = recordOf(d.name, response)
	default:
		return d.statusError(response)
	}
	err = d.receive(ctx, p, response.Body, received)
	if err == nil {
		err = d.store(p, resumed)
	}
	if err != nil && resumed && p.done == 0 { // discarded
		return damagedPart{err}
	}
	return err
}

// request asks for the rest of p, if something of it is here and can be told
// from other versions, or else for what is not what is kept.
func (d *download) request(ctx context.Context, p *part, cached *record) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url.String(), nil)
	if err != nil {
		return nil, err
	}
	h := request.Header
	h.Set("User-Agent", "galbuild")
	h.Set("Accept-Encoding", "identity")
	if d.login != nil {
		password, _ := d.login.Password()
		request.SetBasicAuth(d.login.Username(), password)
	}
	switch {
	case p.done > 0:
		h.Set("Range", fmt.Sprintf("bytes=%d-", p.done))
		h.Set("If-Range", p.validator())
	case cached != nil && cached.ETag != "":
		h.Set("If-None-Match", cached.ETag)
	case cached != nil && cached.LastModified != "":
		h.Set("If-Modified-Since", cached.LastModified)
	}
	return request, nil
}

// receive appends the body to p.
func (d *download) receive(ctx context.Context, p *part, body io.Reader, received func()) error {
	if err := d.withinLimit(p.Size); err != nil {
		p.discard()
		return err
	}
	file, err := p.open()
	if err != nil {
		return err
	}
	defer file.Close()
	done, err := d.copy(file, body, p.done, func(done int64) {
		received()
		d.Progress(d.name, done, p.Size)
	})
	p.done = done
	switch broken, ok := errors.AsType[readError](err); {
	case ok:
		return transportError(ctx, broken.error)
	case err != nil:
		p.discard()
		return err
	case p.Size >= 0 && done != p.Size:
		p.discard()
		return transient{error: fmt.Errorf("%d bytes came, %d were announced", done, p.Size)}
	}
	return errors.Join(file.Sync(), file.Close())
}

// readError is an error of the reader that was copied from.
type readError struct{ error }

func (e readError) Unwrap() error { return e.error }

// copy copies r to w, where done bytes are already, and returns how many are
// then. It calls told after each piece.
func (c Config) copy(w io.Writer, r io.Reader, done int64, progress func(done int64)) (int64, error) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.Read(buffer)
		if limit := c.withinLimit(done + int64(n)); limit != nil {
			return done, limit
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return done, err
		}
		done += int64(n)
		progress(done)
		switch {
		case err == io.EOF:
			return done, nil
		case err != nil:
			return done, readError{err}
		}
	}
}

func (c Config) withinLimit(size int64) error {
	if c.MaxBytes > 0 && size > c.MaxBytes {
		return fmt.Errorf("larger than %s, the limit for a package", humanize.IBytes(uint64(c.MaxBytes)))
	}
	return nil
}
