package delivery

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/collect"
	"galbuild/build/jsonc"
	"galbuild/build/upstream/route"
)

// FileName is the name of the file that describes a delivery, unless another one is given.
const FileName = "galbuild.json"

// MaxText is the largest size of the file in bytes.
const MaxText = 1 << 20

// A File describes a delivery. Paths are those of the file, joined to its folder.
type File struct {
	Collect  *Collect // nil if the folder of packages is filled in another way
	Packages string   // the folder of packages
	Site     string   // the folder of the site
	Policy   string   // file of the policy; "" keeps that of the site
	BaseURL  string   // address at which the site is served; "" keeps that of the site
	Views    []View
	Vet      Vet
	Export   *Export // nil if there is no tarball
	Publish  string  // a target, or ""
}

// Collect says what is collected, as the arguments and flags of galbuild collect do.
type Collect struct {
	Requests    []string
	From        []string // addresses of upstreams, in order
	Engines     []string // versions of VS Code, with three numbers
	Platforms   []string
	PreReleases bool                // also the newest pre-release, if it is newer than the newest release
	Keep        int                 // versions of each channel; 0 is not given
	Packs       bool                // also the members of packs; the policy can ask for them too
	Pictures    bool                // also the pictures that readmes show and no package has
	Statistics  bool                // the gallery has the statistics that upstreams state
	With        []collect.Companion // sorted by path
	Mirrors     []string            // as in route.ParseMirror
	Rate        int                 // requests to a host in a second; 0 is not given
}

// Vet says with what packages are vetted, in addition to the rules of the policy.
type Vet struct {
	Scanners []string // commands
	OSV      string   // file of known vulnerabilities, or ""
}

// Export says which tarball is written.
type Export struct {
	Output string // its name, into which the date is inserted
	Since  Since
	Split  int64 // size of a part in bytes; 0 for one file
}

// Since says what a tarball leaves out.
type Since string

// What a tarball leaves out.
const (
	// SinceArrived is what every site has that is at the last export that has arrived, or at a
	// later one. It is the default.
	SinceArrived Since = "arrived"
	// SinceLast is what the last export has, on the assumption that all of them arrive in
	// order.
	SinceLast Since = "last"
	// SinceNothing is nothing: every tarball has the whole site.
	SinceNothing Since = "nothing"
)

// Parse parses the file at a path. Its errors are one for each mistake, joined.
func Parse(file string, text []byte) (*File, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("%s: %d bytes, more than the limit of %d", file, len(text), MaxText)
	}
	d, root, err := jsonc.NewReader(file, text)
	if err != nil {
		return nil, err
	}
	r := &fileReader{Reader: d, dir: filepath.Dir(file)}
	f := r.read(root)
	return f, d.Err()
}

// A fileReader fills a File.
type fileReader struct {
	*jsonc.Reader
	dir string // of the file
}

func (r *fileReader) read(root jsonc.Field) *File {
	f := &File{Packages: r.join("vsixs"), Site: r.join("site")}
	for _, x := range r.Members(root, "$schema", "collect", "packages", "site", "policy", "baseUrl", "views", "vet", "export", "publish") {
		switch x.Name {
		case "$schema":
			r.String(x, "the address of a schema")
		case "collect":
			f.Collect = r.readCollect(x)
		case "packages":
			f.Packages = r.path(x, "the folder of packages")
		case "site":
			f.Site = r.path(x, "the folder of a site")
		case "policy":
			f.Policy = r.path(x, "the file of a policy")
		case "baseUrl":
			f.BaseURL = r.address(x)
		case "views":
			f.Views = r.readViews(x)
		case "vet":
			f.Vet = r.readVet(x)
		case "export":
			f.Export = r.readExport(x)
		case "publish":
			f.Publish = r.readTarget(x)
		}
	}
	for _, v := range f.Views {
		if filepath.Clean(v.Output) == filepath.Clean(f.Site) {
			r.Problem(root, "the view %s has the folder of the site: want a folder of its own", v.Name)
		}
	}
	return f
}

// readTarget returns a target, whose path is joined if it is a folder.
func (r *fileReader) readTarget(f jsonc.Field) string {
	s, ok := r.String(f, `a target such as "s3://BUCKET/PREFIX"`)
	if !ok || strings.Contains(s, "://") {
		return s
	}
	return r.join(s)
}

func (r *fileReader) readCollect(f jsonc.Field) *Collect {
	c := &Collect{Statistics: true}
	for _, x := range r.Members(f, "requests", "from", "engines", "platforms", "preReleases", "keep", "packs", "pictures", "statistics", "with", "mirrors", "rate") {
		switch x.Name {
		case "requests":
			c.Requests = r.readRequests(x)
		case "from":
			c.From = r.texts(x, `the address of an upstream such as "https://open-vsx.org"`)
		case "engines":
			c.Engines = r.readEngines(x)
		case "platforms":
			c.Platforms = r.readPlatforms(x)
		case "preReleases":
			c.PreReleases = r.Bool(x)
		case "keep":
			c.Keep = r.Count(x)
		case "packs":
			c.Packs = r.Bool(x)
		case "pictures":
			c.Pictures = r.Bool(x)
		case "statistics":
			c.Statistics = r.Bool(x)
		case "with":
			c.With = r.readWith(x)
		case "mirrors":
			c.Mirrors = r.readMirrors(x)
		case "rate":
			c.Rate = r.Count(x)
		}
	}
	if len(c.Requests) == 0 && f.Value.Value.Kind() == '{' {
		r.Problem(f, `want the key "requests" with an extension such as "acme.hello", or a list such as "@list.txt"`)
	}
	return c
}

