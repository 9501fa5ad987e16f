// Package artifactory implements a target as a folder of a generic repository of JFrog
// Artifactory, with its REST API (https://jfrog.com/help/r/jfrog-rest-apis).
//
//	PUT /<repo>/<key>   X-Checksum-Deploy: true   X-Checksum-Sha256: <hash>   existing content
//	PUT /<repo>/<key>                             X-Checksum-Sha256: <hash>   other content
//	GET /<repo>/<key>   Range: bytes=…
//	DELETE /<repo>/<key>
//	GET /api/storage/<repo>/<folder>?list&deep=1&listFolders=0
//
// An upload first offers the hash alone. If any repository of the server that the token may read
// has the content, it is not sent; objects are copied in the same way. The server checks content
// that is sent. Because a repository can be configured to accept any content, the client also
// checks the hash in the response.
//
// Listing needs a licence ("Pro") and a token, even for a public repository. Replacing an object,
// such as CURRENT, needs the permission to delete in addition to the one to deploy. There are no
// conditional writes, so [Target.Swap] uses [target.SwapLocked].
//
// The server derives media types from the extensions of names, by its own mimetypes.xml. It stores
// neither the media type of an object nor Cache-Control. Empty folders stay: deleting a folder
// would delete everything in it, perhaps objects that another process has just put there.
//
// The tests run against a fake server. If GALBUILD_TEST_ARTIFACTORY is the URL of a repository or
// of a folder in one, https://host/artifactory/repo/folder, they also run against that, with
// ARTIFACTORY_TOKEN.
package artifactory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/publish/target"
	"galbuild/publish/target/internal/rest"
	"galbuild/publish/target/internal/weburl"
)

// Config names a folder of a repository and has the credentials for it.
type Config struct {
	// URL is the address of the service, such as https://repo.example.com/artifactory.
	URL string
	// Repo is the key of a local generic repository.
	Repo string
	// Prefix is the folder in it. "" is its root.
	Prefix string
	// Token is the bearer token. The default is the variable ARTIFACTORY_TOKEN. Without either,
	// requests have no token, which is enough to read a public repository.
	Token string
	// CA is a file of PEM certificates that are trusted in addition to the system's.
	CA string
	// Transport sends the requests. The default honours CA and the variables HTTP_PROXY,
	// HTTPS_PROXY and NO_PROXY.
	Transport http.RoundTripper

	sleep func(context.Context, time.Duration) error // for tests
}

// Target is a folder of a repository.
type Target struct {
	client *rest.Client
	base   string // URL of the service, without a trailing slash
	repo   string
	prefix string // "", or a path with a trailing slash
	token  string
}

// New returns a target. It sends no request.
func New(c Config) (*Target, error) {
	base, err := weburl.Parse(c.URL, "https://host/artifactory")
	switch {
	case err != nil:
		return nil, fmt.Errorf("artifactory: %w", err)
	case base.User != nil:
		return nil, errors.New("artifactory: the address contains a user; set ARTIFACTORY_TOKEN instead")
	case c.Repo == "" || strings.Contains(c.Repo, "/"):
		return nil, fmt.Errorf("artifactory: %q is not the key of a repository", c.Repo)
	}
	client, err := rest.New(rest.Config{CA: c.CA, Transport: c.Transport, Sleep: c.sleep})
	if err != nil {
		return nil, fmt.Errorf("artifactory: %w", err)
	}
	t := &Target{client: client, base: strings.TrimRight(c.URL, "/"), repo: c.Repo, token: c.Token}
	if t.token == "" {
		t.token = strings.TrimSpace(os.Getenv("ARTIFACTORY_TOKEN"))
	}
	if prefix := strings.Trim(c.Prefix, "/"); prefix != "" {
		t.prefix = prefix + "/"
	}
	return t, nil
}

// String implements [target.Target].
func (t *Target) String() string {
	return strings.TrimRight(t.base+"/"+t.repo+"/"+t.prefix, "/")
}

