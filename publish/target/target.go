// Package target defines a target: a store of objects that a site can be published to. The
// packages below it implement targets, and targettest tests what all of them must do.
//
// Reading is a contract of its own, [Reader], with packages of their own for the clients that need
// credentials, because galshim reads targets and may not link what writes to them.
//
// This package and its implementations store objects of any kind. They do not depend on
// packages about extensions or galleries.
package target

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"galbuild/build/blob"
)

// Errors of a [Target]. They are wrapped with the operation and the key.
var (
	ErrNotExist = errors.New("not found")
	ErrChanged  = errors.New("changed concurrently")
)

// Reader reads the objects of a target. It is what galshim needs of one. The packages with the
// clients that read have none of the code that writes.
type Reader interface {
	// String returns the target's name for messages. It contains no secrets.
	String() string

	// Get opens length bytes of an object from offset on. A length of -1 means up to the end.
	// The caller closes the reader. The error wraps ErrNotExist if there is no such object.
	Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error)
}

// Presigner is implemented by readers that can make an address at which everyone can read an object
// for a limited time.
type Presigner interface {
	// Presign returns such an address. It sends no request to the target, and does not check
	// that there is an object.
	Presign(ctx context.Context, key string, p Presign) (string, error)
}

// Presign has the limit of a presigned address, and the headers of its response. Empty headers are
// those of the object.
type Presign struct {
	Expires                              time.Duration
	MediaType, Disposition, CacheControl string
}

// Target stores objects under keys. A key is a path relative to the root of a site. It is
// slash-separated, has no slash at either end and no elements . or .. in it. Otherwise it may
// contain any character that a path of a site may contain, such as @, +, spaces and characters
// outside ASCII.
//
// All methods may be called by several goroutines at once. They return the context's error
// soon after the context is done. They retry temporary failures (a broken connection, too many
// requests, an internal error of the server) for a limited time, with growing pauses, and they
// honour Retry-After.
type Target interface {
	Reader

	// List yields all objects whose keys begin with prefix, in any order. It ends after an
	// error.
	List(ctx context.Context, prefix string) iter.Seq2[Entry, error]

	// Put creates or replaces an object atomically: a reader gets either the old content or
	// the new. If the content does not match o.Size and o.SHA256, Put changes nothing and
	// returns an error.
	Put(ctx context.Context, o Object) error

	// Copy is Put with the content of the object at from, which must equal the content of o.
	// A target that cannot copy calls o.Open instead. Copying an object to its own key replaces
	// its headers, if the target stores headers. The error wraps ErrNotExist if there is no
	// object at from.
	Copy(ctx context.Context, from string, o Object) error

	// Delete removes objects. A key without an object is not an error.
	Delete(ctx context.Context, keys []string) error

	// Swap replaces the object at o.Key if its content is old, or creates it if old is nil and
	// there is no object. Otherwise it changes nothing, and the error wraps ErrChanged. If
	// several callers swap the same old content at the same time, one of them succeeds.
	Swap(ctx context.Context, old []byte, o Object) error
}

// Object is an object to store.
type Object struct {
	Key          string
	Size         int64 // in bytes
	SHA256       blob.Ref
	MediaType    string
	CacheControl string
	Disposition  string // Content-Disposition, or "" for none
	// Open returns the content from its beginning. It is called once for each attempt.
	Open func() (io.ReadCloser, error)
}

// Entry describes an object in a list.
type Entry struct {
	Key      string
	Size     int64     // in bytes
	Modified time.Time // by the target's clock
}
