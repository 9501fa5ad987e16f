package galshim

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"galbuild/build/blob"
	"galbuild/index"
)

// blobProxy passes the blobs of a published site through. What the client is
// told of them comes from the index, never from the other server, of whose answer
// only the length, the range and the bytes count.
type blobProxy struct{ site *remote }

func (p blobProxy) serve(w http.ResponseWriter, r *http.Request, f index.File) error {
	etag := w.Header().Get("ETag")
	if strings.Contains(r.Header.Get("If-None-Match"), etag) {
		w.Header().Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	header := make(http.Header)
	if since := r.Header.Get("If-Range"); since == "" || since == etag {
		// Several ranges would come as parts with headers of their own; the whole is right too.
		if ranges := r.Header.Get("Range"); ranges != "" && !strings.Contains(ranges, ",") {
			header.Set("Range", ranges)
		}
	}
	address := p.site.base.JoinPath(blob.Ref(f.SHA256).Path())
	resp, err := p.site.do(r.Context(), r.Method, address, header)
	if err == nil {
		defer resp.Body.Close()
		err = checkBlob(resp, f)
	}
	if err != nil {
		return &failure{http.StatusBadGateway, "the site behind this server does not give the file", fmt.Errorf("get %s: %w", address.Redacted(), err)}
	}
	passBlob(w, resp)
	return nil
}

// checkBlob tells what speaks against passing an answer on as the blob of f.
func checkBlob(resp *http.Response, f index.File) error {
	switch encoding := resp.Header.Get("Content-Encoding"); {
	case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent && resp.StatusCode != http.StatusRequestedRangeNotSatisfiable:
		return errors.New(resp.Status)
	case encoding != "" && encoding != "identity":
		return fmt.Errorf("content encoding %q instead of the bytes", encoding)
	case resp.StatusCode == http.StatusOK && resp.ContentLength >= 0 && resp.ContentLength != f.Size:
		return fmt.Errorf("%d bytes long, the index says %d", resp.ContentLength, f.Size)
	}
	return nil
}

// passBlob copies an answer that has been checked. If it breaks off, so does the
// connection: a package cut short must not look whole.
func passBlob(w http.ResponseWriter, resp *http.Response) {
	for _, key := range []string{"Content-Length", "Content-Range"} {
		if value := resp.Header.Get(key); value != "" {
			w.Header().Set(key, value)
		}
	}
	w.Header().Set("Accept-Ranges", "bytes")
	w.WriteHeader(resp.StatusCode)
	if _, err := io.Copy(w, resp.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// Close implements [io.Closer]; the connections stay for the next generation.
func (blobProxy) Close() error { return nil }
