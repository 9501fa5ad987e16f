package bucket

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

// maxDocument is the largest XML response that is read, in bytes. A list of a thousand keys
// has less than a tenth of it.
const maxDocument = 16 << 20

// errWebPage is returned for a response that is a web page. No S3 server sends one.
var errWebPage = errors.New("the response is a web page")

// normalize changes a response of another server into what Amazon would send, because
// minio-go accepts nothing else. It changes other status codes of success, dates in other
// formats, and weak entity tags. A web page instead of an object's metadata or XML is an
// error: a server that returns a page for every request would seem to have stored the
// objects.
func normalize(r *http.Request, response *http.Response) error {
	h := response.Header
	success := response.StatusCode >= 200 && response.StatusCode < 300
	document := isDocument(r)
	page := success && isWebPage(h) && response.ContentLength != 0 && r.Method != http.MethodDelete
	if page && (document || h.Get("ETag") == "") {
		return Final{errWebPage}
	}
	h.Del("Expires") // not used, but minio-go fails if it cannot parse it
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
	switch {
	case success && document:
		return normalizeDocument(response)
	case response.StatusCode/100 == 3 && h.Get("Location") == "":
		return normalizeRedirect(r, response)
	}
	return nil
}

// maxError is the largest error response that is searched for an endpoint, in bytes.
const maxError = 64 << 10

var endpointElement = regexp.MustCompile(`<Endpoint>\s*([A-Za-z0-9.:-]+)\s*</Endpoint>`)

// normalizeRedirect adds a Location to a redirect that names its host only in the body.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingRouting.html
func normalizeRedirect(r *http.Request, response *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(response.Body, maxError))
	response.Body.Close()
	if err != nil {
		return err
	}
	if found := endpointElement.FindSubmatch(b); found != nil {
		response.Header.Set("Location", r.URL.Scheme+"://"+string(found[1])+r.URL.RequestURI())
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	return nil
}

// isDocument reports whether the response to a request is XML with dates: a list, or the
// result of a copy.
func isDocument(r *http.Request) bool {
	return r.Method == http.MethodGet && r.URL.Query().Has("prefix") || r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != ""
}

func isWebPage(h http.Header) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind == "text/html"
}

var lastModified = regexp.MustCompile(`<LastModified>([^<]*)</LastModified>`)

// normalizeDocument rewrites the dates in a document as Amazon S3 writes them. It keeps a
// date that it cannot read: an object of unknown age must not seem to be old.
func normalizeDocument(response *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	response.Body.Close()
	if err != nil {
		return err
	}
	if len(b) > maxDocument {
		return Final{fmt.Errorf("the response is longer than %d bytes", maxDocument)}
	}
	b = lastModified.ReplaceAllFunc(b, func(element []byte) []byte {
		text := string(lastModified.FindSubmatch(element)[1])
		return []byte("<LastModified>" + normalizeTime(text, time.RFC3339Nano, time.Time{}) + "</LastModified>")
	})
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	response.Header.Set("Content-Length", strconv.Itoa(len(b)))
	return nil
}

// formats are the date formats that servers use, with and without a time zone. Without one,
// the time is UTC.
var formats = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04:05.999999999 -0700 MST", http.TimeFormat, time.RFC1123Z, time.RFC1123, time.RFC850, time.ANSIC,
}

// normalizeTime returns a date in a format. If the date cannot be read, it returns
// otherwise, unless that is zero.
func normalizeTime(text, format string, otherwise time.Time) string {
	for _, f := range formats {
		if t, err := time.Parse(f, strings.TrimSpace(text)); err == nil {
			return t.UTC().Format(format)
		}
	}
	if otherwise.IsZero() {
		return text
	}
	return otherwise.UTC().Format(format)
}
