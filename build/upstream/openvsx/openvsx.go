// Package openvsx is the client of the REST interface of Open VSX, which open-vsx.org and private
// registries have. It reads only:
//
//	Extension        GET /api/v2/-/query?namespaceName=…&extensionName=…&includeAllVersions=true
//	List, publisher  GET /api/v2/-/query?namespaceName=…&includeAllVersions=false
//	List, otherwise  GET /api/-/search?query=…&category=…&sortBy=…&size=…&offset=…
//	Complete         GET …/file/….sha256, HEAD …/file/….vsix
//	Changes          GET /api/-/version-changes?after=…&size=…, or since=…
//
// Queries have pages too, with size and offset. Addresses of files are those that responses list;
// the registry redirects them to its storage. [Verify] verifies the signature archives.
//
// What an upstream lists becomes names of files, so releases whose version or platform cannot be
// one are left out, and everything has a limit. Fields of responses that are not read may have any
// form.
//
// Source: the server of Open VSX 1.2,
// https://github.com/eclipse-openvsx/openvsx/blob/12f5b0008465c90cba3da45cf90247dce702740c/server/src/main/java/org/eclipse/openvsx/RegistryAPI.java
package openvsx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"galbuild/build/jsondoc"
	"galbuild/build/upstream"
)

// maxPage is the largest page that the server returns. More is status 400.
//
// Source: the annotations Max in RegistryAPI.java.
const maxPage = 1000

// maxPages is how many pages of a list are requested. The longest known list, of the versions of
// redhat.java, has 3,866 entries.
const maxPages = 200

// maxList is the limit of all pages of a list together, in bytes.
const maxList = 2 * upstream.MaxBody

// Client is the upstream. It may be used by several goroutines at once.
type Client struct {
	base     *url.URL // without credentials
	requests upstream.Requests
	log      *slog.Logger
	now      func() time.Time
	maxList  int // of all pages of a list together, in bytes
}

var _ upstream.Upstream = (*Client)(nil)

// New returns a client of the registry at an address, such as https://open-vsx.org. Credentials are
// in the header of requests, and not in the address.
func New(address string, requests upstream.Requests) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(address, "/"))
	switch {
	case err != nil:
		return nil, errors.New("the address of the registry is malformed") // err contains the address
	case !isHTTP(base):
		return nil, fmt.Errorf("the address of a registry begins with https:// or http://, and not with %q",
			base.Scheme+"://")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("the address of the registry on %s has credentials, a question mark or a fragment; "+
			"write it without", base.Host)
	}
	log := requests.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Client{base, requests, log, time.Now, maxList}, nil
}

func isHTTP(u *url.URL) bool { return (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" }

// Name returns the address of the registry.
func (c *Client) Name() string { return c.base.String() }

// get requests a path with parameters, and decodes the response into v.
func (c *Client) get(ctx context.Context, r upstream.Requests, path string, parameters url.Values, v response) error {
	address := *c.base
	address.Path += path
	address.RawQuery = parameters.Encode()
	text, err := r.Get(ctx, address.String())
	if err != nil {
		return err
	}
	v.received(len(text))
	return c.decode(text, v)
}

// response is what all responses have in common.
//
// Source:
// https://github.com/eclipse-openvsx/openvsx/blob/819bb054f06a6785d738d2027cb5357e6aa3386b/server/src/main/java/org/eclipse/openvsx/json/ResultJson.java
type response interface {
	failure() string
	received(size int)
}

type result struct {
	Error string `json:"error"`

	size int // of the response, in bytes
}

func (r *result) received(size int) { r.size = size }

func (r *result) failure() string { return r.Error }

// decode decodes a response. A response with an error is one, whatever its status.
func (c *Client) decode(text []byte, v response) error {
	if err := upstream.CheckElements(text); err != nil {
		return fmt.Errorf("the response of %s %w", c.base.Host, err)
	}
	err := json.Unmarshal(text, v)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("the response of %s has not the form of Open VSX: %q has the type %s", c.base.Host, e.Field, e.Value)
	}
	if err != nil {
		return fmt.Errorf("the response of %s %w", c.base.Host, jsondoc.Explain(text, err))
	}
	if failure := v.failure(); failure != "" {
		return fmt.Errorf("%s responds: %.200q", c.base.Host, failure)
	}
	return nil
}

// reference is an extension that a response refers to.
type reference struct {
	Namespace string `json:"namespace"`
	Extension string `json:"extension"`
}

// parseTime parses a date of a response. It is zero for one that cannot be that of a release, or
// that JSON cannot express. The server writes dates in UTC with Java's LocalDateTime.toString,
// which leaves out the seconds if they are zero.
//
// Source: toUTCString in
// https://github.com/eclipse-openvsx/openvsx/blob/daef4650eaa37881ce9e7a3e4154869a54f1ae38/server/src/main/java/org/eclipse/openvsx/util/TimeUtil.java
func parseTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		t, err := time.Parse(layout, s)
		if t = t.UTC(); err == nil && t.Year() >= 1980 && t.Year() <= 9999 {
			return t
		}
	}
	return time.Time{}
}
