package upstream

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"golang.org/x/net/http/httpguts"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/jsondoc"
	"galbuild/build/regularfile"
)

// A cached response is a file in the cache, whose name is the SHA-256 of its address. Its first
// line is JSON, and the rest is the body.
type cached struct {
	ETag         string   `json:"etag,omitempty"`
	LastModified string   `json:"lastModified,omitempty"`
	SHA256       blob.Ref `json:"sha256"` // of the body
	body         []byte
}

// maxHeader is the limit of the first line of a cached response, in bytes.
const maxHeader = 1 << 20

// conditions returns the header of a request for a response that differs from c, which may be nil.
func (c *cached) conditions() http.Header {
	switch {
	case c == nil:
		return nil
	case c.ETag != "":
		return http.Header{"If-None-Match": {c.ETag}}
	}
	return http.Header{"If-Modified-Since": {c.LastModified}}
}

func (r Requests) cacheFile(address string) string {
	key := sha256.Sum256([]byte(address))
	return filepath.Join(r.Cache, hex.EncodeToString(key[:]))
}

// load returns the cached response of an address. It is nil if there is none, or if the file is
// damaged, because the upstream can send it again.
func (r Requests) load(address string) *cached {
	if r.Cache == "" {
		return nil
	}
	text, err := regularfile.ReadFile(r.cacheFile(address), maxHeader+MaxBody)
	if err != nil {
		return nil
	}
	header, body, _ := bytes.Cut(text, []byte("\n"))
	c := &cached{body: body}
	valid := httpguts.ValidHeaderFieldValue
	if json.Unmarshal(header, c) != nil || c.SHA256 != blob.Sum(body) ||
		!valid(c.ETag) || !valid(c.LastModified) || c.ETag+c.LastModified == "" {
		return nil
	}
	return c
}

// store stores a response in the cache if the server can be asked whether it has changed.
func (r Requests) store(address string, response *http.Response, body []byte) error {
	c := cached{
		ETag: response.Header.Get("ETag"), LastModified: response.Header.Get("Last-Modified"),
		SHA256: blob.Sum(body),
	}
	if r.Cache == "" || c.ETag+c.LastModified == "" {
		return nil
	}
	text, err := jsondoc.Line(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.Cache, 0o755); err != nil {
		return fmt.Errorf("make the folder of cached responses: %w", err)
	}
	return atomicfile.Replace(r.cacheFile(address), atomicfile.FileMode, func(f *os.File) error {
		_, err := f.Write(append(text, body...))
		return err
	})
}
