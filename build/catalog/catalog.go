// Package catalog defines the catalogue of a site: its extensions, their versions, and the files of
// each version.
//
// The catalogue is the source of truth. The index, the static responses and the pages are derived
// only from it, so a site can be changed without reading its blobs. The package does no I/O on
// files.
//
// The format is JSON lines, in a main file and in one file for each [Chunk] of extensions. The main
// file begins with a header, which has the number of lines of each kind. It is followed by the
// public part of each record, sorted by id, each [Dropped] version, sorted by Key, each
// [CountedFile], sorted by name, one line with the statistics and the [Usage] of each extension
// that has any, sorted by Key, one line for each [DerivedFile], sorted by path, and one line for
// each chunk, with the hashes and sizes of its files:
//
//	{"galbuild":4,"records":1,"dropped":1,"counted":1,"statistics":2,"derived":1,"chunks":2,…}
//	{"id":"…","kind":"removed","subject":"acme.notes@1.0.0","counter":1,"when":"…"}
//	{"since":"…","version":{"version":"0.9.0",…,"publisher":"acme","name":"hello"}}
//	{"file":"2026-11-29.5d0f…","bytes":4711,"day":"2026-11-29"}
//	{"id":"acme.hello","runs":[{"versions":3,"statistics":{"install":4711}},{"versions":1}]}
//	{"id":"acme.notes","counts":[{"counter":"91c6…","installs":7,"day":"2026-11-29",…}]}
//	{"path":"item/acme.hello.html","sha256":"…","size":8192,"key":"4b8e55d03c2a7f61"}
//	{"lines":{"sha256":"…","size":8192},"index":[{"sha256":"…","documents":29,"files":412,…},…]}
//	{"first":"acme.hello","lines":{"sha256":"…","size":77110},"index":[…]}
//
// So the hash of the main file commits to the whole catalogue, and to the chunks of the index,
// which are derived from it. The file with the lines of a chunk has one extension on each line,
// sorted by lower-case id:
//
//	{"publisher":{"name":"acme",…},"name":"hello","uuid":"…","versions":[…]}
//
// If one extension changes, one line of one chunk changes, and one line of the main file. If
// statistics change, only the main file changes. Its line for an extension says how many versions
// have the same statistics, or none, from the newest version to the oldest. It also has what is
// known about the extension apart from its versions, and then it may be about an extension that is
// not in the catalogue any more. What remains of the
// catalogue of an earlier generation after a purge is a main file, too, with chunks of its own.
//
// What only auditors need is in a second file, which is not served: one line for the private part
// of each record, sorted by id, and then one for each [Package], sorted by hash:
//
//	{"id":"…","by":"alice","reason":"the licence has expired"}
//	{"sha256":"…","package":"acme.hello@1.0.0","sources":[{"path":"acme/hello-1.0.0.vsix"}]}
package catalog

import (
	"cmp"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"time"

	"galbuild/build/blob"
)

// Format is the version of the format, the value of "galbuild" in the header.
const Format = 4

// ErrFormat is wrapped by the errors for files of another format than this program reads, such as a
// catalogue of another Format.
var ErrFormat = errors.New("made by another version of galbuild")

// Folders of a site with the content of versions.
const (
	AssetsDir = "assets/" // followed by VersionDir, a slash, and the asset type
	FilesDir  = "files/"  // followed by VersionDir, a slash, and the path in the package
)

// Asset types of editors. The gallery adds the first two to those of a package.
// Source: AssetType in VS Code's extensionGalleryService.ts.
const (
	PackageAsset   = "Microsoft.VisualStudio.Services.VSIXPackage"
	SignatureAsset = "Microsoft.VisualStudio.Services.VsixSignature"
	DetailsAsset   = "Microsoft.VisualStudio.Services.Content.Details"   // the readme
	ChangelogAsset = "Microsoft.VisualStudio.Services.Content.Changelog" // the change log
	IconAsset      = "Microsoft.VisualStudio.Services.Icons.Default"
	SmallIconAsset = "Microsoft.VisualStudio.Services.Icons.Small"
)

// Asset types of the gallery itself. Responses to editors do not list them, and a package cannot
// have assets of these types, see [IsOwnAsset].
const (
	PageAsset = "galbuild.page" // what the page of the extension shows of the package, see package pagedata
	// ReadmeAsset is the readme with the addresses of the pictures in Version.Files, each after
	// ReadmeBase. A version has it only if it differs from DetailsAsset, which is the original;
	// then the original is also in Version.Files.
	ReadmeAsset = "galbuild.readme"
)

// ReadmeBase stands for the address of the gallery, with a slash at the end, in a readme of the
// type ReadmeAsset. It is an absolute address, so that all parsers of Markdown treat it as one, and
// no host can have it, because the domain invalid is reserved (RFC 2606). The readme has it only in
// addresses of pictures.
const ReadmeBase = "https://base-url.galbuild.invalid/"

