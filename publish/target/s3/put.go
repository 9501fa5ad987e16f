package s3

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"

	"galbuild/publish/target"
	"galbuild/publish/target/s3/bucket"
)

// limits are sizes in bytes.
type limits struct {
	put      int64 // the largest object that one PUT uploads
	part     int64 // the parts of larger objects
	copy     int64 // the largest object that one request copies; S3 allows 5 GiB
	copyPart int64 // the parts of larger copies
}

var defaultLimits = limits{put: 32 << 20, part: 8 << 20, copy: 5 << 30, copyPart: 1 << 30}

const (
	maxParts = 10_000
	parallel = 4 // parts of one object at a time
)

// Put implements [target.Target].
func (t *Target) Put(ctx context.Context, o target.Object) error {
	if o.Size > t.limits.put && !t.dialect.Load().noMultipart {
		err := t.multipart(ctx, &o, t.sendParts)
		if !isUnsupported(err) && !isInvalid(err) && !isForbidden(err) || o.Size > t.limits.copy {
			return err
		}
		t.change(func(d *dialect) { d.noMultipart = true })
	}
	return t.try(ctx, "put", o.Key, func(ctx context.Context, _ int) error {
		return t.send(ctx, &o, options(&o))
	})
}

func options(o *target.Object) minio.PutObjectOptions {
	return minio.PutObjectOptions{
		ContentType: o.MediaType, CacheControl: o.CacheControl, ContentDisposition: o.Disposition,
		DisableContentSha256: true, // of chunks: the hash of the whole body is signed
	}
}

// mark is the name of metadata by which a process recognizes its own write after the response was
// lost.
const mark = "Galbuild-Write"

// marksOf returns the marks of an object.
func marksOf(o *bucket.Object) []string { return strings.Fields(o.Header.Get("X-Amz-Meta-" + mark)) }

func newMark() string { return rand.Text()[:16] }

// hasMark reports whether an object has the mark own.
func (t *Target) hasMark(ctx context.Context, key, own string) (bool, error) {
	s, err := t.Open(ctx, key, 0, -1) // not HEAD, which some proxies block
	if errors.Is(err, target.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return slices.Contains(marksOf(s), own), s.Close()
}

// send uploads an object with one PUT.
func (t *Target) send(ctx context.Context, o *target.Object, with minio.PutObjectOptions) error {
	sum := ""
	d := t.dialect.Load()
	if d.md5 {
		var err error
		if sum, err = md5Of(o); err != nil {
			return bucket.Final{Err: err}
		}
	}
	h := t.header()
	if d.checksum {
		h.checksum = base64.StdEncoding.EncodeToString(o.SHA256[:])
	}
	with.ServerSideEncryption = h
	from, err := o.Reader()
	if err != nil {
		return bucket.Final{Err: err}
	}
	defer from.Close()
	body := &body{from: from}
	defer body.end()
	if o.Size == 0 { // minio-go does not read an empty body, so its hash would not be checked
		if _, err := io.Copy(io.Discard, body); err != nil {
			return bucket.Final{Err: err}
		}
	}
	_, err = t.client().PutObject(ctx, t.bucket, t.prefix+o.Key, body, o.Size, sum, o.SHA256.String(), with)
	if wrong := body.end(); wrong != nil {
		return bucket.Final{Err: wrong}
	}
	return err
}

func md5Of(o *target.Object) (string, error) {
	from, err := o.Open()
	if err != nil {
		return "", err
	}
	defer from.Close()
	h := md5.New()
	_, err = io.Copy(h, from)
	return base64.StdEncoding.EncodeToString(h.Sum(nil)), err
}

// A body is the body of one attempt. The transport may continue reading after the response; after
// end it gets an error instead of content.
type body struct {
	mu    sync.Mutex
	from  io.Reader
	err   error
	ended bool
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return 0, io.ErrClosedPipe
	}
	n, err := b.from.Read(p)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// end stops reading, and returns the error of an earlier Read, if any.
func (b *body) end() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	return b.err
}

// multipart creates an object from parts, which fill uploads.
func (t *Target) multipart(ctx context.Context, o *target.Object, fill func(context.Context, *target.Object, string) ([]minio.CompletePart, error)) error {
	own := newMark()
	with := options(o)
	with.UserMetadata = map[string]string{mark: own}
	var id string
	err := t.try(ctx, "put", o.Key, func(ctx context.Context, _ int) (err error) {
		h := t.header()
		h.parts = t.dialect.Load().checksum
		with.ServerSideEncryption = h
		id, err = t.client().NewMultipartUpload(ctx, t.bucket, t.prefix+o.Key, with)
		return err
	})
	if err != nil {
		return err
	}
	parts, err := fill(ctx, o, id)
	if err == nil {
		err = t.try(ctx, "put", o.Key, func(ctx context.Context, attempt int) error {
			if attempt > 0 && t.isComplete(ctx, o.Key, own) {
				return nil
			}
			_, err := t.client().CompleteMultipartUpload(ctx, t.bucket, t.prefix+o.Key, id, parts, minio.PutObjectOptions{})
			return err
		})
		if err == nil || t.isComplete(ctx, o.Key, own) {
			return nil
		}
	}
	t.abort(ctx, o.Key, id)
	return err
}

// isComplete reports whether an upload is complete although the response did not say so: it was
// lost, or has an unknown form.
func (t *Target) isComplete(ctx context.Context, key, own string) bool {
	done, err := t.hasMark(ctx, key, own)
	return done && err == nil
}

// abort removes the parts of an upload, or leaves that to the bucket's lifecycle rules.
func (t *Target) abort(ctx context.Context, key, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_ = t.client().AbortMultipartUpload(ctx, t.bucket, t.prefix+key, id)
}

