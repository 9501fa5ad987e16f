package rest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Open sends r, and returns the bytes of the answer from offset on, length of them or,
// with -1, all. If the connection breaks while they are read, the rest is asked for.
// What is small is had as a whole, before anything is returned. Identify returns what tells an object from another that has taken its place
// meanwhile, or an error if the answer is not an object.
func (c *Client) Open(ctx context.Context, r Request, offset, length int64, identify func(*http.Response) (string, error)) (*Section, error) {
	s := &Section{client: c, ctx: ctx, request: r, identify: identify, offset: offset, left: length}
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

// ahead is how many bytes are had before any is returned.
const ahead = 64 << 10

// Section is a stretch of an answer. After each failure it must get further before
// there have been too many.
type Section struct {
	client   *Client
	ctx      context.Context
	request  Request
	identify func(*http.Response) (string, error)
	offset   int64
	left     int64 // to read, or -1
	identity string
	body     io.ReadCloser
	failures int
}

// Identity returns what the answer was identified by.
func (s *Section) Identity() string { return s.identity }

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
	err := s.client.Do(s.ctx, r, s.take)
	if IsStatus(err, http.StatusRequestedRangeNotSatisfiable) { // it is shorter
		s.body, s.left = http.NoBody, 0
		return nil
	}
	return err
}

func (s *Section) take(answer *http.Response) error {
	identity, err := s.identify(answer)
	if err == nil && s.identity != "" && identity != s.identity {
		err = errors.New("it was replaced while it was read")
	}
	size := answer.ContentLength
	if err == nil && answer.StatusCode == http.StatusOK { // no ranges here
		_, err = io.CopyN(io.Discard, answer.Body, s.offset)
		if err == io.EOF {
			err = nil
		}
		size = max(size-s.offset, -1)
	}
	body := bufio.NewReaderSize(answer.Body, ahead)
	if err == nil {
		if _, err = body.Peek(ahead); err == io.EOF {
			err = nil
		}
	}
	if err != nil {
		answer.Body.Close()
		return err
	}
	if s.left < 0 || 0 <= size && size < s.left {
		s.left = size
	}
	s.identity, s.body = identity, readAhead{body, answer.Body}
	return nil
}

type readAhead struct {
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
			return n, nil // an error comes again
		}
		_, again := errors.AsType[passing](err)
		if s.ctx.Err() != nil {
			return 0, s.ctx.Err()
		}
		if !again || s.failures >= retries {
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
