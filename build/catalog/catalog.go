// Package catalog is the vocabulary of a gallery: extensions, their versions
// and the files of each, as the catalogue of a site records them.
//
// The catalogue is the source of truth. The index, the JSON answers and the
// pages are derived from it and nothing else, so a site can be changed by
// reading its catalogue and never its blobs. The package does no I/O.
//
// As a file it is JSON lines: a header, then one extension a line, sorted by
// lower-case id, so that one changed extension is one changed line:
//
//	{"galbuild":1,"baseUrl":"https://host/gallery","unpack":"web"}
//	{"publisher":{"name":"acme",…},"name":"hello","uuid":"…","versions":[…]}
package catalog

import (
	"cmp"
	"encoding/json"
	"iter"
	"strings"
	"time"

	"galbuild/build/blob"
)

// Version of the catalogue's format, the header's "galbuild".
const Format = 1

// Folders of a site that hold a version's content, each followed by VersionDir.
const (
	AssetsDir = "assets/" // then the asset type
	FilesDir  = "files/"  // then the path in the package
)

// Asset types that the gallery itself adds to what a package lists.
// Source: AssetType in VS Code's extensionGalleryService.ts.
const (
	PackageAsset   = "Microsoft.VisualStudio.Services.VSIXPackage"
	SignatureAsset = "Microsoft.VisualStudio.Services.VsixSignature"
)

// Platforms returns the target platforms that editors ask for, but for universal,
// which is "" here and fits all.
//
// Source: TargetPlatform in VS Code's extensions.ts.
func Platforms() []string {
	return []string{
		"win32-x64", "win32-arm64", "linux-x64", "linux-arm64", "linux-armhf",
		"alpine-x64", "alpine-arm64", "darwin-x64", "darwin-arm64", "web",
	}
}

// Catalog is everything a site serves. Extensions are sorted by Key.
type Catalog struct {
	Settings
	Extensions []Extension
}

// Settings are the builder's choices that readers of the site need to know.
type Settings struct {
	Render int `json:"render"` // version of the rendering: another gives other answers for the same extensions

	BaseURL string `json:"baseUrl,omitempty"` // where the site is served, no slash at the end; "" if not known
	// ContentURL is where editors load assets and files from, no slash at the end; "" if
	// that is BaseURL.
	ContentURL string `json:"contentUrl,omitempty"`

	Unpack   string   `json:"unpack,omitempty"`   // "web" or "all": whose file trees stand under files/
	Sign     string   `json:"sign,omitempty"`     // "empty": versions without a genuine signature list an empty one
	Featured []string `json:"featured,omitempty"` // lower-case ids, sorted

	Control json.RawMessage `json:"control,omitempty"` // the control manifest; nil is one that says nothing
}

// Extension is one publisher.name with all its versions, newest first; the
// platforms of one version are adjacent, universal last.
type Extension struct {
	Publisher  Publisher   `json:"publisher"`
	Name       string      `json:"name"` // as the newest version declares it
	UUID       string      `json:"uuid"` // extensionId, lower case
	Released   time.Time   `json:"released"`
	Published  time.Time   `json:"published"`
	Updated    time.Time   `json:"updated"`
	Statistics *Statistics `json:"statistics,omitempty"`
	Versions   []Version   `json:"versions"`
}

// Publisher is who publishes an extension.
type Publisher struct {
	ID          string `json:"id"`   // publisherId, a UUID
	Name        string `json:"name"` // as the newest version declares it
	DisplayName string `json:"displayName"`
	Domain      string `json:"domain,omitempty"`
	Verified    bool   `json:"verified,omitempty"` // Domain belongs to the publisher
}

// Statistics are what a sidecar knew.
type Statistics struct {
	Install       int64   `json:"install,omitempty"`
	AverageRating float64 `json:"averagerating,omitempty"`
	RatingCount   int64   `json:"ratingcount,omitempty"`
}