// IsOwnAsset reports whether an asset type is reserved for the gallery itself: whether it begins
// with "galbuild.", in any case of letters, because some file systems ignore the case.
func IsOwnAsset(assetType string) bool {
	const own = "galbuild."
	return len(assetType) >= len(own) && strings.EqualFold(assetType[:len(own)], own)
}

// Platforms returns the target platforms of editors. A universal version, whose platform is "",
// is for all of them.
//
// Source: TargetPlatform in VS Code's extensions.ts.
func Platforms() []string {
	return []string{
		"win32-x64", "win32-arm64", "linux-x64", "linux-arm64", "linux-armhf",
		"alpine-x64", "alpine-arm64", "darwin-x64", "darwin-arm64", "web",
	}
}

// Catalog is the catalogue of a site. Extensions are sorted by Key.
type Catalog struct {
	Settings
	Records    []Record      // sorted by ID
	Dropped    []Dropped     // sorted with CompareDropped
	Packages   []Package     // sorted with ComparePackages; empty if they are not known
	Counted    []CountedFile // sorted with CompareCounted
	Usage      []Usage       // sorted with CompareUsage
	Derived    []DerivedFile // sorted by Path
	Extensions []Extension

	statistics []statisticsLine // those that ReadMain has read, until AddChunks adds the extensions
}

// Settings are the settings of a build that the site depends on.
type Settings struct {
	Render int `json:"render"` // version of rendering, see render.Version

	BaseURL string `json:"baseUrl,omitempty"` // address of the site, without a slash at the end; "" if it is not known
	// ContentURL is the address that editors load assets and files from, without a slash at
	// the end. It is "" if that is BaseURL.
	ContentURL string `json:"contentUrl,omitempty"`

	// Unpack is "all" if all extensions have a file tree below files/, and "web" if only web
	// extensions and themes have one. Of the others, the pictures of readmes are there.
	Unpack   string   `json:"unpack,omitempty"`
	Sign     string   `json:"sign,omitempty"`     // "empty": versions without a genuine signature have an empty one
	Featured []string `json:"featured,omitempty"` // lower-case ids, sorted

	NoPages bool `json:"noPages,omitempty"` // the site has no pages for people
	// View is set if the site is a view of another one. The catalogue lists the files of the
	// versions, but only the other site has them.
	View bool `json:"view,omitempty"`

	Control json.RawMessage `json:"control,omitempty"` // the control manifest; nil is an empty one
	Policy  string          `json:"policy,omitempty"`  // the text of the policy file, with its comments

	Companions []Companion `json:"companions,omitempty"` // sorted by path
}

// Extension is an extension with all its versions, newest first. The platforms of one version are
// adjacent, and universal is the last one.
type Extension struct {
	Publisher  Publisher   `json:"publisher"`
	Name       string      `json:"name"` // as the newest version declares it
	UUID       string      `json:"uuid"` // extensionId, lower case
	Released   time.Time   `json:"released"`
	Published  time.Time   `json:"published"`
	Updated    time.Time   `json:"updated"`
	Statistics *Statistics `json:"statistics,omitempty"` // see SetStatistics; not in its line
	Versions   []Version   `json:"versions"`
}

// Publisher is the publisher of an extension.
type Publisher struct {
	ID          string `json:"id"`   // publisherId, a UUID
	Name        string `json:"name"` // as the newest version declares it
	DisplayName string `json:"displayName"`
	Domain      string `json:"domain,omitempty"`
	Verified    bool   `json:"verified,omitempty"` // Domain belongs to the publisher
}

// Version is one package: a version of an extension for one target platform.
type Version struct {
	// Publisher and Name are as the package declares them. They are "" if they are the same as
	// those of the extension.
	Publisher   string     `json:"publisher,omitempty"`
	Name        string     `json:"name,omitempty"`
	Version     string     `json:"version"`
	Platform    string     `json:"platform,omitempty"` // target platform; "" is universal
	PreRelease  bool       `json:"preRelease,omitempty"`
	Preview     bool       `json:"preview,omitempty"`
	DisplayName string     `json:"displayName"`
	Description string     `json:"description"`
	Categories  []string   `json:"categories,omitempty"`
	Tags        []string   `json:"tags,omitempty"`
	Contributed []string   `json:"contributed,omitempty"` // texts of contributions, for the search only
	Properties  []Property `json:"properties,omitempty"`  // as in responses of the gallery
	Updated     time.Time  `json:"updated"`
	Licence     string     `json:"licence,omitempty"` // SPDX expression; "" if it is not known
	Signed      bool       `json:"signed,omitempty"`  // a genuine signature archive is among the assets
	// FirstSeen is set if Updated is the time of the file in which the package was first seen,
	// because it has no other date.
	FirstSeen bool `json:"firstSeen,omitempty"`
	// Published is set if Updated is the date of publication that the upstream states from
	// which the package was collected.
	Published bool `json:"published,omitempty"`
	// Verified is set if the package was collected with a signature of its upstream, which was
	// verified, and which editors cannot verify, so that it is not among the assets.
	Verified bool      `json:"verified,omitempty"`
	Seen     time.Time `json:"seen,omitzero"`   // when the package was first seen; a merge keeps the earliest
	Package  File      `json:"package"`         // the .vsix file
	Assets   []Asset   `json:"assets"`          // sorted by type, with the package
	Files    []File    `json:"files,omitempty"` // the file tree below files/, sorted by path
	Sidecar  *Sidecar  `json:"sidecar,omitempty"`
}

