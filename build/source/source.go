// Package source finds the packages to read: it expands the sources of a command line.
//
//	x.vsix         one package; any other name too, if the file starts like a zip or gzip file
//	folder         every *.vsix below it, in any case, and every package of vscodeoffline
//	a/**/b-*.vsix  a glob in the syntax of doublestar; a matching folder is searched, and a
//	               matching file of another name is used if it is a package
//	http(s)://…    one package, which is downloaded
//	@list.txt      a list: one source a line, relative to the list's folder
//	-              standard input: a package if it starts like one, otherwise a list
//
// A path that exists is never read as a glob. ./@x and ./- are files.
//
// Lists are text of at most 16 MiB in UTF-8, or in UTF-16 with a byte order mark. Empty lines
// and comments are ignored; a comment starts with a # at the start of a line or after white
// space. Lists may contain lists, each of which is read once.
//
// Folders are searched recursively and through symbolic links, each real folder once. Names
// that start with a dot are skipped: editors and file systems leave such files, such as
// ._x.vsix on a drive that was connected to a Mac. Globs follow a symbolic link only if the
// pattern contains its name.
//
// Three files may lie next to x.vsix: x.vsix.json, its sidecar with the metadata of the upstream
// gallery, x.sigzip, its signature archive, and x.vsix.records, approvals and verdicts about it.
// Downloads have none of them.
//
// The files of an unpacked extension (a folder with extension.vsixmanifest) are content. They
// are neither sources nor sidecars, except for the package that was unpacked there. A file that
// is itself an argument or a line of a list is always used.
//
// Downloads are cached, and resumed if they were interrupted, as package download describes. A
// package from standard input is stored in the same folder, as stdin-<sha256 of its bytes>.vsix.
//
// A URL may contain credentials: https://user:password@host/x.vsix. They are sent to that host
// only, and never appear in messages or files.
package source

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"galbuild/build/retry"
)

// Item is one package to read.
type Item struct {
	Name    string    // for messages: the path as found, or the URL without credentials
	Path    string    // absolute path of the file
	Size    int64     // in bytes
	ModTime time.Time // a file is unchanged if Path, Size and ModTime are
	Origin  string    // where it came from, for auditors; see origin.go

	Sidecar   *Stamp // x.vsix.json next to x.vsix, or latest.json of vscodeoffline; nil if missing
	Signature *Stamp // x.sigzip next to x.vsix, or the signature of vscodeoffline; nil if missing

	Records *Stamp // x.vsix.records next to x.vsix, see package records; nil if missing

	VersionSidecar *Stamp // extension.json of vscodeoffline, for keys that Sidecar lacks; may be nil
	Unpacked       *Stamp // manifest of the unpacked extension whose package this must be, or nil
	Untrusted      string // path of a sidecar that is ignored: it is in an unpacked extension
}

// Stamp identifies a state of a file that lies next to a package.
type Stamp struct {
	Path    string
	Size    int64
	ModTime time.Time
}

// Problem is a source that could not be read. Err contains the reason, where possible a hint,
// and the list and line of the source, if it is in a list.
type Problem struct {
	Name string // as in Item
	Err  error
}

// Config has the settings of [Expand]. The zero value suffices for local sources.
type Config struct {
	Downloads string        // cache of downloads and of packages from stdin; created if missing
	Client    *retry.Client // nil: one of the zero retry.Config
	Stdin     io.Reader     // the reader of the source "-"
	Skip      string        // the folder of the site to be written, which is never searched; "" is none
	MaxBytes  int64         // limit of a package that is downloaded or read from stdin; 0 is none
	MaxRatio  int64         // limit of the ratio of decompressed to compressed bytes; 0 is that of vsix.Limits

	// Progress is called with the number of bytes of a download that have arrived, and with
	// their total, or -1 if that is unknown. Several goroutines call it, one for each download.
	Progress func(name string, done, total int64)
	Log      *slog.Logger // nil: nothing is logged
}

// Expand returns the packages of the sources args, sorted by Path. Each file is returned once,
// even if several sources or symbolic links lead to it. Sources that cannot be read are returned
// as problems, in the order of args but with downloads last. The error is that of ctx; files
// that were downloaded before stay in the cache.
func Expand(ctx context.Context, args []string, c Config) ([]Item, []Problem, error) {
	x := &expansion{
		ctx: ctx, Config: c.withDefaults(),
		reported: map[string]bool{}, listed: map[string]bool{}, manifests: map[string]*Stamp{},
	}
	for _, arg := range args {
		x.expand(spec{text: arg})
	}
	x.download()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	return x.items(), x.problems, nil
}

func (c Config) withDefaults() Config {
	if c.Skip != "" {
		c.Skip = realPath(c.Skip)
	}
	return c
}

// A foundFile is an item, and the path of its file without symbolic links, by which duplicates
// are found.
type foundFile struct {
	Item
	real string
}

// items returns the files that were found, each once. Of several paths of a file, it prefers the
// one without symbolic links, and then the first in order.
func (x *expansion) items() []Item {
	slices.SortStableFunc(x.found, func(a, b foundFile) int {
		return cmp.Or(cmp.Compare(a.real, b.real), compareBool(a.Path != a.real, b.Path != b.real),
			cmp.Compare(a.Path, b.Path))
	})
	unique := slices.CompactFunc(x.found, func(a, b foundFile) bool { return a.real == b.real })
	items := make([]Item, len(unique))
	for i, f := range unique {
		items[i] = f.Item
	}
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(a.Path, b.Path) })
	return items
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// realPath returns path as an absolute path without symbolic links. If that fails, it returns
// the path as it is, absolute if possible.
func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}
