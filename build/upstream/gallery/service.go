package gallery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"galbuild/build/retry"
	"galbuild/build/upstream"
)

// queryPath is the path of queries below the address of a service.
const queryPath = "/extensionquery"

// servicePaths are where servers have their service: galshim and code-marketplace, Microsoft's
// servers, and Open VSX.
var servicePaths = [...]string{"/api", "/_apis/public/gallery", "/vscode/gallery"}

// IsService reports whether the path of an address is that of a service or of its manifest.
func IsService(path string) bool {
	return len(services(path)) == 1 || strings.HasSuffix(path, "/manifest.json")
}

// services returns the addresses at which the service may be.
func services(address string) (all []string) {
	address = strings.TrimSuffix(address, queryPath)
	for _, path := range servicePaths {
		if strings.HasSuffix(address, path) {
			return []string{address}
		}
		all = append(all, address+path)
	}
	return append(all, address)
}

// find sends the first query to each address at which the service may be, until one responds to it.
func (c *Client) find(ctx context.Context, body []byte) (*result, error) {
	var reason error
	for _, service := range services(c.address) {
		found, err := c.post(ctx, service, body)
		if err == nil {
			c.service = service
			return found, nil
		}
		if ctx.Err() != nil || retry.IsTemporary(err) || upstream.IsUnreachable(err) {
			return nil, err
		}
		if reason == nil || errors.Is(reason, upstream.ErrNotFound) {
			reason = err
		}
	}
	if service := c.serviceOfManifest(ctx); service != "" {
		found, err := c.post(ctx, service, body)
		if err == nil {
			c.service = service
		}
		return found, err
	}
	return nil, c.notGallery(reason)
}

// notGallery returns the error for an address at which there is no service. It does not wrap
// ErrNotFound, which would mean that a gallery does not have the extension.
func (c *Client) notGallery(reason error) error {
	const hint = "give the address that editors have as serviceUrl"
	if errors.Is(reason, upstream.ErrNotFound) {
		return fmt.Errorf("%s is not a gallery: it has none of %s/extensionquery; %s",
			c.address, strings.Join(servicePaths[:], "/extensionquery, "), hint)
	}
	return fmt.Errorf("%s does not respond as a gallery: %w; %s", c.address, reason, hint)
}

// serviceOfManifest returns the address of the service that the manifest of a gallery has, or "" if
// the address is not that of a manifest. Private marketplaces are configured with theirs.
func (c *Client) serviceOfManifest(ctx context.Context) string {
	text, err := c.requests.Get(ctx, c.address)
	if err != nil {
		return ""
	}
	var manifest struct {
		Resources []struct{ ID, Type string }
	}
	if json.Unmarshal(text, &manifest) != nil {
		return ""
	}
	for _, r := range manifest.Resources {
		if kind, _, _ := strings.Cut(r.Type, "/"); kind == "ExtensionQueryService" && c.checkURL(r.ID) == nil {
			return strings.TrimSuffix(r.ID, queryPath)
		}
	}
	return ""
}
