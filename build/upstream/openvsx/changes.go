package openvsx

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/upstream"
)

// sincePrefix is the prefix of a cursor that is a time. All others are the server's own.
const sincePrefix = "since:"

// overlap is how long before the first request the feed begins. Responses to queries may be cached
// for five minutes, the feed ends thirty seconds before the present, and clocks differ: a change
// that is reported although the list had it is harmless, and one that is missed is not.
const overlap = 24 * time.Hour

// feed is a page of the feed of changes, the oldest first.
//
// Source: getChanges in RegistryAPI.java, and
// https://github.com/eclipse-openvsx/openvsx/blob/819bb054f06a6785d738d2027cb5357e6aa3386b/server/src/main/java/org/eclipse/openvsx/json/ChangesResultJson.java
type feed struct {
	result
	Changes    []change `json:"changes"`
	NextCursor string   `json:"nextCursor"` // "" if there are no changes since a time
	HasMore    bool     `json:"hasMore"`
}

// Source:
// https://github.com/eclipse-openvsx/openvsx/blob/819bb054f06a6785d738d2027cb5357e6aa3386b/server/src/main/java/org/eclipse/openvsx/json/ChangeEntryJson.java
type change struct {
	Namespace      string `json:"namespace"`
	Name           string `json:"name"`
	Version        string `json:"version"`
	TargetPlatform string `json:"targetPlatform"`
	State          string `json:"state"` // ACTIVE, INACTIVE or REMOVED
	LastUpdated    string `json:"lastUpdated"`
}

// Changes implements [upstream.Upstream]. Open VSX has the feed since version 1.1.
func (c *Client) Changes(ctx context.Context, cursor string) (*upstream.Changes, error) {
	if cursor == "" {
		cursor = sincePrefix + c.now().UTC().Add(-overlap).Format(time.RFC3339)
		_, err := c.feed(ctx, cursor, 1)
		return &upstream.Changes{Cursor: cursor}, err
	}
	result := &upstream.Changes{Cursor: cursor}
	size := 0
	for range maxPages {
		page, err := c.feed(ctx, result.Cursor, maxPage)
		if err != nil {
			return nil, err
		}
		if size += page.size; size > c.maxList {
			return nil, c.tooLong()
		}
		for _, change := range page.Changes {
			result.All = appendChange(result.All, change)
		}
		if page.NextCursor == "" {
			return result, nil
		}
		result.Cursor = page.NextCursor
		if !page.HasMore {
			return result, nil
		}
	}
	return nil, c.tooLong()
}

// feed requests a page of changes after a cursor. Registries without the feed have no such path.
func (c *Client) feed(ctx context.Context, cursor string, size int) (feed, error) {
	parameters := url.Values{"size": {strconv.Itoa(size)}}
	if since, ok := strings.CutPrefix(cursor, sincePrefix); ok {
		parameters.Set("since", since)
	} else {
		parameters.Set("after", cursor)
	}
	var page feed
	err := c.get(ctx, c.uncached(), "/api/-/version-changes", parameters, &page)
	if errors.Is(err, upstream.ErrNotFound) {
		err = fmt.Errorf("%s has no list of changes: %w", c.base.Host, upstream.ErrUnsupported)
	}
	return page, err
}

// appendChange appends a change. What cannot be one of a package is left out, and so are states
// that are not known.
func appendChange(all []upstream.Change, c change) []upstream.Change {
	platform, err := catalog.ParsePlatform(c.TargetPlatform)
	if err != nil || catalog.CheckIdentity(c.Namespace, c.Name, c.Version) != nil {
		return all
	}
	if c.State != "ACTIVE" && c.State != "INACTIVE" && c.State != "REMOVED" {
		return all
	}
	return append(all, upstream.Change{
		ID: strings.ToLower(c.Namespace + "." + c.Name), Version: c.Version, Platform: platform,
		Removed: c.State != "ACTIVE", When: parseTime(c.LastUpdated),
	})
}
