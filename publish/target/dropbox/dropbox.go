// Package dropbox is a folder of a Dropbox as a place for a site, through the published
// HTTP API (https://www.dropbox.com/developers/documentation/http).
//
//	files/upload                                      up to 8 MiB, in one request
//	files/upload_session/start, append_v2, finish     more, 8 MiB a request
//	files/download   Range: bytes=…
//	files/list_folder, list_folder/continue           2,000 entries a page
//	files/get_metadata · copy_v2 · delete_batch, delete_batch/check
//
// Each request with bytes says their content hash (the SHA-256 of the SHA-256s of
// blocks of 4 MiB), which Dropbox checks, and what a file holds in the end is checked
// again. Pieces are read, checked and held in memory before they are sent: what turns
// out to be other bytes is never sent whole, and a connection that breaks costs a
// piece. [Target.Swap] names the revision it replaces (mode update, or add if there is
// none, with strict_conflict): of several at a time one succeeds.
//
// Dropbox does not tell upper from lower case, sites do: …/latest is there as
// Publisher/Name and as publisher/name. Put and Copy do nothing where the same bytes
// are under the other spelling already, since they are read under either; List yields
// one of the two, and to delete it deletes both. Other bytes under a key of another
// spelling are refused, rather than that two files of a package take turns. An object
// that may change, such as …/latest, replaces one whose folders are spelled otherwise.
// So where a publisher changes nothing but the case of a name, the …/latest of the old
// spelling, which is removed, is that of the new one too.
//
// Copy cannot replace: where something else is at its key, bytes are sent. Some names
// Dropbox does not keep, such as .DS_Store, Thumbs.db, with a backslash or a space at
// their end, or longer than 255 characters: they are refused before anything is sent.
// Dropbox keeps neither media types nor cache headers. Empty folders stay.
//
// There is an SDK for Go, github.com/dropbox/dropbox-sdk-go-unofficial, which is kept
// up. It is not used: as of v6.6.3 it writes characters beyond ASCII into the header
// Dropbox-API-Arg as they are, where the API wants them escaped; its calls are tried
// again neither after a broken connection nor after most errors of servers; and it is
// ten thousand generated lines and an OAuth library for the calls above.
//
// The tests run against a stand-in. If GALBUILD_TEST_DROPBOX is set to the path of a
// folder they run against that one too, with DROPBOX_TOKEN.
package dropbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"galbuild/publish/target"
	"galbuild/publish/target/internal/rest"
)

// Config says which folder it is, and whose.
type Config struct {
	// Path is the folder, such as /galleries/site. "" is the root, which for an app
	// with a folder of its own is that folder.
	Path string
	// Token is an access token. "" takes DROPBOX_TOKEN.
	Token string
	// RefreshToken lasts, where access tokens end after four hours; with it, Token is
	// not needed. It is that of the app with AppKey, and AppSecret if it was not had by
	// PKCE. "" take DROPBOX_REFRESH_TOKEN, DROPBOX_APP_KEY and DROPBOX_APP_SECRET.
	RefreshToken, AppKey, AppSecret string
	// CA is a file of PEM certificates that are trusted besides the system's.
	CA string
	// Transport sends the requests. nil is one that honours HTTP_PROXY, HTTPS_PROXY,
	// NO_PROXY and CA.
	Transport http.RoundTripper

	sleep func(context.Context, time.Duration) error // for tests
}

// Target is a folder.
type Target struct {
	client *rest.Client
	tokens *tokens
	root   string // "" or with a slash before it
}

// New returns a place. It asks nothing of Dropbox yet.
func New(c Config) (*Target, error) {
	client, err := rest.New(rest.Config{CA: c.CA, Transport: c.Transport, Passing: isPassing, Sleep: c.sleep})
	if err != nil {
		return nil, fmt.Errorf("dropbox: %w", err)
	}
	t := &Target{client: client}
	if root := strings.Trim(c.Path, "/"); root != "" {
		if err := checkName(root); err != nil {
			return nil, fmt.Errorf("dropbox: folder %q: %w", c.Path, err)
		}
		t.root = "/" + root
	}
	if t.tokens, err = newTokens(client, c); err != nil {
		return nil, err
	}
	return t, nil
}

// String implements [target.Target].
func (t *Target) String() string { return "dropbox:/" + strings.TrimPrefix(t.root, "/") }

// path returns where an object is, if Dropbox can keep it.
func (t *Target) path(key string) (string, error) {
	return t.root + "/" + key, checkName(key)
}

