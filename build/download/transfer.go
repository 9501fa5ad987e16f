package download

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/dustin/go-humanize"

	"galbuild/build/retry"
)

// A damagedPart is the error of a download that could not be resumed, because the part of an
// earlier attempt was damaged. The part is discarded. A download from the beginning may succeed.
type damagedPart struct{ error }

func (e damagedPart) Unwrap() error { return e.error }

// try makes one attempt to download the file, or the rest of it. If the part of an earlier
// attempt is damaged, the error is a damagedPart.
//
// The request accepts no Content-Encoding. Otherwise net/http would request gzip, decode it and
// hide the length, and the size of the part would not be an offset in the body. If a server
// compresses nevertheless, the part has the bytes as sent, and is decoded at the end.
func (j *job) try(ctx context.Context) error {
	p, cached := j.part(), j.cached()
	resumed := p.done > 0
	request, err := j.request(ctx, p, cached)
	if err != nil {
		return err
	}
	response, err := j.Client.Send(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusNotModified && cached != nil:
		return nil
	case response.StatusCode == http.StatusPartialContent && p.isContinuedBy(response):
	case response.StatusCode == http.StatusPartialContent,
		response.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		p.discard()
		err := retry.Temporary(fmt.Errorf("%s did not resume the download where it stopped",
			response.Request.URL.Host), nil)
		if resumed {
			return damagedPart{err}
		}
		return err
	case response.StatusCode == http.StatusOK:
		p.discard()
		resumed = false
		p.record = recordOf(j.name, response)
	default:
		return j.statusError(response)
	}
	err = j.receive(p, response.Body)
	if err == nil {
		err = j.store(p, resumed)
	}
	if err != nil && resumed && p.done == 0 { // discarded
		return damagedPart{err}
	}
	return err
}

// request returns a request for the rest of p if it has some bytes, and otherwise for the file
// if it differs from the cached one.
func (j *job) request(ctx context.Context, p *part, cached *record) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, j.URL.String(), nil)
	if err != nil {
		return nil, err
	}
	h := request.Header
	h.Set("User-Agent", "galbuild")
	h.Set("Accept-Encoding", "identity")
	if j.Login != nil {
		password, _ := j.Login.Password()
		request.SetBasicAuth(j.Login.Username(), password)
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
func (j *job) receive(p *part, body io.Reader) error {
	if err := j.withinLimit(p.Size); err != nil {
		p.discard()
		return err
	}
	file, err := p.open()
	if err != nil {
		return err
	}
	defer file.Close()
	done, err := j.copy(file, body, p.done, func(done int64) {
		j.Progress(j.name, done, p.Size)
	})
	p.done = done
	switch broken, ok := errors.AsType[readError](err); {
	case ok:
		return broken.error
	case err != nil:
		p.discard()
		return err
	case p.Size >= 0 && done != p.Size:
		p.discard()
		return retry.Temporary(
			fmt.Errorf("received %d bytes, but the server announced %d", done, p.Size), nil)
	}
	if !j.SHA256.IsZero() {
		return file.Close() // whoever uses the file compares its hash, also after a power failure
	}
	return errors.Join(file.Sync(), file.Close())
}

// readError is an error of the reader in copy.
type readError struct{ error }

func (e readError) Unwrap() error { return e.error }

// copy copies r to w, which has done bytes already, and returns how many bytes w has then. It
// calls progress after each block.
func (j *job) copy(
	w io.Writer, r io.Reader, done int64, progress func(done int64),
) (int64, error) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.Read(buffer)
		if limit := j.withinLimit(done + int64(n)); limit != nil {
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

func (j *job) withinLimit(size int64) error { return j.Kind.CheckSize(size, j.MaxBytes) }

// CheckSize returns an error if a file of this size exceeds a limit; 0 is none.
func (k Kind) CheckSize(size, limit int64) error {
	if limit > 0 && size > limit {
		return fmt.Errorf("the %s is larger than the limit %s of %s", k.Name, k.Limit, humanize.IBytes(uint64(limit)))
	}
	return nil
}
