// Package upstream defines the contract of an upstream, from which packages are collected: a
// gallery, a list of releases, or an address.
//
//	id ─ Upstream.Extension ▶ Extension with its Releases ─ collect chooses ▶ Release
//	   ─ Upstream.Complete ▶ Release with its hash, its size and its signature ─ download
//
// An upstream only lists packages. Package download downloads them from the address in [Release].
// Clients send their requests with the [retry.Client] that they are given, which limits their rate.
package upstream

import (
	"context"
	"errors"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

// Errors of upstreams, wrapped.
var (
	// ErrNotFound means that the upstream has responded, and does not have the extension.
	ErrNotFound = errors.New("not found")
	// ErrUnsupported means that upstreams of this kind cannot do this, such as a
	// search.
	ErrUnsupported = errors.New("not supported by this upstream")
)

// Upstream lists extensions. Its methods may be called by several goroutines at once.
type Upstream interface {
	// Name is the address of the upstream without credentials and without a slash at the end.
	// It is in messages, in the lock and in sidecar files.
	Name() string
	// Extension returns an extension with all releases that the upstream lists. The error wraps
	// ErrNotFound if there is none.
	Extension(ctx context.Context, id string) (*Extension, error)
	// Complete fills in what needs a request for each release: the stated
	// hash, the size and the signature of the package. It does nothing if nothing is missing.
	Complete(ctx context.Context, e *Extension, r *Release) error
	// List returns ids of extensions, the best first. The error wraps ErrUnsupported if the
	// upstream has no such list.
	List(ctx context.Context, l Listing) ([]string, error)
	// Changes returns what has changed since a cursor that an earlier call returned. For the
	// cursor "", it returns a cursor and no changes. The error wraps ErrUnsupported if the
	// upstream has no feed. Another error may mean that the upstream does not know the cursor
	// any more, and that a caller has to begin with "" again.
	Changes(ctx context.Context, cursor string) (*Changes, error)
}

// Listing selects extensions with which a gallery begins. Criteria that are set apply together.
type Listing struct {
	Search    string // words
	Publisher string
	Category  string
	Top       int // how many at most; 0 is all that the upstream lists
}

// Extension is what an upstream lists of an extension.
type Extension struct {
	ID          string // publisher.name, as the upstream writes it
	UUID        string // extensionId in lower case; "" if the upstream states none
	Publisher   catalog.SidecarPublisher
	Access      string // to the namespace: "public" or "restricted"; "" if the upstream does not say
	Released    time.Time
	Deprecated  bool
	Replacement string // lower-case id of the extension to use instead, or ""
	Statistics  *catalog.Statistics
	Releases    []Release // in any order
}

// Release is one package: a version of an extension for one platform.
type Release struct {
	Version      string
	Platform     string // target platform; "" is universal
	PreRelease   bool
	Engine       string    // the range of versions of VS Code, such as ^1.85.0; "" if it is not stated
	Published    time.Time // zero if it is not stated
	Licence      string    // as the upstream writes it
	Dependencies []string  // lower-case ids of extensionDependencies
	Pack         []string  // lower-case ids of extensionPack
	Package      File
	Checksum     string // address of a file with the hash of the package, for Complete; "" if there is none
	Signature    *File  // the signature archive of the gallery; nil if there is none
	PublicKey    string // address of the key for Signature; "" if there is none
}

// File is a file that can be downloaded.
type File struct {
	URL    string   // without credentials
	SHA256 blob.Ref // as the upstream states it; zero if it does not
	Size   int64    // in bytes; -1 if it is not known
}

// Changes are the entries of a feed.
type Changes struct {
	Cursor string // for the next call
	All    []Change
}

// Change is a change of one version.
type Change struct {
	ID, Version, Platform string // the id in lower case
	Removed               bool   // the upstream does not offer the version any more
	When                  time.Time
}
