// Package gallery is an upstream that speaks the gallery protocol of editors:
// galshim, code-marketplace, a private marketplace, and Open VSX below /vscode/gallery.
//
//	POST {service}/extensionquery ▶ the extensions that match, each with its versions
//	HEAD {assetUri}/…VSIXPackage  ▶ the size of a package
//
// The protocol states no hashes and has no feed of changes. Where servers differ, a request has
// only what all understand in the same way, and the rest is applied to the response.
//
// Sources: extensionGalleryService.ts of VS Code; VSCodeAPI.java of Open VSX;
// https://github.com/coder/code-marketplace/blob/f5cc24d4e8e16e4ea98f565acde5b661893bb8c5/database/nodb.go
package gallery

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"galbuild/build/upstream"
)

// Client is the gallery at an address. Its methods may be called by several goroutines at once.
type Client struct {
	address  string
	requests upstream.Requests

	lock    sync.Mutex
	service string // where queries are sent; "" until it is known
}

var _ upstream.Upstream = (*Client)(nil)

// New returns the gallery at an http or https URL without credentials, query and fragment: the
// address of its service, such as https://host/api, the beginning of it, such as https://host, or
// the address of its manifest. The first query finds out which.
func New(address string, r upstream.Requests) *Client {
	return &Client{address: strings.TrimRight(address, "/"), requests: r}
}

// Name implements [upstream.Upstream].
func (c *Client) Name() string { return c.address }

// Extension implements [upstream.Upstream].
func (c *Client) Extension(ctx context.Context, id string) (*upstream.Extension, error) {
	found, err := c.query(ctx, byID(id))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	for i := range found.extensions {
		if e := &found.extensions[i]; strings.EqualFold(e.id(), id) {
			return c.describe(e)
		}
	}
	return nil, fmt.Errorf("%s: %w", id, upstream.ErrNotFound)
}

// Complete implements [upstream.Upstream]. It requests the size of the package.
func (c *Client) Complete(ctx context.Context, _ *upstream.Extension, r *upstream.Release) error {
	if r.Package.Size >= 0 {
		return nil
	}
	size, err := c.requests.Size(ctx, r.Package.URL)
	if err != nil {
		return err
	}
	r.Package.Size = size
	return nil
}

// Changes implements [upstream.Upstream]. Galleries have no feed.
func (c *Client) Changes(context.Context, string) (*upstream.Changes, error) {
	return nil, fmt.Errorf("changes of %s: %w", c.address, upstream.ErrUnsupported)
}
