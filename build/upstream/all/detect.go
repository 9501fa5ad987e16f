package all

import (
	"context"
	"encoding/json"
	"net/url"
	"sync"

	"galbuild/build/retry"
	"galbuild/build/upstream"
	"galbuild/build/upstream/gallery"
	"galbuild/build/upstream/openvsx"
)

// A detected upstream is Open VSX or a gallery, which the first request finds out.
type detected struct {
	address  string
	requests upstream.Requests
	registry *openvsx.Client

	lock  sync.Mutex
	found upstream.Upstream // nil until it is known
	// failures is how often the server could not be asked, and failed is why.
	failures int
	failed   error
}

// maxFailures is after how many failures a server is not asked any more: each takes a minute of
// pauses, and there may be a thousand extensions.
const maxFailures = 3

var _ upstream.Upstream = (*detected)(nil)

func (o *Opener) detect(u *url.URL) (upstream.Upstream, error) {
	if err := checkPlain(u); err != nil {
		return nil, err
	}
	registry, err := openvsx.New(u.String(), o.requests)
	if err != nil {
		return nil, err
	}
	return &detected{address: u.String(), requests: o.requests, registry: registry}, nil
}

// kind returns the upstream. It is Open VSX if the server responds to a search as that does.
func (d *detected) kind(ctx context.Context) (upstream.Upstream, error) {
	d.lock.Lock()
	defer d.lock.Unlock()
	if d.found != nil {
		return d.found, nil
	}
	if d.failures == maxFailures {
		return nil, d.failed
	}
	text, err := d.requests.Get(ctx, d.address+"/api/-/search?size=1")
	switch {
	case ctx.Err() != nil:
		return nil, err
	case retry.IsTemporary(err) || upstream.IsUnreachable(err):
		d.failures, d.failed = d.failures+1, err
		return nil, err
	case err == nil && isSearch(text):
		d.found = d.registry
	default:
		d.found = gallery.New(d.address, d.requests)
	}
	return d.found, nil
}

// isSearch reports whether a text is Open VSX's response to a search.
func isSearch(text []byte) bool {
	var response struct {
		TotalSize  *int64             `json:"totalSize"`
		Extensions *[]json.RawMessage `json:"extensions"`
	}
	return json.Unmarshal(text, &response) == nil && response.TotalSize != nil && response.Extensions != nil
}

// Name implements [upstream.Upstream].
func (d *detected) Name() string { return d.address }

// Extension implements [upstream.Upstream].
func (d *detected) Extension(ctx context.Context, id string) (*upstream.Extension, error) {
	u, err := d.kind(ctx)
	if err != nil {
		return nil, err
	}
	return u.Extension(ctx, id)
}

// Complete implements [upstream.Upstream].
func (d *detected) Complete(ctx context.Context, e *upstream.Extension, r *upstream.Release) error {
	u, err := d.kind(ctx)
	if err != nil {
		return err
	}
	return u.Complete(ctx, e, r)
}

// List implements [upstream.Upstream].
func (d *detected) List(ctx context.Context, l upstream.Listing) ([]string, error) {
	u, err := d.kind(ctx)
	if err != nil {
		return nil, err
	}
	return u.List(ctx, l)
}

// Changes implements [upstream.Upstream].
func (d *detected) Changes(ctx context.Context, cursor string) (*upstream.Changes, error) {
	u, err := d.kind(ctx)
	if err != nil {
		return nil, err
	}
	return u.Changes(ctx, cursor)
}