// readRequests returns the requests of a collection. Lists, which begin with @, and files are
// paths.
func (r *fileReader) readRequests(f jsonc.Field) (all []string) {
	for _, s := range r.texts(f, `an extension such as "acme.hello", or a list such as "@list.txt"`) {
		list, isList := strings.CutPrefix(s, "@")
		switch {
		case isList:
			s = "@" + r.join(list)
		case isRequestFile(s):
			s = r.join(s)
		}
		all = append(all, s)
	}
	return all
}

// isRequestFile reports whether a request is the name of a file that lists extensions.
func isRequestFile(s string) bool {
	return !strings.Contains(s, "://") && slices.Contains([]string{".json", ".code-workspace", ".lock"}, filepath.Ext(s))
}

// checked returns the elements of a list of texts for which check returns no error.
func (r *fileReader) checked(f jsonc.Field, want string, check func(string) error) (all []string) {
	for _, x := range r.Elements(f) {
		s, ok := r.String(x, want)
		if !ok {
			continue
		}
		if err := check(s); err != nil {
			r.Problem(x, "%v", err)
		}
		all = append(all, s)
	}
	return all
}

func (r *fileReader) readEngines(f jsonc.Field) (all []string) {
	r.checked(f, `a version of VS Code such as "1.96"`, func(s string) error {
		engine, err := collect.ParseEngine(s)
		all = append(all, engine)
		return err
	})
	return all
}

func (r *fileReader) readMirrors(f jsonc.Field) []string {
	return r.checked(f, `a mirror such as "https://open-vsx.org=https://mirror.example"`, func(s string) error {
		_, err := route.ParseMirror(s)
		return err
	})
}

func (r *fileReader) readPlatforms(f jsonc.Field) []string {
	return r.checked(f, `a platform such as "linux-x64"`, func(s string) error {
		_, err := collect.ParsePlatform(s)
		return err
	})
}

func (r *fileReader) readWith(f jsonc.Field) (all []collect.Companion) {
	for _, x := range r.Members(f) {
		s, ok := r.String(x, "a file or an address")
		if !ok {
			continue
		}
		c, err := collect.ParseCompanion(x.Name + "=" + s)
		if err != nil {
			r.Problem(x, "%v", err)
		}
		if !strings.Contains(s, "://") {
			c.From = r.join(s)
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b collect.Companion) int { return strings.Compare(a.Path, b.Path) })
	return all
}

func (r *fileReader) readVet(f jsonc.Field) (v Vet) {
	for _, x := range r.Members(f, "scanners", "osv") {
		switch x.Name {
		case "scanners":
			v.Scanners = r.texts(x, `a command such as "clamscan --no-summary"`)
		case "osv":
			v.OSV = r.path(x, "a file of vulnerabilities")
		}
	}
	return v
}

func (r *fileReader) readExport(f jsonc.Field) *Export {
	e, named := &Export{Since: SinceArrived}, false
	for _, x := range r.Members(f, "output", "since", "split") {
		switch x.Name {
		case "output":
			e.Output, named = r.readOutput(x), true
		case "since":
			e.Since = r.readSince(x)
		case "split":
			e.Split = r.Size(x)
		}
	}
	if !named && f.Value.Value.Kind() == '{' {
		r.Problem(f, `want the key "output", the name of the tarball such as "out/gallery.tar.zst"`)
	}
	return e
}

// suffixes are those of tarballs, with the shorter ones last.
var suffixes = []string{".tar.gz", ".tar.zst", ".tgz", ".tar"}

// splitSuffix splits the suffix off the name of a tarball. It is "" if there is none.
func splitSuffix(name string) (stem, suffix string) {
	for _, s := range suffixes {
		if stem, ok := strings.CutSuffix(name, s); ok {
			return stem, s
		}
	}
	return name, ""
}

func (r *fileReader) readOutput(f jsonc.Field) string {
	s, ok := r.String(f, `the name of a tarball such as "out/gallery.tar.zst"`)
	if !ok {
		return ""
	}
	if stem, suffix := splitSuffix(filepath.Base(s)); suffix == "" || stem == "" {
		r.Problem(f, "%q: the name must end in %s", s, jsonc.OneOf(suffixes))
	}
	return r.join(s)
}

func (r *fileReader) readSince(f jsonc.Field) Since {
	all := []string{string(SinceArrived), string(SinceLast), string(SinceNothing)}
	s, ok := r.String(f, jsonc.OneOf(all))
	if ok && !slices.Contains(all, s) {
		r.Problem(f, "%.100q is not one of the values%s", s, jsonc.OrOneOf(s, all))
	}
	return Since(s)
}

func (r *fileReader) texts(f jsonc.Field, want string) (all []string) {
	for _, x := range r.Elements(f) {
		if s, ok := r.String(x, want); ok {
			all = append(all, s)
		}
	}
	return all
}

func (r *fileReader) address(f jsonc.Field) string {
	s, ok := r.String(f, `an address such as "https://tools.example/gallery"`)
	if !ok {
		return ""
	}
	if err := catalog.CheckURL(s); err != nil {
		r.Problem(f, "%s: %v", s, err)
	}
	return strings.TrimRight(s, "/")
}

// path returns a path of the file, joined to its folder.
func (r *fileReader) path(f jsonc.Field, want string) string {
	s, ok := r.String(f, want)
	if !ok {
		return ""
	}
	return r.join(s)
}

func (r *fileReader) join(path string) string {
	if path = filepath.FromSlash(path); filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.dir, path)
}
