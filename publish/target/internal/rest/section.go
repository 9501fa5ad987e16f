package rest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"galbuild/build/retry"
)

// Open sends r and returns length bytes of the response body from offset on, or all of them if
// length is -1. If the connection breaks while they are read, Open requests the remaining bytes.
// The first 64 KiB are received before Open returns, so the errors of small bodies are found
// early.
//
// identify returns a string that changes when the object is replaced, such as its entity tag, or
// an error if the response is not an object.
func (c *Client) Open(ctx context.Context, r Request, offset, length int64, identify func(*http.Response) (string, error)) (*Section, error) {
	s := &Section{client: c, ctx: ctx, request: r, identify: identify, offset: offset, left: length}
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

// bufferSize is how many bytes are received before any is returned.
const bufferSize = 64 << 10

// Section is a part of an object. Reading fails after several broken connections in a row
// without progress.
type Section struct {
	client   *Client
	ctx      context.Context
	request  Request
	identify func(*http.Response) (string, error)
	offset   int64
	left     int64 // bytes to read, or -1 if unknown
	identity string
	body     io.ReadCloser
	failures int // in a row
}

// Identity returns the result of identify for the response.
func (s *Section) Identity() string { return s.identity }

// open requests the remaining bytes.
func (s *Section) open() error {
	r := s.request
	r.Header = r.header()
	r.Header.Set("Accept-Encoding", "identity")
	switch {
	case s.left > 0:
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", s.offset, s.offset+s.left-1))
	case s.offset > 0:
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", s.offset))
	}
	err := s.client.Do(s.ctx, r, s.accept)
	if IsStatus(err, http.StatusRequestedRangeNotSatisfiable) { // the object is shorter
		s.body, s.left = http.NoBody, 0
		return nil
	}
	return err
}

// accept checks that a response belongs to the same object, and prepares its body for reading.
func (s *Section) accept(response *http.Response) error {
	identity, err := s.identify(response)
	if err == nil && s.identity != "" && identity != s.identity {
		err = errors.New("the object was replaced while it was read")
	}
	size := response.ContentLength
	if err == nil && response.StatusCode == http.StatusOK { // the server ignored the range
		_, err = io.CopyN(io.Discard, response.Body, s.offset)
		if err == io.EOF {
			err = nil
		}
		size = max(size-s.offset, -1)
	}
	body := bufio.NewReaderSize(response.Body, bufferSize)
	if err == nil {
		if _, err = body.Peek(bufferSize); err == io.EOF {
			err = nil
		}
	}
	if err != nil {
		response.Body.Close()
		return err
	}
	if s.left < 0 || 0 <= size && size < s.left {
		s.left = size
	}
	s.identity, s.body = identity, bufferedBody{body, response.Body}
	return nil
}

type bufferedBody struct {
	io.Reader
	io.Closer
}

// Read implements [io.Reader].
func (s *Section) Read(b []byte) (int, error) {
	for {
		if s.left == 0 {
			return 0, io.EOF
		}
		if s.left > 0 && int64(len(b)) > s.left {
			b = b[:s.left]
		}
		n, err := s.body.Read(b)
		s.offset += int64(n)
		if s.left > 0 {
			s.left -= int64(n)
		}
		if n > 0 {
			s.failures = 0
			return n, nil // the next Read returns the error again
		}
		if s.ctx.Err() != nil {
			return 0, s.ctx.Err()
		}
		if s.client.once || !retry.IsTemporary(err) || s.failures >= retry.Retries {
			return 0, err
		}
		s.failures++
		s.body.Close()
		if err := s.open(); err != nil {
			s.body = http.NoBody
			return 0, err
		}
	}
}

// Close implements [io.Closer].
func (s *Section) Close() error { return s.body.Close() }
