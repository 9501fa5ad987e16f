package galshim

import (
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/tidwall/gjson"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/index"
)

// A build is a version of an extension for a target platform, as a request names
// it: letters in any case, the platform behind the version or in the query.
type build struct {
	publisher, name, version, platform string
}

// builds returns what a request may mean, the likeliest first. separators may
// stand between version and platform. A platform in the query is a preference: a
// version that is for all of them has none.
func builds(r *http.Request, separators, parameter string) []build {
	b := build{publisher: r.PathValue("publisher"), name: r.PathValue("name"), version: r.PathValue("version")}
	all := []build{b}
	if i := strings.LastIndexAny(b.version, separators); i >= 0 {
		b.version, b.platform = b.version[:i], strings.ToLower(b.version[i+1:])
		return append(all, b) // the first may be a version with a plus sign of its own
	}
	if platform := strings.ToLower(r.URL.Query().Get(parameter)); platform != "" && platform != "universal" {
		b.platform = platform
		return []build{b, all[0]}
	}
	return all
}

// folder returns the folder of b below assets/ and files/.
func (b build) folder() string {
	return catalog.VersionDir(b.publisher, b.name, b.version, b.platform) + "/"
}

// webResources is how Microsoft and Open VSX name a file of a web extension as an asset.
const webResources = "Microsoft.VisualStudio.Code.WebResources/"

// asset answers with one of the files that editors ask for by type.
func (s *server) asset(w *reply, r *http.Request, g *generation) error {
	dir, name := catalog.AssetsDir, r.PathValue("path")
	if file, ok := strings.CutPrefix(name, webResources); ok {
		dir, name = catalog.FilesDir, file
	}
	return s.versioned(w, r, g, dir, name, builds(r, "@", "targetPlatform"))
}

// unpacked answers with a file out of a package. Editors put a plus sign between
// version and platform, older ones the platform in the query.
func (s *server) unpacked(w *reply, r *http.Request, g *generation) error {
	return s.versioned(w, r, g, catalog.FilesDir, r.PathValue("path"), builds(r, "@+", "target"))
}

// vspackage answers with a package, where people and scripts look for one.
func (s *server) vspackage(w *reply, r *http.Request, g *generation) error {
	wanted := builds(r, "@", "targetPlatform")
	if wanted[0].version != "latest" {
		return s.versioned(w, r, g, catalog.AssetsDir, catalog.PackageAsset, wanted)
	}
	newest, ok := newestRelease(g, wanted[0])
	if f, known := g.ix.File(catalog.AssetsDir + newest.folder() + catalog.PackageAsset); ok && known && s.files {
		return s.send(w, r, g, f, shortLived)
	}
	return s.missing(r, g)
}

// newestRelease returns the newest version of b's extension that its platform
// can use: a release, or a pre-release if there has been no other.
func newestRelease(g *generation, wanted build) (newest build, found bool) {
	newest = wanted
	hit, ok := g.ix.Find(wanted.publisher + "." + wanted.name)
	if !ok {
		return newest, false
	}
	for _, v := range gjson.GetBytes(g.ix.Payload(hit, index.Latest).JSON, "versions").Array() {
		platform := v.Get("targetPlatform").String()
		if platform != "" && platform != wanted.platform {
			continue
		}
		release := v.Get(`properties.#(key="Microsoft.VisualStudio.Code.PreRelease").value`).String() != "true"
		if release || !found {
			newest.version, newest.platform, found = v.Get("version").String(), platform, true
		}
		if release {
			break
		}
	}
	return newest, found
}

// versioned answers with the first of wanted that has the file.
func (s *server) versioned(w *reply, r *http.Request, g *generation, dir, name string, wanted []build) error {
	if !s.files {
		return s.missing(r, g)
	}
	for _, b := range wanted {
		if f, ok := g.ix.File(dir + b.folder() + name); ok {
			if b.platform == "" && wanted[0].platform != "" {
				return s.send(w, r, g, f, shortLived) // for want of the platform's own, which may come
			}
			return s.send(w, r, g, f, immutable)
		}
	}
	return s.missing(r, g)
}

// missing says what is not there: files at all, the extension, or the file.
func (s *server) missing(r *http.Request, g *generation) error {
	if !s.files {
		return notFound("%s: this server answers questions only, files are elsewhere", r.URL.Path)
	}
	if publisher, name := r.PathValue("publisher"), r.PathValue("name"); name != "" {
		id := publisher + "." + name
		if _, ok := g.ix.Find(id); !ok {
			return notFound("no extension %q", id)
		}
		return notFound("extension %q has no such version, platform or file: %s", id, r.URL.RequestURI())
	}
	return notFound("no such path: %s", r.URL.Path)
}

// other answers for every path that is not special: with a file of the site that is
// not a version's.
func (s *server) other(w *reply, r *http.Request, g *generation) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return notFound("nothing to %s at %s", r.Method, r.URL.Path)
	}
	return s.file(w, r, g, strings.TrimPrefix(r.URL.Path, "/"))
}

// file answers with a file of the site that may be another one in the next generation.
func (s *server) file(w *reply, r *http.Request, g *generation, path string) error {
	if f, ok := g.ix.File(path); ok && s.files {
		return s.send(w, r, g, f, shortLived)
	}
	return s.missing(r, g)
}

// send answers with the blob of f. Text is compressed where the client can;
// packages and pictures are already, and go out as they lie on the disk.
func (s *server) send(w *reply, r *http.Request, g *generation, f index.File, cache string) (err error) {
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("Cache-Control", cache)
	h.Set("ETag", `"`+blob.Ref(f.SHA256).String()+`"`)
	if name, ok := packageName(f.Path); ok {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	}
	if policy := s.policy(f); policy != "" {
		h.Set("Content-Security-Policy", policy)
	}
	if !compressible(f.Type) {
		return g.blobs.serve(w, r, f)
	}
	if !acceptsGzip(r.Header) || !s.mayCompress() {
		h.Add("Vary", "Accept-Encoding")
		return g.blobs.serve(w, r, f)
	}
	defer func() { <-s.compressing }()
	s.compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err = g.blobs.serve(w, r, f)
	})).ServeHTTP(w, r)
	return err
}

// mayCompress takes one of the compressors, if one is free. Each holds a megabyte.
func (s *server) mayCompress() bool {
	select {
	case s.compressing <- struct{}{}:
		return true
	default:
		return false
	}
}

// packageName returns the file name of a package by its path in the site.
func packageName(file string) (string, bool) {
	part := strings.Split(file, "/")
	if len(part) != 5 || path.Base(file) != catalog.PackageAsset {
		return "", false
	}
	return part[1] + "." + part[2] + "-" + part[3] + ".vsix", true
}

// compressible tells whether a media type is some kind of text.
func compressible(mediaType string) bool {
	kind, _, _ := strings.Cut(mediaType, ";")
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "xml") ||
		kind == "application/javascript" || kind == "application/wasm"
}