// key returns the object that is at a path, which Dropbox may spell otherwise.
func (t *Target) key(path string) string {
	parts := strings.SplitN(path, "/", strings.Count(t.root, "/")+2)
	return parts[len(parts)-1]
}

// Get implements [target.Target].
func (t *Target) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	r, err := t.open(ctx, key, offset, length)
	if err != nil {
		return nil, t.failed("get", key, err)
	}
	return r, nil
}

// open returns bytes of an object. Its identity is the revision.
func (t *Target) open(ctx context.Context, key string, offset, length int64) (*rest.Section, error) {
	path, err := t.path(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", target.ErrNotExist, err)
	}
	request, err := t.contentRequest(ctx, "files/download", pathArg{path}, nil)
	if err != nil {
		return nil, err
	}
	return t.client.Open(ctx, request, offset, length, revision)
}

// Put implements [target.Target].
func (t *Target) Put(ctx context.Context, o target.Object) error {
	path, err := t.path(o.Key)
	if err == nil {
		err = t.put(ctx, path, o)
	}
	return t.failed("put", o.Key, err)
}

// put adds o. Only if something is there already, which Dropbox says when it has the
// bytes, is it looked at and replaced.
func (t *Target) put(ctx context.Context, path string, o target.Object) error {
	up, err := t.add(ctx, path, o)
	if !said(err, "path/conflict/file/") {
		return err
	}
	there, err := t.metadata(ctx, path)
	switch {
	case errors.Is(err, target.ErrNotExist): // by now
	case err != nil:
		return err
	case there.ContentHash == up.hash:
		return nil
	case t.isAnother(there, o):
		return fmt.Errorf("%s is there with other bytes, and Dropbox does not tell upper from lower case; one of the two must be left out",
			t.key(there.PathDisplay))
	}
	return t.commit(ctx, up, commit{Path: path, Mode: "overwrite", Mute: true})
}

// isAnother tells whether what is there has another key than o.
func (t *Target) isAnother(there metadata, o target.Object) bool {
	return there.Name != path.Base(o.Key) || o.CacheControl == target.Immutable && t.key(there.PathDisplay) != o.Key
}

// Copy implements [target.Target].
func (t *Target) Copy(ctx context.Context, from string, o target.Object) error {
	fromPath, err := t.path(from)
	if err != nil {
		return t.failed("copy", from, fmt.Errorf("%w: %w", target.ErrNotExist, err))
	}
	path, err := t.path(o.Key)
	if from == o.Key {
		return t.failed("copy", from, err) // only to replace headers, which Dropbox does not store
	}
	if err == nil {
		err = t.rpc(ctx, "files/copy_v2", copyArg{From: fromPath, To: path}, nil)
	}
	if said(err, "to/conflict/file/") {
		err = t.copyOver(ctx, fromPath, path, o)
	}
	return t.failed("copy "+from+" to", o.Key, err)
}

// copyOver replaces an object, if it is not what it should be already.
func (t *Target) copyOver(ctx context.Context, from, path string, o target.Object) error {
	source, err := t.metadata(ctx, from)
	if err != nil {
		return err
	}
	there, err := t.metadata(ctx, path)
	if err == nil && there.ContentHash == source.ContentHash {
		return nil
	}
	return t.put(ctx, path, o)
}

// Swap implements [target.Target].
func (t *Target) Swap(ctx context.Context, old []byte, o target.Object) error {
	path, err := t.path(o.Key)
	if err == nil {
		err = t.swap(ctx, path, old, o)
	}
	return t.failed("swap", o.Key, err)
}

func (t *Target) swap(ctx context.Context, path string, old []byte, o target.Object) error {
	c := commit{Path: path, Mode: "add", Strict: true, Mute: true}
	if old != nil {
		rev, err := t.revisionOf(ctx, o.Key, old)
		if err != nil {
			return err
		}
		c.Mode = update{Tag: "update", Rev: rev}
	}
	up, err := t.session(ctx, o)
	if err != nil {
		return err
	}
	err = t.commit(ctx, up, c)
	if said(err, "path/conflict/") {
		return target.ErrChanged
	}
	return err
}

// revisionOf returns the revision of an object that has these bytes.
func (t *Target) revisionOf(ctx context.Context, key string, want []byte) (string, error) {
	r, err := t.open(ctx, key, 0, -1)
	if said(err, "path/not_found/") {
		return "", target.ErrChanged
	}
	if err != nil {
		return "", err
	}
	is, err := target.ReadAll(r, int64(len(want)))
	if errors.Is(err, io.ErrShortBuffer) || err == nil && string(is) != string(want) {
		return "", target.ErrChanged
	}
	return r.Identity(), err
}
