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
// Package repository has the other half of this one, reading.
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
	"iter"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/publish/target"
	"galbuild/publish/target/artifactory/repository"
	"galbuild/publish/target/internal/rest"
)

// Config names a folder of a repository and has the credentials for it.
type Config = repository.Config

// Target is a folder of a repository.
type Target struct{ *repository.Repository }

// New returns a target. It sends no request.
func New(c Config) (*Target, error) {
	r, err := repository.New(c)
	if err != nil {
		return nil, err
	}
	return &Target{r}, nil
}

const storageAPI = "/api/storage"

// minDeploy is the minimum size of content that is first offered by its hash, in bytes. The
// request with the hash has about this size.
const minDeploy = 512

// Put implements [target.Target].
func (t *Target) Put(ctx context.Context, o target.Object) error {
	if o.Size < minDeploy {
		return t.Failed("put", o.Key, t.upload(ctx, o))
	}
	deployed, err := t.deploy(ctx, o)
	if err == nil && !deployed {
		err = t.upload(ctx, o)
	}
	return t.Failed("put", o.Key, err)
}

// deploy creates o if the server has its content, and reports whether it did.
func (t *Target) deploy(ctx context.Context, o target.Object) (deployed bool, err error) {
	r := t.Request(http.MethodPut, "", o.Key)
	r.Header.Set("X-Checksum-Deploy", "true")
	r.Header.Set("X-Checksum-Sha256", o.SHA256.String())
	err = t.Do(ctx, r, rest.Discard)
	if rest.IsStatus(err, http.StatusNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (t *Target) upload(ctx context.Context, o target.Object) error {
	r := t.Request(http.MethodPut, "", o.Key)
	r.Header.Set("X-Checksum-Sha256", o.SHA256.String())
	r.Body, r.Size = o.Reader, o.Size
	var created struct{ Checksums struct{ SHA256 string } }
	if err := t.Do(ctx, r, rest.JSON(&created)); err != nil {
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
			return t.Failed("copy", from, err)
		}
		err = t.upload(ctx, o)
	}
	return t.Failed("copy to", o.Key, err)
}

// checkExists returns ErrNotExist, or a 404 from the server, if there is no object at key.
func (t *Target) checkExists(ctx context.Context, key string) error {
	var item struct{ Children *json.RawMessage } // only folders have children
	err := t.Do(ctx, t.Request(http.MethodGet, storageAPI, key), rest.JSON(&item))
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
			yield(target.Entry{}, t.Failed("list", prefix, err))
			return
		}
		for _, f := range files {
			e, err := f.entry(dir)
			if err != nil {
				yield(target.Entry{}, t.Failed("list", prefix, err))
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
	r := t.Request(http.MethodGet, storageAPI, dir)
	r.URL = strings.TrimRight(r.URL, "/") + "?list&deep=1&listFolders=0"
	var folder struct{ Files []listedFile }
	err := t.Do(ctx, r, rest.JSON(&folder))
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
				err = t.Do(ctx, t.Request(http.MethodDelete, "", key), rest.Discard)
			}
			if errors.Is(err, target.ErrNotExist) || rest.IsStatus(err, http.StatusNotFound) {
				return nil
			}
			return t.Failed("delete", key, err)
		})
	}
	return group.Wait()
}

// Swap implements [target.Target].
func (t *Target) Swap(ctx context.Context, old []byte, o target.Object) error {
	return target.SwapLocked(ctx, t, old, o)
}
