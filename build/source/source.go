// Package source turns what people name as sources into packages to read.
//
//	x.vsix         one package; under another name, if it starts as a zip or gzip file does
//	folder         every *.vsix below it, in any case of letters, and every package of vscodeoffline
//	a/**/b-*.vsix  a glob in the syntax of doublestar; a matching folder is searched, and a
//	               matching file of another name is taken if it is a package
//	http(s)://…    one package, downloaded
//	@list.txt      a list: one source a line, relative to the list's folder
//	-              standard input: a list, or one package if it starts as one does
//
// A path that exists is never taken for a glob. ./@x and ./- name files.
//
// Lists are text of at most 16 MiB in UTF-8, or in UTF-16 with a byte order
// mark. Empty lines are passed over, and so is what follows a # at the start of
// a line or behind a blank. Lists may name lists, each of which is read once.
//
// Folders are searched in any depth, through symbolic links too, each real
// folder once. Names that start with a dot are passed over: they are editors'
// and file systems' leftovers, such as ._x.vsix on drives that were in a Mac.
// Globs follow links only where the pattern names them.
//
// Beside x.vsix may lie x.vsix.json, what the upstream gallery knew of the
// package, and x.sigzip, its signature archive. Downloads have neither.
//
// The files of an unpacked extension (a folder with extension.vsixmanifest) are content, and
// neither sources nor sidecars; only the package it was unpacked from is taken out of it. A
// file that an argument or a list names is always taken.
//
// Downloads are kept, so that asking again costs an answer without a body, and
// one that breaks off goes on where it stopped, also in a later run. In the
// folder for downloads, where <key> is the SHA-256 of the URL in hex:
//
//	<key>.vsix, <key>.json            the package, and what tells whether it is still the same
//	<key>.part, <key>.part.json       one that is not all there yet
//	stdin-<sha256 of its bytes>.vsix  a package from standard input
//
// Credentials stand in a URL as in https://user:password@host/x.vsix. They go to
// that host alone, and neither into a message nor into a file.
package source

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"time"
)

// Item is one package to read.
type Item struct {
	Name    string // as shown to people: the path as found, or the URL without credentials
	Path    string // of the file, absolute
	Size    int64
	ModTime time.Time // with Size, the stamp by which an unchanged file is known

	Sidecar   *Stamp // x.vsix.json next to x.vsix, or latest.json of vscodeoffline, if there
	Signature *Stamp // x.sigzip next to x.vsix, or the signature of vscodeoffline, if there

	VersionSidecar *Stamp // extension.json of vscodeoffline, which may know what Sidecar does not
	Unpacked       *Stamp // the manifest of the unpacked extension whose package this must be
	Untrusted      string // path of a sidecar that is not read, because it is in an unpacked extension
}

// Stamp is a file beside a package.
type Stamp struct {
	Path    string
	Size    int64
	ModTime time.Time
}

// Problem is a source that could not be had. Its Err says why, and what to do
// where that can be guessed; for one out of a list, also where it is named.
type Problem struct {
	Name string // as Item's
	Err  error
}

// Config says where things are. Its zero value serves for local sources.
type Config struct {
	Downloads string       // folder for what is downloaded; made if missing, needed for URLs and packages on stdin
	Client    *http.Client // nil: one that honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY
	Stdin     io.Reader    // what "-" reads
	Skip      string       // a folder not to search, wherever it turns up: the site being written
	MaxBytes  int64        // limit for one download; 0 is none
	MaxRatio  int64        // how many times larger a compressed download may become; 0 is the default
	Retries   int          // how often a failed request is repeated; 0 means 4, negative never

	// Progress is told how many bytes of a download are there, and of how many,
	// or -1. It is called from several goroutines, one for each download.
	Progress func(name string, done, total int64)
	Log      *slog.Logger // nil: none

	sleep        func(context.Context, time.Duration) error // tests do not wait
	stallTimeout time.Duration                              // how long a server may be silent
}

// Expand returns the packages that args name, sorted by Path, each file once
// however often and under whatever spelling it is named. What cannot be had is
// returned as problems, in the order of args but downloads last; the rest goes
// on. The error is that of ctx. A file that was downloaded up to then is kept.
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
	if c.Client == nil {
		c.Client, _ = NewClient("") // cannot fail without a file
	}
	if c.Client.CheckRedirect == nil {
		client := *c.Client
		client.CheckRedirect = checkRedirect
		c.Client = &client
	}
	if c.Retries == 0 {
		c.Retries = 4
	}
	if c.Progress == nil {
		c.Progress = func(string, int64, int64) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.sleep == nil {
		c.sleep = sleep
	}
	c.stallTimeout = cmp.Or(c.stallTimeout, stallAfter)
	if c.Skip != "" {
		c.Skip = realPath(c.Skip)
	}
	return c
}

// A find is an item, and the path of its file without symbolic links, which
// tells it from others.
type foundFile struct {
	Item
	real string
}

// items returns what was found, each file under the first of its paths. One that
// leads to the file without symbolic links goes before others.
func (x *expansion) items() []Item {
	slices.SortStableFunc(x.found, func(a, b foundFile) int {
		return cmp.Or(cmp.Compare(a.real, b.real), compareBool(a.Path != a.real, b.Path != b.real), cmp.Compare(a.Path, b.Path))
	})
	once := slices.CompactFunc(x.found, func(a, b foundFile) bool { return a.real == b.real })
	items := make([]Item, len(once))
	for i, f := range once {
		items[i] = f.Item
	}
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(a.Path, b.Path) })
	return items
}

// compareBool puts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// realPath returns path absolute and without symbolic links, as far as that can
// be had.
func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}
