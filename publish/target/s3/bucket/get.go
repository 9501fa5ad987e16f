package bucket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7/pkg/signer"

	"galbuild/build/retry"
	"galbuild/publish/target"
)

// Get implements [target.Reader].
func (b *Bucket) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	o, err := b.Open(ctx, key, offset, length)
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Open is Get with the metadata of the object. If the connection breaks, reading continues where it
// stopped, unless the object has been replaced.
func (b *Bucket) Open(ctx context.Context, key string, offset, length int64) (*Object, error) {
	o := &Object{bucket: b, ctx: ctx, key: key, at: offset, left: length}
	if err := o.open(); err != nil {
		return nil, err
	}
	return o, nil
}

// An Object reads a part of an object.
type Object struct {
	ETag   string      // without its quotation marks
	Header http.Header // of the response

	bucket   *Bucket
	ctx      context.Context
	key      string
	at       int64 // the current offset
	left     int64 // bytes to read; negative if the size is unknown
	failures int   // broken connections in a row without progress
	body     io.ReadCloser
}

// open requests the remaining bytes.
func (o *Object) open() error {
	return o.bucket.Try(o.ctx, Request{Operation: "get", Key: o.key, Send: func(ctx context.Context, _ int) error {
		response, err := o.bucket.send(ctx, o.key, o.header())
		e, _ := errors.AsType[Error](err)
		switch {
		case e.Code == "InvalidRange" || e.StatusCode == http.StatusRequestedRangeNotSatisfiable:
			o.body, o.left = http.NoBody, 0 // reading past the end is not an error, as with files
			return nil
		case e.Code == preconditionFailed:
			return Final{fmt.Errorf("while reading: %w", target.ErrChanged)}
		case err != nil:
			return err
		}
		return o.accept(response)
	}})
}

const preconditionFailed = "PreconditionFailed"

// accept prepares the body of a response for reading.
func (o *Object) accept(response *http.Response) error {
	size := int64(-1)
	if n, err := strconv.ParseInt(response.Header.Get("Content-Length"), 10, 64); err == nil {
		size = n
	}
	if o.at > 0 && response.Header.Get("Content-Range") == "" { // the server ignored the range
		n, err := io.CopyN(io.Discard, response.Body, o.at)
		if err != nil && err != io.EOF {
			response.Body.Close()
			return err
		}
		if size >= 0 {
			size -= n
		}
	}
	if o.left < 0 || size >= 0 && size < o.left {
		o.left = size
	}
	o.body, o.ETag, o.Header = response.Body, strings.Trim(response.Header.Get("ETag"), `"`), response.Header
	return nil
}

// header returns the headers of a request for the remaining bytes.
func (o *Object) header() http.Header {
	h := http.Header{"Accept-Encoding": {"identity"}}
	if agent := o.bucket.config.Agent; agent != "" {
		h.Set("User-Agent", agent)
	}
	if o.bucket.config.RequesterPays {
		h.Set(RequestPayer, "requester")
	}
	switch {
	case o.left >= 0: // a range cannot be empty
		h.Set("Range", fmt.Sprintf("bytes=%d-%d", o.at, o.at+max(o.left, 1)-1))
	case o.at > 0:
		h.Set("Range", fmt.Sprintf("bytes=%d-", o.at))
	}
	if o.ETag != "" {
		h.Set("If-Match", `"`+o.ETag+`"`)
	}
	return h
}

// RequestPayer is the header of requests to a requester-pays bucket.
const RequestPayer = "X-Amz-Request-Payer"

// Read implements [io.Reader].
func (o *Object) Read(p []byte) (int, error) {
	if o.left == 0 {
		return 0, io.EOF
	}
	if o.left > 0 {
		p = p[:min(int64(len(p)), o.left)]
	}
	n, err := o.body.Read(p)
	o.at += int64(n)
	if o.left > 0 {
		o.left -= int64(n)
	}
	if n > 0 {
		o.failures = 0
	}
	switch {
	case err == nil || o.left == 0:
		return n, nil
	case err == io.EOF && o.left < 0: // the server did not report the size
		return n, err
	case o.ctx.Err() != nil:
		return n, o.ctx.Err()
	case o.failures == retry.Retries || o.bucket.config.Once:
		return n, o.bucket.Failed("get", o.key, err, nil, nil)
	}
	o.failures++
	o.body.Close()
	return n, o.open()
}

// Close implements [io.Closer].
func (o *Object) Close() error { return o.body.Close() }

// emptySHA256 is the hash of the body of a GET.
var emptySHA256 = func() string { sum := sha256.Sum256(nil); return hex.EncodeToString(sum[:]) }()

// send sends a signed GET for an object. A status other than 200 and 206 is an [Error].
func (b *Bucket) send(ctx context.Context, key string, header http.Header) (*http.Response, error) {
	at := b.Address()
	value, err := b.value(ctx)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "", nil)
	if err != nil {
		return nil, err
	}
	request.URL, request.Header = b.url(at, key), header
	request.Host = request.URL.Host
	header.Set("X-Amz-Content-Sha256", emptySHA256)
	request = signer.SignV4(*request, value.AccessKeyID, value.SecretAccessKey, value.SessionToken, at.signingRegion())
	response, err := b.client().Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusPartialContent {
		defer response.Body.Close()
		return nil, readError(response)
	}
	return response, nil
}

// client returns a client that follows no redirects: [Bucket.Try] checks them, and signs again.
func (b *Bucket) client() *http.Client {
	return &http.Client{Transport: b.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