func (t *Target) request(method, api, key string) rest.Request {
	r := rest.Request{Method: method, URL: t.base + api + "/" + rest.EscapePath(t.repo+"/"+t.prefix+key), Header: http.Header{}}
	if t.token != "" {
		r.Header.Set("Authorization", "Bearer "+t.token)
	}
	return r
}

const storageAPI = "/api/storage"

// Get implements [target.Target].
func (t *Target) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	r, err := t.client.Open(ctx, t.request(http.MethodGet, "", key), offset, length, identify)
	if err != nil {
		return nil, t.failed("get", key, err)
	}
	return r, nil
}

// identify returns the entity tag of an object. For a folder, the server redirects to a page at
// the folder's name with a slash; this is ErrNotExist.
func identify(response *http.Response) (string, error) {
	if strings.HasSuffix(response.Request.URL.Path, "/") {
		return "", target.ErrNotExist
	}
	return response.Header.Get("Etag"), nil
}

// minDeploy is the minimum size of content that is first offered by its hash, in bytes. The
// request with the hash has about this size.
const minDeploy = 512

// Put implements [target.Target].
func (t *Target) Put(ctx context.Context, o target.Object) error {
	if o.Size < minDeploy {
		return t.failed("put", o.Key, t.upload(ctx, o))
	}
	deployed, err := t.deploy(ctx, o)
	if err == nil && !deployed {
		err = t.upload(ctx, o)
	}
	return t.failed("put", o.Key, err)
}

