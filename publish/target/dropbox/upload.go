package dropbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"galbuild/publish/target"
	"galbuild/publish/target/internal/rest"
)

const (
	// blockSize is the size of a block of the content hash, in bytes.
	blockSize = 4 << 20
	// chunkSize is the maximum size of a request body, in bytes. It is a multiple of blockSize.
	chunkSize = 2 * blockSize
)

// blocks returns the concatenated SHA-256 hashes of the blocks of b.
func blocks(b []byte) (sums []byte) {
	for len(b) > 0 {
		n := min(blockSize, len(b))
		sum := sha256.Sum256(b[:n])
		sums, b = append(sums, sum[:]...), b[n:]
	}
	return sums
}

// contentHash returns the content hash of Dropbox for content whose blocks have these hashes.
func contentHash(blocks []byte) string {
	sum := sha256.Sum256(blocks)
	return hex.EncodeToString(sum[:])
}

// uploaded is content that Dropbox has received in an upload session.
type uploaded struct {
	session string
	size    int64  // in bytes
	hash    string // the content hash
}

// add creates o. If there is a file already, the error is path/conflict/file, and the content can
// be committed without a second upload.
func (t *Target) add(ctx context.Context, path string, o target.Object) (uploaded, error) {
	c := commit{Path: path, Mode: "add", Strict: true, Mute: true}
	if o.Size > chunkSize {
		up, err := t.session(ctx, o)
		if err == nil {
			err = t.commit(ctx, up, c)
		}
		return up, err
	}
	b, err := readSmall(o)
	if err != nil {
		return uploaded{}, err
	}
	up := uploaded{size: o.Size, hash: contentHash(blocks(b))}
	var created metadata
	err = t.send(ctx, "files/upload", uploadArg{c, up.hash}, b, &created)
	if err == nil {
		err = up.check(created)
	}
	up.session = errorOf(err).Error.UploadSessionID
	return up, err
}

func readSmall(o target.Object) ([]byte, error) {
	r, err := o.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b bytes.Buffer
	b.Grow(int(o.Size) + bytes.MinRead)
	_, err = b.ReadFrom(r)
	return b.Bytes(), err
}

// session uploads the content of o, to be committed later.
func (t *Target) session(ctx context.Context, o target.Object) (uploaded, error) {
	r, err := o.Reader()
	if err != nil {
		return uploaded{}, err
	}
	defer r.Close()
	up := uploaded{}
	var sums []byte
	b := make([]byte, min(chunkSize, o.Size))
	for last := false; !last; {
		last = o.Size-up.size <= chunkSize
		if last {
			b = b[:o.Size-up.size]
		}
		if _, err := io.ReadFull(r, b); err != nil {
			return uploaded{}, err
		}
		chunk := blocks(b)
		if err := t.append(ctx, &up, b, contentHash(chunk)); err != nil {
			return uploaded{}, err
		}
		sums = append(sums, chunk...)
	}
	up.hash = contentHash(sums)
	return up, nil
}

// append appends b to a session, which it starts with the first bytes.
func (t *Target) append(ctx context.Context, up *uploaded, b []byte, hash string) error {
	if up.session == "" {
		var started struct {
			ID string `json:"session_id"`
		}
		err := t.send(ctx, "files/upload_session/start", startArg{Hash: hash}, b, &started)
		up.session, up.size = started.ID, int64(len(b))
		return err
	}
	err := t.send(ctx, "files/upload_session/append_v2", appendArg{up.cursor(), hash}, b, nil)
	up.size += int64(len(b))
	if isError(err, "incorrect_offset/") && errorOf(err).Error.CorrectOffset == up.size {
		return nil // an earlier attempt succeeded, but its response was lost
	}
	return err
}

func (u uploaded) cursor() cursor { return cursor{ID: u.session, Offset: u.size} }

// check returns an error unless the created file has the content hash of the upload.
func (u uploaded) check(created metadata) error {
	if created.ContentHash != u.hash {
		return fmt.Errorf("the content hash of the file in Dropbox is %s, want %s", created.ContentHash, u.hash)
	}
	return nil
}

// commit creates a file of uploaded content.
func (t *Target) commit(ctx context.Context, up uploaded, c commit) error {
	var created metadata
	err := t.send(ctx, "files/upload_session/finish", finishArg{up.cursor(), c}, nil, &created)
	if e, ok := errors.AsType[*rest.StatusError](err); ok && e.Attempts > 0 && (isError(err, "lookup_failed/closed/") || isError(err, "lookup_failed/not_found/")) {
		return nil // the session is closed: an earlier attempt succeeded, but its response was lost
	}
	if err != nil {
		return err
	}
	return up.check(created)
}
