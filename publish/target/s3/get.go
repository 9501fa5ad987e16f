package s3

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"galbuild/build/retry"
	"galbuild/publish/target"
)

// Get implements [target.Target]. If the connection breaks, reading continues where it stopped,
// unless the object has been replaced.
func (t *Target) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	s := &stream{target: t, ctx: ctx, key: key, at: offset, left: length}
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

// A stream reads a part of an object.
type stream struct {
	target   *Target
	ctx      context.Context
	key      string
	etag     string   // empty before the first response
	marks    []string // from the metadata
	at       int64    // the current offset
	left     int64    // bytes to read; negative if the size is unknown
	failures int      // broken connections in a row without progress
	body     io.ReadCloser
}

// open requests the remaining bytes.
func (s *stream) open() error {
	return s.target.try(s.ctx, "get", s.key, func(ctx context.Context, _ int) error {
		body, info, header, err := s.target.client().GetObject(ctx, s.target.bucket, s.target.prefix+s.key, s.options())
		switch {
		case code(err) == "InvalidRange" || status(err) == http.StatusRequestedRangeNotSatisfiable:
			s.body, s.left = http.NoBody, 0 // reading past the end is not an error, as with files
			return nil
		case code(err) == minio.PreconditionFailed:
			return errFinal{fmt.Errorf("while reading: %w", target.ErrChanged)}
		}
		if err != nil {
			return err
		}
		if s.at > 0 && header.Get("Content-Range") == "" { // the server ignored the range
			n, err := io.CopyN(io.Discard, body, s.at)
			if err != nil && err != io.EOF {
				body.Close()
				return err
			}
			if info.Size >= 0 {
				info.Size -= n
			}
		}
		if s.left < 0 || info.Size >= 0 && info.Size < s.left {
			s.left = info.Size
		}
		s.body, s.etag, s.marks = body, info.ETag, strings.Fields(info.UserMetadata[mark])
		return nil
	})
}

func (s *stream) options() minio.GetObjectOptions {
	o := minio.GetObjectOptions{}
	if s.target.headers.payer {
		o.Set(requestPayer, "requester")
	}
	switch {
	case s.left >= 0: // a range cannot be empty
		o.Set("Range", fmt.Sprintf("bytes=%d-%d", s.at, s.at+max(s.left, 1)-1))
	case s.at > 0:
		o.Set("Range", fmt.Sprintf("bytes=%d-", s.at))
	}
	if s.etag != "" {
		o.Set("If-Match", `"`+s.etag+`"`)
	}
	return o
}

// Read implements [io.Reader].
func (s *stream) Read(b []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	if s.left > 0 {
		b = b[:min(int64(len(b)), s.left)]
	}
	n, err := s.body.Read(b)
	s.at += int64(n)
	if s.left > 0 {
		s.left -= int64(n)
	}
	if n > 0 {
		s.failures = 0
	}
	switch {
	case err == nil || s.left == 0:
		return n, nil
	case err == io.EOF && s.left < 0: // the server did not report the size
		return n, err
	case s.ctx.Err() != nil:
		return n, s.ctx.Err()
	case s.failures == retry.Retries:
		return n, s.target.failed("get", s.key, err, nil)
	}
	s.failures++
	s.body.Close()
	return n, s.open()
}

// Close implements [io.Closer].
func (s *stream) Close() error { return s.body.Close() }
