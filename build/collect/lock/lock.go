// Package lock reads and writes the lock of a folder of packages, galbuild.lock: which packages were
// chosen, from where, and why.
//
// The file is JSON, with an entry on each line, so that a review shows one line for each package
// that changes. Entries are sorted by id, version (newest first) and platform:
//
//	{"galbuildLock": 1, "entries": [
//	{"id":"acme.hello","version":"1.0.0","address":"https://…","sha256":"…","size":4711,"wantedBy":["list.txt"],…},
//	{"id":"acme.notes","version":"2.1.0","platform":"linux-x64",…}
//	], "companions": [
//	{"path":"cli/code.tar.gz","address":"https://…","sha256":"…","size":4711}
//	]}
//
// The same lock gives the same folder: the sidecar file of a package follows from its entry alone.
// What changes although the packages do not, such as statistics and the time of a download, is in
// another file of the folder, and not in the lock. The package does no I/O.
package lock

import (
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

// FileName is the name of the lock in a folder of packages.
const FileName = "galbuild.lock"

// Lock is the content of a lock.
type Lock struct {
	Entries    []Entry     // sorted with Compare
	Companions []Companion // sorted by path
}

// Entry is a package that was chosen.
type Entry struct {
	ID         string    `json:"id"` // publisher.name, as the package writes it
	Version    string    `json:"version"`
	Platform   string    `json:"platform,omitempty"` // "" is universal
	PreRelease bool      `json:"preRelease,omitempty"`
	Address    string    `json:"address"` // of the package, without credentials
	SHA256     blob.Ref  `json:"sha256"`
	Size       int64     `json:"size"` // in bytes
	Published  time.Time `json:"published,omitzero"`
	// WantedBy says why the package is here: what was requested, such as "list.txt" or "command
	// line", and the lower-case ids of extensions that depend on it or whose packs it is in.
	WantedBy []string `json:"wantedBy"`
	// Added is when the package was first locked. A gallery counts from then on how old it is, if
	// Published is not known, so that the same lock gives the same site.
	Added time.Time `json:"added"`

	Upstream    string                    `json:"upstream,omitempty"` // Name of the upstream
	Stated      bool                      `json:"stated,omitempty"`   // the upstream stated SHA256
	Signature   *Signature                `json:"signature,omitempty"`
	ExtensionID string                    `json:"extensionId,omitempty"`
	Publisher   *catalog.SidecarPublisher `json:"publisher,omitempty"`
	Access      string                    `json:"access,omitempty"`   // to the namespace: "public" or "restricted"
	Released    time.Time                 `json:"released,omitzero"`  // the extension
	Licence     string                    `json:"licence,omitempty"`  // as the upstream writes it
	Pictures    []Picture                 `json:"pictures,omitempty"` // that the readme shows and no package has, sorted by address
}

// Signature is the signature archive of a package.
type Signature struct {
	Address  string   `json:"address"`
	SHA256   blob.Ref `json:"sha256"`
	Size     int64    `json:"size"`
	Verified bool     `json:"verified,omitempty"` // with the public key of the upstream
	Key      string   `json:"key,omitempty"`      // address of that key
}

// Picture is a picture that a readme shows.
type Picture struct {
	Address string   `json:"address"` // as the readme writes it
	SHA256  blob.Ref `json:"sha256"`
	Size    int64    `json:"size"`
	Type    string   `json:"type"` // media type, such as image/png
}

// Companion is a file that a gallery serves next to its extensions, such as an archive of VS Code's
// server.
type Companion struct {
	Path    string   `json:"path"`              // below companions/
	Address string   `json:"address,omitempty"` // "" if it was given as a file
	SHA256  blob.Ref `json:"sha256"`
	Size    int64    `json:"size"`
}