// sendParts uploads the parts of an object. It holds only the parts in memory that are being
// sent.
func (t *Target) sendParts(ctx context.Context, o *target.Object, id string) ([]minio.CompletePart, error) {
	from, err := o.Reader()
	if err != nil {
		return nil, err
	}
	defer from.Close()
	size := max(t.limits.part, (o.Size+maxParts-1)/maxParts)
	parts := make([]minio.CompletePart, (o.Size+size-1)/size)
	group, ctx := errgroup.WithContext(ctx)
	free := make(chan []byte, parallel)
	for range parallel {
		free <- nil
	}
	read := func(i int) error {
		buffer := <-free
		if buffer == nil {
			buffer = make([]byte, size)
		}
		b := buffer[:min(size, o.Size-int64(i)*size)]
		if _, err := io.ReadFull(target.ContextReader(ctx, from), b); err != nil {
			return fmt.Errorf("put %s: %w", o.Key, err)
		}
		group.Go(func() (err error) {
			defer func() { free <- buffer }()
			parts[i], err = t.sendPart(ctx, o, id, i+1, b)
			return err
		})
		return nil
	}
	var unread error // does not cancel the group: a part being sent would outlive the upload
	for i := 0; i < len(parts) && unread == nil; i++ {
		unread = read(i)
	}
	return parts, cmp.Or(group.Wait(), unread)
}

func (t *Target) sendPart(ctx context.Context, o *target.Object, id string, number int, b []byte) (part minio.CompletePart, err error) {
	sum := sha256.Sum256(b)
	err = t.try(ctx, "put", o.Key, func(ctx context.Context, _ int) error {
		with := minio.PutObjectPartOptions{Sha256Hex: hex.EncodeToString(sum[:]), DisableContentSha256: true}
		d := t.dialect.Load()
		if d.md5 {
			sum := md5.Sum(b)
			with.Md5Base64 = base64.StdEncoding.EncodeToString(sum[:])
		}
		part = minio.CompletePart{PartNumber: number}
		if d.checksum {
			part.ChecksumSHA256 = base64.StdEncoding.EncodeToString(sum[:])
			with.CustomHeader = http.Header{checksumHeader: {part.ChecksumSHA256}}
		}
		body := &body{from: bytes.NewReader(b)}
		defer body.end()
		done, err := t.client().PutObjectPart(ctx, t.bucket, t.prefix+o.Key, id, number, body, int64(len(b)), with)
		part.ETag = done.ETag
		return err
	})
	return part, err
}

// Copy implements [target.Target]. The server copies the content. If it cannot, or if a policy
// forbids it, Copy uploads the content.
func (t *Target) Copy(ctx context.Context, from string, o target.Object) error {
	before := t.dialect.Load()
	if before.noCopy {
		return t.Put(ctx, t.source(ctx, from, o))
	}
	err := t.copy(ctx, from, o)
	if !isNoCopy(err) {
		return err
	}
	if err := t.Put(ctx, t.source(ctx, from, o)); err != nil {
		return err
	}
	t.change(func(d *dialect) {
		d.noCopy = d.encryption == before.encryption // otherwise the encryption was the reason
	})
	return nil
}

// source returns o with a way to read its bytes: locally, or else from the server.
func (t *Target) source(ctx context.Context, from string, o target.Object) target.Object {
	open := o.Open
	o.Open = func() (io.ReadCloser, error) {
		if r, err := open(); err == nil {
			return r, nil
		}
		return t.Get(ctx, from, 0, -1)
	}
	return o
}

// isNoCopy reports whether an error means that the server cannot copy: it does not support the
// request, denies it, or sends a response that is not the result of a copy.
func isNoCopy(err error) bool {
	_, syntax := errors.AsType[*xml.SyntaxError](err)
	_, other := errors.AsType[xml.UnmarshalError](err)
	empty := status(err) == http.StatusOK // minio-go's error for a missing result
	return isUnsupported(err) || isInvalid(err) || code(err) == accessDenied || empty || syntax || other
}

func (t *Target) copy(ctx context.Context, from string, o target.Object) error {
	if o.Size > t.limits.copy {
		return t.multipart(ctx, &o, func(ctx context.Context, o *target.Object, id string) ([]minio.CompletePart, error) {
			return t.copyParts(ctx, from, o, id)
		})
	}
	to := minio.CopyDestOptions{
		Bucket: t.bucket, Object: t.prefix + o.Key,
		ReplaceMetadata: true, ContentType: o.MediaType, CacheControl: o.CacheControl, ContentDisposition: o.Disposition,
	}
	return t.try(ctx, "copy", from, func(ctx context.Context, _ int) error {
		to.Encryption = t.header()
		_, err := t.client().Client.CopyObject(ctx, to, minio.CopySrcOptions{Bucket: t.bucket, Object: t.prefix + from})
		return err
	})
}

func (t *Target) copyParts(ctx context.Context, from string, o *target.Object, id string) ([]minio.CompletePart, error) {
	size := t.limits.copyPart
	parts := make([]minio.CompletePart, (o.Size+size-1)/size)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range parts {
		group.Go(func() error {
			offset := int64(i) * size
			return t.try(ctx, "copy", from, func(ctx context.Context, _ int) (err error) {
				parts[i], err = t.client().CopyObjectPart(ctx, t.bucket, t.prefix+from, t.bucket, t.prefix+o.Key, id, i+1, offset, min(size, o.Size-offset), nil)
				return err
			})
		})
	}
	return parts, group.Wait()
}
