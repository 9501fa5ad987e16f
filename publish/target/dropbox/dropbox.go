// Package dropbox implements a target as a folder of a Dropbox, with the HTTP API
// (https://www.dropbox.com/developers/documentation/http).
//
//	files/upload                                      up to 8 MiB, in one request
//	files/upload_session/start, append_v2, finish     larger objects, 8 MiB per request
//	files/download   Range: bytes=…
//	files/list_folder, list_folder/continue           2,000 entries per page
//	files/get_metadata · copy_v2 · delete_batch, delete_batch/check
//
// Each upload request states the content hash of its body (the SHA-256 of the SHA-256 hashes of
// its blocks of 4 MiB), which Dropbox checks. The content hash of the complete file is checked
// again. Chunks are read, checked and held in memory before they are sent, so content that does
// not match its hash is never sent completely, and a broken connection costs one chunk.
// [Target.Swap] names the revision that it replaces (mode update, or mode add if there is none,
// with strict_conflict), so only one of several concurrent swaps succeeds.
//
// Dropbox ignores the case of paths, but sites do not: they have …/latest both as Publisher/Name
// and as publisher/name. Put and Copy do nothing if there is a file with the same content under
// another spelling, because reads under either spelling find it. List yields one of the two, and
// Delete of it deletes both. Different content under another spelling of a key is refused;
// otherwise two files of a package would replace each other. An object that may change, such as
// …/latest, replaces one whose folders are spelled differently. So if a publisher changes only
// the case of a name, removing the …/latest of the old spelling also removes that of the new one.
//
// Copy cannot replace a file; if there is one, the content is uploaded. Dropbox does not store
// some names, such as .DS_Store and Thumbs.db, names with a backslash or a trailing space, and
// names longer than 255 characters. They are refused before anything is sent. Dropbox stores
// neither media types nor cache headers. Empty folders stay.
//
// The Go SDK github.com/dropbox/dropbox-sdk-go-unofficial is maintained, but not used: version
// 6.6.3 writes characters outside ASCII unescaped into the header Dropbox-API-Arg, which the API
// does not allow; it retries neither broken connections nor most server errors; and it has ten
// thousand generated lines and an OAuth library for the few calls above.
//
// The tests run against a fake server. If GALBUILD_TEST_DROPBOX is the path of a folder, they
// also run against that folder of a real Dropbox, with DROPBOX_TOKEN.
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

// Config names a folder and has the credentials for it.
type Config struct {
	// Path is the folder, such as /galleries/site. "" is the root. For an app with access to
	// its own folder only, that folder is the root.
	Path string
	// Token is an access token. The default is the variable DROPBOX_TOKEN.
	Token string
	// RefreshToken replaces Token. Unlike access tokens, which expire after four hours, it does
	// not expire. It belongs to the app with AppKey; AppSecret is needed unless the token was
	// obtained with PKCE. The defaults are the variables DROPBOX_REFRESH_TOKEN, DROPBOX_APP_KEY
	// and DROPBOX_APP_SECRET.
	RefreshToken, AppKey, AppSecret string
	// CA is a file of PEM certificates that are trusted in addition to the system's.
	CA string
	// Transport sends the requests. The default honours CA and the variables HTTP_PROXY,
	// HTTPS_PROXY and NO_PROXY.
	Transport http.RoundTripper

	sleep func(context.Context, time.Duration) error // for tests
}

// Target is a folder of a Dropbox.
type Target struct {
	client *rest.Client
	tokens *tokens
	root   string // "", or a path with a leading slash
}

// New returns a target. It sends no request.
func New(c Config) (*Target, error) {
	client, err := rest.New(rest.Config{CA: c.CA, Transport: c.Transport, Temporary: isTemporary, Sleep: c.sleep})
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

// path returns the path of an object, or an error if Dropbox cannot store it.
func (t *Target) path(key string) (string, error) {
	return t.root + "/" + key, checkName(key)
}

// key returns the key of the object at a path. The case of the root may differ.
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

// open opens a part of an object. The identity of the section is the revision.
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

// put creates or replaces o. It first assumes that there is no such file. Only if Dropbox reports
// a conflict, after the upload, does it look at the existing file and replace it.
func (t *Target) put(ctx context.Context, path string, o target.Object) error {
	up, err := t.add(ctx, path, o)
	if !isError(err, "path/conflict/file/") {
		return err
	}
	existing, err := t.metadata(ctx, path)
	switch {
	case errors.Is(err, target.ErrNotExist): // another process has deleted it
	case err != nil:
		return err
	case existing.ContentHash == up.hash:
		return nil
	case t.isOtherKey(existing, o):
		return fmt.Errorf("there is %s with different content, and Dropbox ignores the case of names; one of the two must be left out",
			t.key(existing.PathDisplay))
	}
	return t.commit(ctx, up, commit{Path: path, Mode: "overwrite", Mute: true})
}

// isOtherKey reports whether an existing file belongs to another key than o.
func (t *Target) isOtherKey(existing metadata, o target.Object) bool {
	return existing.Name != path.Base(o.Key) || o.CacheControl == target.Immutable && t.key(existing.PathDisplay) != o.Key
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
	if isError(err, "to/conflict/file/") {
		err = t.replace(ctx, fromPath, path, o)
	}
	return t.failed("copy "+from+" to", o.Key, err)
}

// replace replaces the file at path by o, unless it has the content of the file at from already.
func (t *Target) replace(ctx context.Context, from, path string, o target.Object) error {
	source, err := t.metadata(ctx, from)
	if err != nil {
		return err
	}
	existing, err := t.metadata(ctx, path)
	if err == nil && existing.ContentHash == source.ContentHash {
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
	if isError(err, "path/conflict/") {
		return target.ErrChanged
	}
	return err
}

// revisionOf returns the revision of an object. If its content is not want, it returns ErrChanged.
func (t *Target) revisionOf(ctx context.Context, key string, want []byte) (string, error) {
	r, err := t.open(ctx, key, 0, -1)
	if isError(err, "path/not_found/") {
		return "", target.ErrChanged
	}
	if err != nil {
		return "", err
	}
	content, err := target.ReadAll(r, int64(len(want)))
	if errors.Is(err, io.ErrShortBuffer) || err == nil && string(content) != string(want) {
		return "", target.ErrChanged
	}
	return r.Identity(), err
}
