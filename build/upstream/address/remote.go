package address

import (
	"context"
	"errors"
	"fmt"
	"io"

	"galbuild/build/catalog"
	"galbuild/build/upstream"
	"galbuild/build/vsix"
)

// A remote is a file of which parts are requested as they are read. It keeps what it has received,
// and is for one goroutine.
type remote struct {
	ctx      context.Context
	requests upstream.Requests
	address  string
	size     int64
	parts    []part
}

// A part is a part of a file, and begins at an offset.
type part struct {
	from int64
	data []byte
}

// The directory of most packages is in the first request, and package.json in the second.
const (
	tailBytes = 64 << 10
	partBytes = 128 << 10
	maxParts  = 32
)

// openRemote requests the end of a file.
func openRemote(ctx context.Context, r upstream.Requests, address string) (*remote, error) {
	tail, size, err := r.Range(ctx, address, -1, tailBytes)
	if err != nil {
		return nil, err
	}
	return &remote{
		ctx: ctx, requests: r, address: address, size: size,
		parts: []part{{size - int64(len(tail)), tail}},
	}, nil
}

// ReadAt implements [io.ReaderAt].
func (r *remote) ReadAt(b []byte, at int64) (n int, err error) {
	for n < len(b) {
		if at+int64(n) >= r.size {
			return n, io.EOF
		}
		from, err := r.at(at+int64(n), int64(len(b)-n))
		if err != nil {
			return n, err
		}
		n += copy(b[n:], from)
	}
	return n, nil
}

// at returns what has been received from an offset on, and requests it first if that is nothing.
func (r *remote) at(from, length int64) ([]byte, error) {
	end := r.size
	for _, p := range r.parts {
		if i := from - p.from; i >= 0 && i < int64(len(p.data)) {
			return p.data[i:], nil
		}
		if p.from > from {
			end = min(end, p.from)
		}
	}
	if len(r.parts) == maxParts {
		return nil, fmt.Errorf("more than %d requests are needed to find out what the package is", maxParts)
	}
	data, size, err := r.requests.Range(r.ctx, r.address, from, min(max(length, partBytes), end-from))
	switch {
	case err != nil:
		return nil, err
	case size != r.size || len(data) == 0:
		return nil, errors.New("the package was replaced while it was read")
	}
	r.parts = append(r.parts, part{from, data})
	return data, nil
}

// release returns the release that a package is.
func release(p *vsix.Package, file upstream.File) upstream.Release {
	r := upstream.Release{
		Version: p.Version, Platform: p.Platform, PreRelease: p.PreRelease, Licence: p.Licence,
		Dependencies: p.Dependencies, Pack: p.Pack, Package: file,
	}
	for _, property := range p.Properties {
		if property.Key == catalog.PropertyEngine {
			r.Engine = property.Value
		}
	}
	return r
}
