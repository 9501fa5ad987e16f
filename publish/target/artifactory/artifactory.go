// Package artifactory is a generic repository of JFrog Artifactory as a place for a
// site, through its published REST API (https://jfrog.com/help/r/jfrog-rest-apis).
//
//	PUT /<repo>/<key>   X-Checksum-Deploy: true   X-Checksum-Sha256: <hash>   content the server has
//	PUT /<repo>/<key>                             X-Checksum-Sha256: <hash>   content it has not
//	GET /<repo>/<key>   Range: bytes=…
//	DELETE /<repo>/<key>
//	GET /api/storage/<repo>/<folder>?list&deep=1&listFolders=0
//
// Content is first offered by its hash alone: what any repository of the server has,
// and the token may read, is never sent again; that is also how objects are copied.
// What is sent is checked by the server, and its answer by us, since a repository can
// be told to trust whatever arrives.
//
// Listing needs a licence ("Pro") and a token, even where everybody may read. To
// replace an object, its CURRENT above all, the token needs the permission to delete
// besides the one to deploy. There is no conditional PUT, so [Target.Swap] takes turns
// by [target.SwapLocked].
//
// The server tells media types by the ends of names, in its own mimetypes.xml, and
// does not keep the one of an object; nor does it keep Cache-Control. Folders stay
// when they are empty: to delete one means to delete what it holds by then, perhaps
// what somebody has just put there.
//
// The tests run against a stand-in. If GALBUILD_TEST_ARTIFACTORY is set to the URL of
// a repository, or of a folder in one, https://host/artifactory/repo/folder, they run
// against that one too, with ARTIFACTORY_TOKEN.
package artifactory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/publish/target"
	"galbuild/publish/target/internal/rest"
)

// Config says where the repository is.
type Config struct {
	// URL is the address of the service, such as https://repo.example.com/artifactory.
	URL string
	// Repo is the key of a local generic repository.
	Repo string
	// Prefix is the folder in it. "" is its root.
	Prefix string
	// Token is sent as Bearer. "" takes ARTIFACTORY_TOKEN; if that is empty, nothing is
	// sent, which may do for reading.
	Token string
	// CA is a file of PEM certificates that are trusted besides the system's.
	CA string
	// Transport sends the requests. nil is one that honours HTTP_PROXY, HTTPS_PROXY,
	// NO_PROXY and CA.
	Transport http.RoundTripper

	sleep func(context.Context, time.Duration) error // for tests
}

// Target is a folder of a repository.
type Target struct {
	client *rest.Client
	base   string // the service, without a slash at its end
	repo   string
	prefix string // "" or with a slash at its end
	token  string
}