// deploy creates o if the server has its content, and reports whether it did.
func (t *Target) deploy(ctx context.Context, o target.Object) (deployed bool, err error) {
	r := t.request(http.MethodPut, "", o.Key)
	r.Header.Set("X-Checksum-Deploy", "true")
	r.Header.Set("X-Checksum-Sha256", o.SHA256.String())
	err = t.client.Do(ctx, r, rest.Discard)
	if rest.IsStatus(err, http.StatusNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (t *Target) upload(ctx context.Context, o target.Object) error {
	r := t.request(http.MethodPut, "", o.Key)
	r.Header.Set("X-Checksum-Sha256", o.SHA256.String())
	r.Body, r.Size = o.Reader, o.Size
	var created struct{ Checksums struct{ SHA256 string } }
	if err := t.client.Do(ctx, r, rest.JSON(&created)); err != nil {
		return err
	}
	if got := created.Checksums.SHA256; got != "" && got != o.SHA256.String() {
		return fmt.Errorf("the server has stored different content: its SHA-256 is %s, want %s", got, o.SHA256)
	}
	return nil
}

// Copy implements [target.Target]. It deploys the content by its hash. The API also has a call to
// copy, but that would copy whatever content is at from by then.
func (t *Target) Copy(ctx context.Context, from string, o target.Object) error {
	deployed, err := t.deploy(ctx, o)
	if err == nil && !deployed {
		if err := t.checkExists(ctx, from); err != nil {
			return t.failed("copy", from, err)
		}
		err = t.upload(ctx, o)
	}
	return t.failed("copy to", o.Key, err)
}

// checkExists returns ErrNotExist, or a 404 from the server, if there is no object at key.
func (t *Target) checkExists(ctx context.Context, key string) error {
	var item struct{ Children *json.RawMessage } // only folders have children
	err := t.client.Do(ctx, t.request(http.MethodGet, storageAPI, key), rest.JSON(&item))
	if err == nil && item.Children != nil {
		return target.ErrNotExist
	}
	return err
}

// List implements [target.Target]. The server lists a folder in one response.
func (t *Target) List(ctx context.Context, prefix string) iter.Seq2[target.Entry, error] {
	return func(yield func(target.Entry, error) bool) {
		dir := prefix[:strings.LastIndex(prefix, "/")+1]
		files, err := t.list(ctx, dir)
		if err != nil {
			yield(target.Entry{}, t.failed("list", prefix, err))
			return
		}
		for _, f := range files {
			e, err := f.entry(dir)
			if err != nil {
				yield(target.Entry{}, t.failed("list", prefix, err))
				return
			}
			if strings.HasPrefix(e.Key, prefix) && !yield(e, nil) {
				return
			}
		}
	}
}

// A listedFile is a file in the response to a list request.
type listedFile struct {
	URI          string // path below the folder, with a leading slash
	Size         json.Number
	LastModified string
}

// list returns the files below a folder, or none if it does not exist.
func (t *Target) list(ctx context.Context, dir string) ([]listedFile, error) {
	r := t.request(http.MethodGet, storageAPI, dir)
	r.URL = strings.TrimRight(r.URL, "/") + "?list&deep=1&listFolders=0"
	var folder struct{ Files []listedFile }
	err := t.client.Do(ctx, r, rest.JSON(&folder))
	if rest.IsStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	return folder.Files, err
}

// iso8601 is the format of times whose zone has no colon. Otherwise they have the format of
// RFC 3339.
const iso8601 = "2006-01-02T15:04:05.999Z0700"

func (f listedFile) entry(dir string) (target.Entry, error) {
	size, err := f.Size.Int64()
	if err != nil {
		return target.Entry{}, fmt.Errorf("the size of %q is %q", f.URI, f.Size)
	}
	modified, err := time.Parse(time.RFC3339, f.LastModified)
	if err != nil {
		if modified, err = time.Parse(iso8601, f.LastModified); err != nil {
			return target.Entry{}, fmt.Errorf("the time of %q is %q", f.URI, f.LastModified)
		}
	}
	return target.Entry{Key: dir + strings.TrimPrefix(f.URI, "/"), Size: size, Modified: modified}, nil
}

// parallel is how many objects are deleted at once.
const parallel = 8

// Delete implements [target.Target]. It first checks that each key is an object, because the
// server would delete a folder with everything in it.
func (t *Target) Delete(ctx context.Context, keys []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, key := range keys {
		group.Go(func() error {
			err := t.checkExists(ctx, key)
			if err == nil {
				err = t.client.Do(ctx, t.request(http.MethodDelete, "", key), rest.Discard)
			}
			if errors.Is(err, target.ErrNotExist) || rest.IsStatus(err, http.StatusNotFound) {
				return nil
			}
			return t.failed("delete", key, err)
		})
	}
	return group.Wait()
}

// Swap implements [target.Target].
func (t *Target) Swap(ctx context.Context, old []byte, o target.Object) error {
	return target.SwapLocked(ctx, t, old, o)
}

// failed returns err with the operation, the key and a hint.
func (t *Target) failed(operation, key string, err error) error {
	if err == nil {
		return nil
	}
	if status, ok := errors.AsType[*rest.StatusError](err); ok {
		err = t.explain(operation, status)
	}
	return fmt.Errorf("%s: %s %s: %w", t, operation, key, err)
}

// explain returns the error response with a hint and the server's message.
func (t *Target) explain(operation string, e *rest.StatusError) error {
	switch e.Status {
	case http.StatusUnauthorized:
		if t.token == "" {
			return errors.New("the server requires a token: set ARTIFACTORY_TOKEN")
		}
		return fmt.Errorf("the server does not accept the token: set ARTIFACTORY_TOKEN to one that is valid%s", serverMessage(e))
	case http.StatusForbidden:
		return fmt.Errorf("the token lacks a permission: it needs read, deploy and delete in %s%s", t.repo, serverMessage(e))
	case http.StatusNotFound:
		if operation == "get" || operation == "copy" {
			return target.ErrNotExist
		}
		return fmt.Errorf("there is no repository %q, or the URL is not that of the service, which often ends in /artifactory%s", t.repo, serverMessage(e))
	}
	return fmt.Errorf("%w%s", e, serverMessage(e))
}

// serverMessage returns the server's message in parentheses, or "" if there is none.
func serverMessage(e *rest.StatusError) string {
	var body struct{ Errors []struct{ Message string } }
	if json.Unmarshal(e.Body, &body) != nil || len(body.Errors) == 0 {
		return ""
	}
	return fmt.Sprintf(" (the server's message: %q)", body.Errors[0].Message)
}
