// Package lock reads and writes the lock of a folder of packages, galbuild.lock: what was
// requested, which packages were chosen, from where, and why.
//
// The file is JSON, with a request, an entry or a companion on each line, so that a review shows
// one line for each package that changes, and two changes to different packages can be merged.
// Entries are sorted by id, version (newest first) and platform:
//
//	{"galbuildLock":1,
//	"settings":{"from":["https://open-vsx.org"],"engines":["1.96.0"],"packs":true},
//	"requests":[
//	{"request":"acme.hello@^1.2","source":"list.txt"}
//	],
//	"entries":[
//	{"id":"acme.hello","version":"1.2.0","address":"https://…","sha256":"…","size":4711,…},
//	{"id":"acme.notes","version":"2.1.0","platform":"linux-x64",…}
//	],
//	"companions":[
//	{"path":"cli/code.tar.gz","address":"https://…","sha256":"…","size":4711}
//	]}
//
// [Parse] accepts any white space, and refuses keys that it does not know: a lock of a later
// program may promise what this one does not keep. The same lock always has the same bytes.
//
// The same lock gives the same folder: the sidecar file of a package follows from its entry alone.
// What changes although the packages do not, such as statistics and the time of a download, is in
// another file of the folder, and not in the lock. The package does no I/O.
package lock

import (
	"cmp"
	"strings"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/imagefile"
	"galbuild/build/npmsemver"
)

// FileName is the name of the lock in a folder of packages.
const FileName = "galbuild.lock"

// Format is the number of the format that this package reads and writes.
const Format = 1

// Lock is the content of a lock.
type Lock struct {
	Settings   Settings
	Requests   []Request   // in the order in which they were made
	Entries    []Entry     // sorted with Compare
	Companions []Companion // sorted by path
}

// Settings are those with which packages were chosen, so that an update needs only the lock.
type Settings struct {
	From        []string `json:"from,omitempty"`      // addresses of upstreams, without credentials
	Engines     []string `json:"engines,omitempty"`   // versions of VS Code
	Platforms   []string `json:"platforms,omitempty"` // target platforms
	PreReleases bool     `json:"preReleases,omitempty"`
	Keep        int      `json:"keep,omitempty"` // how many versions of each channel; 0 is 1
	Packs       bool     `json:"packs,omitempty"`
	Pictures    bool     `json:"pictures,omitempty"`
}

// Request is an argument of a command, or a line of a list.
type Request struct {
	Request string `json:"request"` // as on a command line, such as acme.hello@^1.2
	Source  string `json:"source"`  // "command line", or the name of a file
}

// Entry is a package that was chosen.
type Entry struct {
	ID         string    `json:"id"` // publisher.name, as the package writes it
	Version    string    `json:"version"`
	Platform   string    `json:"platform,omitempty"` // "" is universal
	PreRelease bool      `json:"preRelease,omitempty"`
	Engine     string    `json:"engine,omitempty"` // range of versions of VS Code that can run the package
	Address    string    `json:"address"`          // of the package, without credentials
	SHA256     blob.Ref  `json:"sha256"`
	Size       int64     `json:"size"` // in bytes
	Published  time.Time `json:"published,omitzero"`
	// WantedBy says why the package is here: what was requested, such as "list.txt" or "command
	// line", and the lower-case ids of extensions that depend on it or whose packs it is in.
	WantedBy []string `json:"wantedBy"`
	// Added is when the package was first locked. A gallery counts from then on how old it is,
	// if Published is not known, so that the same lock gives the same site.
	Added time.Time `json:"added"`

	Upstream    string                    `json:"upstream,omitempty"` // Name of the upstream
	Stated      bool                      `json:"stated,omitempty"`   // the upstream stated SHA256
	Signature   *Signature                `json:"signature,omitempty"`
	ExtensionID string                    `json:"extensionId,omitempty"`
	Publisher   *catalog.SidecarPublisher `json:"publisher,omitempty"`
	// Access to the namespace is "public" or "restricted".
	Access   string    `json:"access,omitempty"`
	Released time.Time `json:"released,omitzero"` // the extension
	Licence  string    `json:"licence,omitempty"` // as the upstream writes it
	// Pictures are those that the readme shows and no package has, sorted by address.
	Pictures []Picture `json:"pictures,omitempty"`
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

// String returns publisher.name@version[@platform].
func (e *Entry) String() string {
	return catalog.ID{Extension: e.ID, Version: e.Version, Platform: e.Platform}.String()
}

// Name returns the name of the package in the folder without the suffix .vsix: publisher and name
// in lower case, as ovsx names files.
func (e *Entry) Name() string {
	return catalog.ID{Extension: strings.ToLower(e.ID) + "-" + e.Version, Platform: e.Platform}.String()
}

// Key returns the [catalog.Key] of the package.
func (e *Entry) Key() string {
	publisher, name, _ := strings.Cut(e.ID, ".")
	return catalog.Key(publisher, name, e.Version, e.Platform)
}

// FileName returns the name of the package in the folder.
func (e *Entry) FileName() string { return e.Name() + ".vsix" }

// FileName returns the path of the picture in the folder: pictures/<sha256>.png or so.
func (p Picture) FileName() string {
	return imagefile.Folder + p.SHA256.String() + imagefile.Extension(p.Type)
}

// Compare orders entries by id, version (newest first) and platform.
func Compare(a, b Entry) int {
	return cmp.Or(
		cmp.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)),
		compareVersions(b.Version, a.Version),
		cmp.Compare(a.Version, b.Version), // of versions that differ in their build only
		cmp.Compare(a.Platform, b.Platform),
	)
}

// compareVersions compares by precedence. A version that is not one of semver is the oldest.
func compareVersions(a, b string) int {
	x, errX := npmsemver.ParseVersion(a)
	y, errY := npmsemver.ParseVersion(b)
	switch {
	case errX == nil && errY == nil:
		return x.Compare(y)
	case errX == nil:
		return 1
	case errY == nil:
		return -1
	}
	return cmp.Compare(a, b)
}
