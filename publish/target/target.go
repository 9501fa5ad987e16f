// Package target defines a target: a store of objects that a site can be published to. The
// packages below it implement targets, and targettest tests what all of them must do.
//
// This package and its implementations store objects of any kind. They know nothing of
// extensions and catalogues.
package target

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"galbuild/build/blob"
)

// Errors of a Target, wrapped with what was being done.
var (
	ErrNotExist = errors.New("it is not there")
	ErrChanged  = errors.New("somebody else has changed it meanwhile")
)

// Target is a place that keeps objects under keys. A key is a path relative to the
// site, slash-separated, without a slash at either end and without . and .. in it;
// otherwise it may hold every character a path of a site does, such as @, +, spaces
// and those beyond ASCII.
//
// All methods may be called by several goroutines. They end early, with the context's
// error, when it is done. What may pass (a connection that breaks, too many requests,
// a server in trouble) they try again for a while, ever more slowly, and as slowly as
// the server asks for.
type Target interface {
	// String names the place, for people: without secrets.
	String() string

	// Get opens an object's bytes from offset on; length is how many, or -1 for all.
	// The caller closes it. ErrNotExist if there is none.
	Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error)

	// List yields the objects whose keys begin with prefix, in no certain order, as
	// many pages as there are. After an error it ends.
	List(ctx context.Context, prefix string) iter.Seq2[Entry, error]

	// Put makes an object, or replaces one in one step: a reader gets the old bytes or
	// the new ones. If o's bytes turn out to be others than it says, nothing has
	// happened.
	Put(ctx context.Context, o Object) error

	// Copy makes o like Put, but of the bytes of another object, which the place is
	// known to have; o.Open may be called if the target cannot copy. An object
	// may be copied onto itself, to replace its headers where the target keeps headers.
	Copy(ctx context.Context, from string, o Object) error

	// Delete removes objects. One that is not there is none's fault.
	Delete(ctx context.Context, keys []string) error

	// Swap replaces the object at o.Key, provided that its bytes are old, or that
	// there is none if old is nil. Otherwise ErrChanged, and nothing has happened. Of
	// several that swap the same old bytes at the same time, one succeeds.
	Swap(ctx context.Context, old []byte, o Object) error
}

// Object is what is to be stored.
type Object struct {
	Key          string
	Size         int64
	SHA256       blob.Ref
	MediaType    string
	CacheControl string
	Disposition  string // Content-Disposition; "" is none
	// Open returns the bytes from their beginning. It is called again for each attempt.
	Open func() (io.ReadCloser, error)
}

// Entry is an object in a list.
type Entry struct {
	Key      string
	Size     int64
	Modified time.Time // by the clock of the place
}
