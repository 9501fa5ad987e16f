package s3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxDocument is the largest response in XML that is read, in bytes: a list of a
// thousand keys is less than a tenth of it.
const maxDocument = 16 << 20

// errWebPage is a response that no S3 server gives.
var errWebPage = errors.New("the response is a web page")

// normalize turns a response that servers give instead of Amazon's into that, where minio-go
// takes none but Amazon's: other statuses of success, dates in other formats, weak
// entity tags. A web page where there should be an object's metadata or XML is an error,
// for a server that answers everything with one would seem to have stored what was sent.
func normalize(r *http.Request, response *http.Response) error {
	h := response.Header
	success := response.StatusCode >= 200 && response.StatusCode < 300
	document := isDocument(r)
	page := success && isWebPage(h) && response.ContentLength != 0 && r.Method != http.MethodDelete
	if page && (document || h.Get("ETag") == "") {
		return errFinal{errWebPage}
	}
	h.Del("Expires") // is not used, but an unreadable one would be an error
	h.Set("Last-Modified", normalizeTime(h.Get("Last-Modified"), http.TimeFormat, time.Unix(0, 0)))
	if etag, ok := strings.CutPrefix(h.Get("ETag"), "W/"); ok {
		h.Set("ETag", etag)
	}
	switch {
	case !success:
	case r.Method == http.MethodDelete:
		response.StatusCode = http.StatusNoContent
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		response.StatusCode = http.StatusOK
	}
	if success && document {
		return normalizeDocument(response)
	}
	return nil
}

// isDocument tells whether a request is answered with XML that has dates in it: lists,
// and copies.
func isDocument(r *http.Request) bool {
	return r.Method == http.MethodGet && r.URL.Query().Has("prefix") || r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != ""
}

func isWebPage(h http.Header) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind == "text/html"
}

var lastModified = regexp.MustCompile(`<LastModified>([^<]*)</LastModified>`)

// normalizeDocument writes the dates of a document as Amazon S3 does. One that cannot be read
// stays: an object of unknown age must not seem to be old.
func normalizeDocument(response *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	response.Body.Close()
	if err != nil {
		return err
	}
	if len(b) > maxDocument {
		return errFinal{fmt.Errorf("the response is longer than %d bytes", maxDocument)}
	}
	b = lastModified.ReplaceAllFunc(b, func(element []byte) []byte {
		text := string(lastModified.FindSubmatch(element)[1])
		return []byte("<LastModified>" + normalizeTime(text, time.RFC3339Nano, time.Time{}) + "</LastModified>")
	})
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	response.Header.Set("Content-Length", strconv.Itoa(len(b)))
	return nil
}

// formats are those of dates in the wild, with and without a time zone; without one it
// is UTC.
var formats = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04:05.999999999 -0700 MST", http.TimeFormat, time.RFC1123Z, time.RFC1123, time.RFC850, time.ANSIC,
}

// normalizeTime returns a date in a format. What cannot be read is otherwise, if that is
// not zero.
func normalizeTime(text, format string, otherwise time.Time) string {
	for _, f := range formats {
		if is, err := time.Parse(f, strings.TrimSpace(text)); err == nil {
			return is.UTC().Format(format)
		}
	}
	if otherwise.IsZero() {
		return text
	}
	return otherwise.UTC().Format(format)
}
