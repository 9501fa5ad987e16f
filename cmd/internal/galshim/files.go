package galshim

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/headers"
	"galbuild/index"
	"galbuild/render/gallery"
)

// A build is a version of an extension for a target platform, as in a request: in upper or lower
// case, with the platform after the version or in the query of the URL.
type build struct {
	publisher, name, version, platform string
}

// builds returns the builds that a request can mean, the most likely first. separators are the
// characters that can separate version and platform. For a platform in the query, the second build
// is that for all platforms.
func builds(r *http.Request, separators, parameter string) []build {
	b := build{publisher: r.PathValue("publisher"), name: r.PathValue("name"), version: r.PathValue("version")}
	plain := b
	if i := strings.LastIndexAny(b.version, separators); i >= 0 {
		b.version, b.platform = b.version[:i], strings.ToLower(b.version[i+1:])
		return []build{plain, b} // the first is for a version that contains a plus sign
	}
	if platform := strings.ToLower(r.URL.Query().Get(parameter)); platform != "" && platform != "universal" {
		b.platform = platform
		return []build{b, plain}
	}
	return []build{plain}
}

// folder returns the path of the files of b below assets/ and files/.
func (b build) folder() string {
	return catalog.VersionDir(b.publisher, b.name, b.version, b.platform) + "/"
}

// webResources is the prefix with which Microsoft and Open VSX serve a file of a web extension
// as an asset.
const webResources = "Microsoft.VisualStudio.Code.WebResources/"

// asset serves a file that editors request by its asset type.
func (s *server) asset(w *reply, r *http.Request, g *generation) error {
	dir, name := catalog.AssetsDir, r.PathValue("path")
	if file, ok := strings.CutPrefix(name, webResources); ok {
		dir, name = catalog.FilesDir, file
	}
	err := s.serveVersion(w, r, g, dir, name, builds(r, "@", "targetPlatform"))
	if err == nil && r.PathValue("path") == catalog.PackageAsset {
		s.countDownload(w, r, g)
	}
	return err
}

// unpacked serves a file of a package. Editors separate version and platform with a plus sign;
// older ones have the platform in the query.
func (s *server) unpacked(w *reply, r *http.Request, g *generation) error {
	return s.serveVersion(w, r, g, catalog.FilesDir, r.PathValue("path"), builds(r, "@+", "target"))
}

// vspackage serves a package at the address that scripts use.
func (s *server) vspackage(w *reply, r *http.Request, g *generation) error {
	err := s.servePackage(w, r, g)
	if err == nil {
		s.countDownload(w, r, g)
	}
	return err
}

func (s *server) servePackage(w *reply, r *http.Request, g *generation) error {
	wanted := builds(r, "@", "targetPlatform")
	if wanted[0].version != "latest" {
		return s.serveVersion(w, r, g, catalog.AssetsDir, catalog.PackageAsset, wanted)
	}
	newest, ok, err := newestRelease(g, wanted[0], s.address(s.contentBase(w)))
	if err != nil {
		return err
	}
	if !ok {
		return s.notFound(r, g)
	}
	return s.file(w, r, g, catalog.AssetsDir+newest.folder()+catalog.PackageAsset)
}

// newestRelease returns the newest release of the wanted extension for its platform, or the
// newest pre-release if there is no release.
func newestRelease(g *generation, wanted build, at *gallery.Address) (newest build, found bool, err error) {
	newest = wanted
	latest, ok, err := gallery.AppendLatest(nil, g.ix, wanted.publisher+"."+wanted.name, at)
	if err != nil || !ok {
		return newest, false, err
	}
	for _, v := range gjson.GetBytes(latest, "versions").Array() {
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
	return newest, found, nil
}

// serveVersion serves the file of the first wanted build that has it.
func (s *server) serveVersion(w *reply, r *http.Request, g *generation, dir, name string, wanted []build) error {
	if !s.files && name != headers.DetailsAsset { // galshim fills in readmes for the web server in front of it
		return s.notFound(r, g)
	}
	for _, b := range wanted {
		f, ok, err := g.ix.File(dir + b.folder() + name)
		if err != nil {
			return err
		}
		if ok {
			if b.platform == "" && wanted[0].platform != "" {
				return s.serveFile(w, r, g, f, headers.ShortLived) // a build for the platform may be published later
			}
			return s.serveFile(w, r, g, f, "")
		}
	}
	return s.notFound(r, g)
}

// notFound returns an error for a request without a file. Its message depends on whether the
// extension exists, and whether this server has files.
func (s *server) notFound(r *http.Request, g *generation) error {
	if !s.files {
		return notFound("%s: this server responds to queries only, and serves no files", r.URL.Path)
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

// siteFile serves all other paths: pages, and files of the site that do not belong to a version.
func (s *server) siteFile(w *reply, r *http.Request, g *generation) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return notFound("no such path for %s: %s", r.Method, r.URL.Path)
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	f, ok, err := g.ix.File(path)
	switch {
	case err != nil:
		return err
	case ok && s.files && !headers.IsPage(path):
		return s.serveFile(w, r, g, f, headers.ShortLived)
	}
	return s.page(w, r, g)
}

// file serves a file of the site that the next generation may replace.
func (s *server) file(w *reply, r *http.Request, g *generation, path string) error {
	f, ok, err := g.ix.File(path)
	switch {
	case err != nil:
		return err
	case ok && s.files:
		return s.serveFile(w, r, g, f, headers.ShortLived)
	}
	return s.notFound(r, g)
}

// serveFile serves the blob of f. cache is its Cache-Control, or "" for that of its path. Text is
// compressed if the client accepts it. Packages and images are compressed already, and are sent as
// they are.
func (s *server) serveFile(w *reply, r *http.Request, g *generation, f index.File, cache string) (err error) {
	if headers.IsDetails(f.Path) {
		return s.serveReadme(w, r, g, f)
	}
	h := w.Header()
	file := headers.Served(f.Path, f.Type, s.content)
	file.Cache = cmp.Or(cache, file.Cache)
	file.Set(h)
	h.Set("ETag", `"`+blob.Ref(f.SHA256).String()+`"`)
	if !compressible(f.Type) {
		return g.blobs.serve(w, r, f)
	}
	s.compressed(w, r, func(w http.ResponseWriter, r *http.Request) {
		err = g.blobs.serve(w, r, f)
	})
	return err
}

// compressed calls send with a writer that compresses the response, if the client accepts that and
// a compressor is free.
func (s *server) compressed(w *reply, r *http.Request, send http.HandlerFunc) {
	if !acceptsGzip(r.Header) || !s.mayCompress() {
		w.Header().Add("Vary", "Accept-Encoding")
		send(w, r)
		return
	}
	defer func() { <-s.compressing }()
	s.compress(send).ServeHTTP(w, r)
}

// mayCompress reserves a compressor. It returns false if none is free. Each uses 1 MB of memory.
func (s *server) mayCompress() bool {
	select {
	case s.compressing <- struct{}{}:
		return true
	default:
		return false
	}
}

// compressible reports whether files of a media type are worth compressing.
func compressible(mediaType string) bool {
	kind, _, _ := strings.Cut(mediaType, ";")
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "xml") ||
		kind == "application/javascript" || kind == "application/wasm"
}
