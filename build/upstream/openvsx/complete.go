package openvsx

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/upstream"
)

// Complete implements [upstream.Upstream]. The hash is in a file of its own, and the size is that
// of a request with the method HEAD, which Open VSX may count as a download.
func (c *Client) Complete(ctx context.Context, e *upstream.Extension, r *upstream.Release) error {
	if r.Package.SHA256.IsZero() && r.Checksum != "" {
		hash, err := c.checksum(ctx, r.Checksum)
		if err != nil {
			return fmt.Errorf("%s@%s: the hash of the package: %w", e.ID, r.Version, err)
		}
		r.Package.SHA256 = hash
	}
	if r.Package.Size >= 0 {
		return nil
	}
	size, err := c.requests.Size(ctx, r.Package.URL)
	if err != nil {
		return fmt.Errorf("%s@%s: the size of the package: %w", e.ID, r.Version, err)
	}
	r.Package.Size = size
	return nil
}

// checksum returns the hash in a file. It is zero if the file does not exist: the registry adds the
// files of old releases later.
func (c *Client) checksum(ctx context.Context, address string) (blob.Ref, error) {
	text, err := c.requests.Get(ctx, address)
	if errors.Is(err, upstream.ErrNotFound) {
		return blob.Ref{}, nil
	}
	if err != nil {
		return blob.Ref{}, err
	}
	return parseChecksum(text)
}

// parseChecksum parses the hash at the beginning of a file. A name may follow, as sha256sum writes
// it.
func parseChecksum(text []byte) (blob.Ref, error) {
	words := strings.Fields(string(text[:min(len(text), 1000)]))
	if len(words) == 0 {
		return blob.Ref{}, errors.New("want 64 hexadecimal digits, found nothing")
	}
	hash, err := blob.Parse(strings.ToLower(words[0]))
	if err != nil {
		return blob.Ref{}, fmt.Errorf("want 64 hexadecimal digits, found %.100q", words[0])
	}
	return hash, nil
}
