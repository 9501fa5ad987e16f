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
	// block is what the content hash is made of.
	block = 4 << 20
	// piece is how many bytes a request carries at most, a multiple of block.
	piece = 2 * block
)

// blocks returns the SHA-256 of each block of b, one after the other.
func blocks(b []byte) (sums []byte) {
	for len(b) > 0 {
		n := min(block, len(b))
		sum := sha256.Sum256(b[:n])
		sums, b = append(sums, sum[:]...), b[n:]
	}
	return sums
}

// contentHash returns Dropbox's hash of what has these blocks.
func contentHash(blocks []byte) string {
	sum := sha256.Sum256(blocks)
	return hex.EncodeToString(sum[:])
}

// uploaded is bytes that Dropbox has, in a session.
type uploaded struct {
	session string
	size    int64
	hash    string
}

// add makes o, unless there is something: then the error says so, and the bytes can be
// committed without being sent again.
func (t *Target) add(ctx context.Context, path string, o target.Object) (uploaded, error) {
	c := commit{Path: path, Mode: "add", Strict: true, Mute: true}
	if o.Size > piece {
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
	var made metadata
	err = t.send(ctx, "files/upload", uploadArg{c, up.hash}, b, &made)
	if err == nil {
		err = up.check(made)
	}
	up.session = refusal(err).Error.UploadSessionID
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

// session sends o's bytes, to be committed.
func (t *Target) session(ctx context.Context, o target.Object) (uploaded, error) {
	r, err := o.Reader()
	if err != nil {
		return uploaded{}, err
	}
	defer r.Close()
	up := uploaded{}
	var sums []byte
	b := make([]byte, min(piece, o.Size))
	for last := false; !last; {
		last = o.Size-up.size <= piece
		if last {
			b = b[:o.Size-up.size]
		}
		if _, err := io.ReadFull(r, b); err != nil {
			return uploaded{}, err
		}
		own := blocks(b)
		if err := t.append(ctx, &up, b, contentHash(own)); err != nil {
			return uploaded{}, err
		}
		sums = append(sums, own...)
	}
	up.hash = contentHash(sums)
	return up, nil
}

// append starts a session with the first bytes, and adds the others to it.
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
	if said(err, "incorrect_offset/") && refusal(err).Error.CorrectOffset == up.size {
		return nil // a try that was heard had no answer
	}
	return err
}

func (u uploaded) cursor() cursor { return cursor{ID: u.session, Offset: u.size} }

// check compares what Dropbox has made of the bytes.
func (u uploaded) check(made metadata) error {
	if made.ContentHash != u.hash {
		return fmt.Errorf("other bytes were stored: their content hash is %s, want %s", made.ContentHash, u.hash)
	}
	return nil
}

// commit makes a file of what was sent.
func (t *Target) commit(ctx context.Context, up uploaded, c commit) error {
	var made metadata
	err := t.send(ctx, "files/upload_session/finish", finishArg{up.cursor(), c}, nil, &made)
	if refused, ok := errors.AsType[*rest.Refused](err); ok && refused.Tries > 0 && (said(err, "lookup_failed/closed/") || said(err, "lookup_failed/not_found/")) {
		return nil // the session is no more: a try that was heard had no answer
	}
	if err != nil {
		return err
	}
	return up.check(made)
}