// Keys of properties.
const (
	PropertyEngine     = "Microsoft.VisualStudio.Code.Engine"     // the versions of VS Code that can run it
	PropertyPreRelease = "Microsoft.VisualStudio.Code.PreRelease" // "true" for a pre-release

	PropertyDependencies = "Microsoft.VisualStudio.Code.ExtensionDependencies" // ids, separated by commas
	PropertyPack         = "Microsoft.VisualStudio.Code.ExtensionPack"         // ids, separated by commas
)

// Property is one of a version's properties.
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

// Asset is a file that editors request by its type, such as
// Microsoft.VisualStudio.Services.Icons.Default.
type Asset struct {
	Type string `json:"type"`
	File `json:"file"`
}

// Sidecar is what another gallery has published about a version, in the field names of the
// gallery. It is from the file x.vsix.json next to x.vsix and from the JSON files of
// vscodeoffline, or else from the list of a dbem repository, which has only dates. Every key is
// optional.
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

// Asset returns the asset of a type, or nil.
func (v *Version) Asset(kind string) *Asset {
	for i := range v.Assets {
		if v.Assets[i].Type == kind {
			return &v.Assets[i]
		}
	}
	return nil
}

// Property returns the value of a property, and whether the version has it.
func (v *Version) Property(key string) (value string, ok bool) {
	for _, p := range v.Properties {
		if p.Key == key {
			return p.Value, true
		}
	}
	return "", false
}

// ID returns publisher.name as declared.
func (e *Extension) ID() string { return e.Publisher.Name + "." + e.Name }

// Key returns the lower-case id, which identifies the extension. Extensions are sorted by it.
func (e *Extension) Key() string { return strings.ToLower(e.ID()) }

// Key returns the key of a package: publisher.name@version in lower case, followed by @platform if
// there is one. Versions that differ only in case, such as 1.0.0-RC and 1.0.0-rc, have the same
// key, because they would have the same folder on some systems.
func Key(publisher, name, version, platform string) string {
	key := strings.ToLower(publisher + "." + name + "@" + version)
	if platform != "" {
		key += "@" + platform
	}
	return key
}

// VersionDir returns the folder of a version below assets/ and files/:
// <pub>/<name>/<version>[@<platform>]. The publisher and name are in lower case.
func VersionDir(publisher, name, version, platform string) string {
	dir := strings.ToLower(publisher) + "/" + strings.ToLower(name) + "/" + version
	if platform != "" {
		dir += "@" + platform
	}
	return dir
}

// SharesVersions reports whether two extensions have the same list of versions in memory. If they
// do not, their versions may still be equal.
func (e *Extension) SharesVersions(other *Extension) bool {
	return len(e.Versions) == len(other.Versions) && len(e.Versions) > 0 && &e.Versions[0] == &other.Versions[0]
}

// Differing returns the two catalogues without the extensions that share their versions. If both
// have an extension with different versions, it stays in both.
func (c *Catalog) Differing(other *Catalog) (mine, others *Catalog) {
	a, b := *c, *other
	a.Extensions, b.Extensions = nil, nil
	rest := other.Extensions
	for i := range c.Extensions {
		e := &c.Extensions[i]
		for len(rest) > 0 && !rest[0].SharesVersions(e) && rest[0].Key() < e.Key() {
			b.Extensions, rest = append(b.Extensions, rest[0]), rest[1:]
		}
		if len(rest) > 0 && rest[0].SharesVersions(e) && rest[0].ID() == e.ID() {
			rest = rest[1:]
			continue
		}
		a.Extensions = append(a.Extensions, *e)
	}
	b.Extensions = append(b.Extensions, rest...)
	return &a, &b
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

// Blobs yields the content of all assets and files of the extension's versions.
func (e *Extension) Blobs() iter.Seq[blob.Ref] {
	return func(yield func(blob.Ref) bool) {
		for i := range e.Versions {
			v := &e.Versions[i]
			for j := range v.Assets {
				if !yield(v.Assets[j].Ref) {
					return
				}
			}
			for j := range v.Files {
				if !yield(v.Files[j].Ref) {
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
