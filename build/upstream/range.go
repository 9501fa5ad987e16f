package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Range returns a part of the file at an address, and the size of the file. If from is negative,
// the part is the end of the file, and is shorter than length if the file is. The error wraps
// ErrUnsupported if the server sends only whole files.
func (r Requests) Range(ctx context.Context, address string, from, length int64) (part []byte, size int64, err error) {
	want := fmt.Sprintf("bytes=%d-%d", from, from+length-1)
	if from < 0 {
		want = fmt.Sprintf("bytes=-%d", length)
	}
	header := http.Header{"Range": {want}, "Accept-Encoding": {"identity"}}
	err = r.send(ctx, http.MethodGet, address, nil, header, func(response *http.Response) error {
		host := response.Request.URL.Host
		switch response.StatusCode {
		case http.StatusOK:
			return fmt.Errorf("requests for a part of a file are %w: %s sends the whole file", ErrUnsupported, host)
		case http.StatusPartialContent:
		default:
			return checkStatus(response)
		}
		var first, last int64
		if first, last, size, err = parseContentRange(response.Header.Get("Content-Range")); err != nil ||
			last-first >= length || from >= 0 && first != from || from < 0 && last != size-1 {
			return fmt.Errorf("%s sends another part of a file than was requested", host)
		}
		part = make([]byte, last-first+1)
		if _, err := io.ReadFull(response.Body, part); err != nil {
			return fmt.Errorf("%s: %w", host, err)
		}
		return nil
	})
	return part, size, err
}

var errContentRange = errors.New("malformed Content-Range")

// parseContentRange parses the header Content-Range, such as bytes 0-99/1234.
func parseContentRange(text string) (first, last, size int64, err error) {
	text, ok := strings.CutPrefix(text, "bytes ")
	positions, total, hasTotal := strings.Cut(text, "/")
	begin, end, hasEnd := strings.Cut(positions, "-")
	numbers := [3]int64{}
	for i, s := range [...]string{begin, end, total} {
		var invalid error
		numbers[i], invalid = strconv.ParseInt(s, 10, 64)
		ok = ok && invalid == nil && numbers[i] >= 0
	}
	first, last, size = numbers[0], numbers[1], numbers[2]
	if !ok || !hasTotal || !hasEnd || first > last || last >= size {
		return 0, 0, 0, errContentRange
	}
	return first, last, size, nil
}