// Version is one package: a version of an extension for one target platform.
type Version struct {
	Publisher   string     `json:"publisher,omitempty"` // as this package declares it, if not as the extension does
	Name        string     `json:"name,omitempty"`      // likewise
	Version     string     `json:"version"`
	Platform    string     `json:"platform,omitempty"` // target platform; "" is universal
	PreRelease  bool       `json:"preRelease,omitempty"`
	Preview     bool       `json:"preview,omitempty"`
	DisplayName string     `json:"displayName"`
	Description string     `json:"description"`
	Categories  []string   `json:"categories,omitempty"`
	Tags        []string   `json:"tags,omitempty"`
	Contributed []string   `json:"contributed,omitempty"` // texts of contributions, for the search only
	Properties  []Property `json:"properties,omitempty"`  // as the gallery answers them
	Updated     time.Time  `json:"updated"`
	Signed      bool       `json:"signed,omitempty"`    // a genuine signature archive is among the assets
	FirstSeen   bool       `json:"firstSeen,omitempty"` // Updated is when we first saw the package, for want of a better date
	Seen        time.Time  `json:"seen,omitzero"`       // when it was first seen, if it then had a date in the future; no date is later
	Package     File       `json:"package"`             // the .vsix
	Assets      []Asset    `json:"assets"`              // sorted by type; the package is among them
	Files       []File     `json:"files,omitempty"`     // the tree under files/, sorted by path
	Sidecar     *Sidecar   `json:"sidecar,omitempty"`
}

// Property is one of a version's properties, such as
// Microsoft.VisualStudio.Code.Engine.
type Property struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// File is a file of a site.
type File struct {
	Path string   `json:"path,omitempty"` // relative to the version's folder under files/; empty for a package
	Ref  blob.Ref `json:"sha256"`
	Size int64    `json:"size"`
	Type string   `json:"type"` // media type
}

// Asset is a file that editors ask for by its type, such as
// Microsoft.VisualStudio.Services.Icons.Default.
type Asset struct {
	Type string `json:"type"`
	File `json:"file"`
}

// Sidecar is what x.vsix.json beside x.vsix says: what the upstream gallery
// knew of the version, in the gallery's own field names. Every key is optional.
// It is also what vscodeoffline's JSON files say. Without these, it is the dates that the list
// of a dbem repository has.
type Sidecar struct {
	ExtensionID   string            `json:"extensionId,omitempty"`
	Publisher     *SidecarPublisher `json:"publisher,omitempty"`
	ReleaseDate   *time.Time        `json:"releaseDate,omitempty"`
	PublishedDate *time.Time        `json:"publishedDate,omitempty"`
	LastUpdated   *time.Time        `json:"lastUpdated,omitempty"`
	Statistics    *Statistics       `json:"statistics,omitempty"`
}

// SidecarPublisher is a sidecar's publisher.
type SidecarPublisher struct {
	PublisherID      string `json:"publisherId,omitempty"`
	DisplayName      string `json:"displayName,omitempty"`
	Domain           string `json:"domain,omitempty"`
	IsDomainVerified bool   `json:"isDomainVerified,omitempty"`
}

// ID returns publisher.name as declared.
func (e *Extension) ID() string { return e.Publisher.Name + "." + e.Name }

// Key returns the lower-case id, by which extensions are sorted and told apart.
func (e *Extension) Key() string { return strings.ToLower(e.ID()) }

// Key identifies a package: publisher.name@version, with @platform if there is one, in
// lower case. Versions that differ only in case (1.0.0-RC, 1.0.0-rc) would share a folder
// on some systems, so they have the same key.
func Key(publisher, name, version, platform string) string {
	key := strings.ToLower(publisher + "." + name + "@" + version)
	if platform != "" {
		key += "@" + platform
	}
	return key
}

// VersionDir returns the folder of a version below assets/ and files/:
// <pub>/<name>/<version>[@<platform>], all but the version in lower case.
func VersionDir(publisher, name, version, platform string) string {
	dir := strings.ToLower(publisher) + "/" + strings.ToLower(name) + "/" + version
	if platform != "" {
		dir += "@" + platform
	}
	return dir
}

// Versions yields every version with its Key.
func (c *Catalog) Versions() iter.Seq2[string, *Version] {
	return func(yield func(string, *Version) bool) {
		for i := range c.Extensions {
			for key, v := range c.Extensions[i].Keyed() {
				if !yield(key, v) {
					return
				}
			}
		}
	}
}

// Keyed yields the extension's versions with their Keys.
func (e *Extension) Keyed() iter.Seq2[string, *Version] {
	return func(yield func(string, *Version) bool) {
		for i := range e.Versions {
			v := &e.Versions[i]
			if !yield(Key(cmp.Or(v.Publisher, e.Publisher.Name), cmp.Or(v.Name, e.Name), v.Version, v.Platform), v) {
				return
			}
		}
	}
}