// New returns a place. It asks nothing of the server yet.
func New(c Config) (*Target, error) {
	base, err := url.Parse(c.URL)
	switch {
	case err != nil:
		return nil, errors.New("artifactory: the URL cannot be read") // it may hold a password
	case base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		return nil, fmt.Errorf("artifactory: URL %q: want one such as https://host/artifactory", base.Redacted())
	case base.User != nil:
		return nil, errors.New("artifactory: the URL has a user in it; set ARTIFACTORY_TOKEN instead")
	case base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("artifactory: the URL has a ? or a # in it")
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

// identify takes an object for what its ETag says. For a folder the server answers
// with a page about it, at the folder's name and a slash.
func identify(answer *http.Response) (string, error) {
	if strings.HasSuffix(answer.Request.URL.Path, "/") {
		return "", target.ErrNotExist
	}
	return answer.Header.Get("Etag"), nil
}

// offerFrom is from how many bytes on content is offered by its hash: the request that
// does is as long.
const offerFrom = 512

// Put implements [target.Target].
func (t *Target) Put(ctx context.Context, o target.Object) error {
	if o.Size < offerFrom {
		return t.failed("put", o.Key, t.upload(ctx, o))
	}
	known, err := t.deploy(ctx, o)
	if err == nil && !known {
		err = t.upload(ctx, o)
	}
	return t.failed("put", o.Key, err)
}

// deploy makes o of content the server has, if it has it.
func (t *Target) deploy(ctx context.Context, o target.Object) (known bool, err error) {
	r := t.request(http.MethodPut, "", o.Key)
	r.Header.Set("X-Checksum-Deploy", "true")
	r.Header.Set("X-Checksum-Sha256", o.SHA256.String())
	err = t.client.Do(ctx, r, rest.Done)
	if rest.IsStatus(err, http.StatusNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (t *Target) upload(ctx context.Context, o target.Object) error {
	r := t.request(http.MethodPut, "", o.Key)
	r.Header.Set("X-Checksum-Sha256", o.SHA256.String())
	r.Body, r.Size = o.Reader, o.Size
	var made struct{ Checksums struct{ SHA256 string } }
	if err := t.client.Do(ctx, r, rest.JSON(&made)); err != nil {
		return err
	}
	if got := made.Checksums.SHA256; got != "" && got != o.SHA256.String() {
		return fmt.Errorf("the server has stored other bytes: their SHA-256 is %s, want %s", got, o.SHA256)
	}
	return nil
}

// Copy implements [target.Target]: content the server has needs no bytes. The API's
// own copying would do no more, since it copies whatever is there by then.
func (t *Target) Copy(ctx context.Context, from string, o target.Object) error {
	known, err := t.deploy(ctx, o)
	if err == nil && !known {
		if err := t.find(ctx, from); err != nil {
			return t.failed("copy", from, err)
		}
		err = t.upload(ctx, o)
	}
	return t.failed("copy to", o.Key, err)
}

// find returns nil if there is an object at key.
func (t *Target) find(ctx context.Context, key string) error {
	var item struct{ Children *json.RawMessage } // of a folder
	err := t.client.Do(ctx, t.request(http.MethodGet, storageAPI, key), rest.JSON(&item))
	if err == nil && item.Children != nil {
		return target.ErrNotExist
	}
	return err
}

// List implements [target.Target]. The server lists a folder in one answer.
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

// A listed is a file of a list.
type listed struct {
	URI          string // its path below the folder, with a slash before it
	Size         json.Number
	LastModified string
}

// list returns the files below a folder, none if it is not there.
func (t *Target) list(ctx context.Context, dir string) ([]listed, error) {
	r := t.request(http.MethodGet, storageAPI, dir)
	r.URL = strings.TrimRight(r.URL, "/") + "?list&deep=1&listFolders=0"
	var all struct{ Files []listed }
	err := t.client.Do(ctx, r, rest.JSON(&all))
	if rest.IsStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	return all.Files, err
}

// iso8601 is how the server writes times, unless with a zone that RFC 3339 knows.
const iso8601 = "2006-01-02T15:04:05.999Z0700"

func (f listed) entry(dir string) (target.Entry, error) {
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

// parallel is how many objects are deleted at a time.
const parallel = 8

// Delete implements [target.Target]. Each is looked at first: the server would
// delete a folder with all it holds.
func (t *Target) Delete(ctx context.Context, keys []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, key := range keys {
		group.Go(func() error {
			err := t.find(ctx, key)
			if err == nil {
				err = t.client.Do(ctx, t.request(http.MethodDelete, "", key), rest.Done)
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

// failed says what could not be done, and the way out.
func (t *Target) failed(what, key string, err error) error {
	if err == nil {
		return nil
	}
	if refused, ok := errors.AsType[*rest.Refused](err); ok {
		err = t.refused(what, refused)
	}
	return fmt.Errorf("%s: %s %s: %w", t, what, key, err)
}

func (t *Target) refused(what string, refused *rest.Refused) error {
	switch refused.Status {
	case http.StatusUnauthorized:
		if t.token == "" {
			return errors.New("the server wants a token: set ARTIFACTORY_TOKEN")
		}
		return fmt.Errorf("the server does not accept the token: set ARTIFACTORY_TOKEN to one that is valid%s", said(refused))
	case http.StatusForbidden:
		return fmt.Errorf("the token may not do this: it needs the permissions read, deploy and delete in %s%s", t.repo, said(refused))
	case http.StatusNotFound:
		if what == "get" || what == "copy" {
			return target.ErrNotExist
		}
		return fmt.Errorf("there is no repository %q, or the URL is not that of the service, which often ends in /artifactory%s", t.repo, said(refused))
	}
	return fmt.Errorf("%w%s", refused, said(refused))
}

// said returns what the server said of a refusal, to be added to ours.
func said(refused *rest.Refused) string {
	var told struct{ Errors []struct{ Message string } }
	if json.Unmarshal(refused.Body, &told) != nil || len(told.Errors) == 0 {
		return ""
	}
	return fmt.Sprintf(" (it says %q)", told.Errors[0].Message)
}
