package galshim

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"galbuild/build/blob"
	"galbuild/index"
)

// withheld is the number of bytes at the end of a blob that are sent only after the whole blob has
// been verified.
const withheld = 64 << 10

// A blobProxy passes on the blobs of a published site. Status and headers are derived from the
// index; only the content comes from the target. Its end is withheld until the
// SHA-256 is verified, so that a wrong blob is never sent completely.
//
// A range is served only of a blob of at most withheld bytes. A larger blob is sent as a whole, as
// HTTP allows, because a part of it cannot be verified.
type blobProxy struct {
	site    *remote
	windows *sync.Pool // of *[]byte
}

func newBlobProxy(site *remote) blobProxy {
	return blobProxy{site, &sync.Pool{New: func() any { b := make([]byte, 2*withheld); return &b }}}
}

func (p blobProxy) serve(w http.ResponseWriter, r *http.Request, f index.File) error {
	if matches(r.Header.Get("If-None-Match"), w.Header().Get("ETag")) {
		w.Header().Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if p.site.redirects != nil && mayRedirect(r, f) {
		return redirectToBucket(r.Context(), w, p.site.redirects, f)
	}
	path := blob.Ref(f.SHA256).Path()
	if err := p.pass(w, r, f, path); err != nil {
		return &failure{http.StatusBadGateway, "the published site did not return the file", p.site.explain(r.Context(), path, err)}
	}
	return nil
}

// pass requests a blob and sends it. For HEAD, a byte shows that the blob is there.
func (p blobProxy) pass(w http.ResponseWriter, r *http.Request, f index.File, path string) error {
	length := int64(-1)
	if r.Method == http.MethodHead {
		length = 1
	}
	select {
	case p.site.fetches <- struct{}{}:
		defer func() { <-p.site.fetches }()
	case <-r.Context().Done():
		return r.Context().Err()
	}
	body, err := p.site.at.Get(r.Context(), path, 0, length)
	if err != nil {
		return err
	}
	defer body.Close()
	if r.Method == http.MethodHead { // a connection is kept if its response was read
		if _, err := io.Copy(io.Discard, io.LimitReader(body, length)); err != nil {
			return err
		}
	}
	window := p.windows.Get().(*[]byte)
	defer p.windows.Put(window)
	v := &verifier{w: w, r: r, f: f, sum: sha256.New(), window: *window, body: body}
	return v.pass()
}

// matches reports whether the client already has the version with this entity tag.
func matches(header, tag string) bool {
	return header == "*" || tag != "" && strings.Contains(header, tag)
}

// A verifier sends one blob and verifies it.
type verifier struct {
	w      http.ResponseWriter
	r      *http.Request
	f      index.File
	sum    hash.Hash
	window []byte // 2·withheld bytes
	body   io.Reader
}

// pass sends the blob. If it returns an error, nothing was sent. After an error in the middle of
// the blob it panics, which closes the connection, so that the client does not take the part for
// the whole.
func (v *verifier) pass() error {
	if v.r.Method == http.MethodHead {
		v.announce()
		return nil
	}
	n, left := 0, v.f.Size // bytes in the window, bytes still to read
	sent := false
	for left > 0 {
		read, err := v.body.Read(v.window[n:min(int64(len(v.window)), int64(n)+left)])
		v.sum.Write(v.window[n : n+read])
		n, left = n+read, left-int64(read)
		if err != nil && left > 0 {
			return v.failed(sent, fmt.Errorf("after %d of %d bytes: %w", v.f.Size-left, v.f.Size, noEOF(err)))
		}
		if n == len(v.window) {
			if !sent {
				v.announce()
				sent = true
			}
			if _, err := v.w.Write(v.window[:n-withheld]); err != nil {
				panic(http.ErrAbortHandler) // the client has gone
			}
			n = copy(v.window, v.window[n-withheld:n])
		}
	}
	if err := v.verify(); err != nil {
		return v.failed(sent, err)
	}
	v.finish(sent, v.window[:n])
	return nil
}

// noEOF returns err, or io.ErrUnexpectedEOF instead of io.EOF.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// announce sends the header of a response with the whole blob.
func (v *verifier) announce() {
	h := v.w.Header()
	h.Set("Content-Length", strconv.FormatInt(v.f.Size, 10))
	if v.f.Size > withheld {
		h.Set("Accept-Ranges", "none")
	} else {
		h.Set("Accept-Ranges", "bytes")
	}
	v.w.WriteHeader(http.StatusOK)
}

// verify returns an error unless the blob is complete, correct and followed by nothing.
func (v *verifier) verify() error {
	if n, _ := io.ReadFull(v.body, make([]byte, 1)); n > 0 {
		return fmt.Errorf("longer than the %d bytes in the index", v.f.Size)
	}
	if got := blob.Ref(v.sum.Sum(nil)); got != v.f.SHA256 {
		return fmt.Errorf("its SHA-256 is %s: damaged, or not the file that was published", got)
	}
	return nil
}

// failed returns err, or panics with it if a part was sent, which closes the connection.
func (v *verifier) failed(sent bool, err error) error {
	if sent {
		panic(cutOff{err})
	}
	return err
}

// finish sends the withheld bytes.
func (v *verifier) finish(sent bool, rest []byte) {
	if sent {
		v.w.Write(rest) // an error means that the client has gone
		return
	}
	if v.f.Size <= withheld {
		http.ServeContent(v.w, v.r, "", time.Time{}, bytes.NewReader(rest))
		return
	}
	v.announce()
	v.w.Write(rest)
}

// Close implements [io.Closer]. Connections stay open for the next generation.
func (blobProxy) Close() error { return nil }
