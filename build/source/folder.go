package source

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// A search is of folders with all below them, level by level. The folders of a
// level are read at the same time, and what they hold is taken in their order.
type search struct {
	x     *expansion
	seen  map[string]bool // real paths of the folders that were read
	level []folder        // to be read next
	links []folder        // behind symbolic links; read when the rest is, so that files are found where they are
	any   bool            // something was found, or a problem reported
}

// A folder is known by three paths: as shown, absolute, and without links.
type folder struct {
	name, path, real string
	unpacked         *Stamp // the manifest of the outermost unpacked extension that it is or lies in
	named            bool   // by somebody, and not found in another folder
}

// below returns the same paths of something in the folder that is no link. Those
// that are equal are one: they are held for each of thousands of packages.
func (d folder) below(name string) folder {
	at := folder{path: filepath.Join(d.path, name), unpacked: d.unpacked}
	at.name, at.real = at.path, at.path
	if d.name != d.path {
		at.name = filepath.Join(d.name, name)
	}
	if d.real != d.path {
		at.real = filepath.Join(d.real, name)
	}
	return at
}

// folder takes every package below dir.
func (x *expansion) folder(dir string) error {
	s := x.newSearch()
	if err := s.start(folder{name: dir, named: true}); err != nil {
		return err
	}
	s.run()
	if !s.any {
		return errNoPackage(dir)
	}
	return nil
}

func (x *expansion) newSearch() *search { return &search{x: x, seen: map[string]bool{}} }

// start adds a folder of which the name is known, and the manifest of the unpacked extension
// that it lies in.
func (s *search) start(top folder) error {
	abs, err := filepath.Abs(top.name)
	if err != nil {
		return err
	}
	top.path, top.real = abs, realPath(abs)
	if top.real == s.x.Skip {
		return errors.New("this is the site being written, not a source")
	}
	if m, content := s.x.outermostManifest(top.real, top.real); content {
		return errContent(m)
	}
	s.level = append(s.level, top)
	return nil
}

// run searches until no folder is left.
func (s *search) run() {
	for s.x.ctx.Err() == nil {
		if len(s.level) == 0 {
			s.level, s.links = slices.DeleteFunc(s.links, s.content), nil
		}
		if len(s.level) == 0 {
			return
		}
		level := slices.DeleteFunc(s.level, s.excludes)
		s.level = nil
		for _, l := range readAll(s.x.ctx, level) {
			s.add(l)
		}
	}
}

// excluded tells whether a folder is not to be read, and remembers it as read.
func (s *search) excludes(d folder) bool {
	if d.real == s.x.Skip || s.seen[d.real] {
		return true
	}
	s.seen[d.real] = true
	return false
}

// content tells whether a link leads into an unpacked extension, which is a problem.
func (s *search) content(d folder) bool {
	m, _ := s.x.outermostManifest(d.real, "")
	if m != nil {
		s.x.problem(d.name, errContent(m))
	}
	return m != nil
}

func (s *search) add(l listing) {
	s.level = append(s.level, l.folders...)
	s.links = append(s.links, l.links...)
	for _, f := range l.found {
		s.x.addFound(f)
	}
	for _, p := range l.problems {
		s.x.problem(p.Name, withoutPath(p.Err))
	}
	s.any = s.any || len(l.found)+len(l.problems) > 0
}

// A listing is what a folder, or part of it, holds.
type listing struct {
	entries  []fs.DirEntry // sorted by name
	folders  []folder
	links    []folder
	found    []foundFile
	problems []Problem
}

// readAll reads folders at the same time, until ctx ends.
func readAll(ctx context.Context, folders []folder) []listing {
	listings := make([]listing, len(folders))
	group := errgroup.Group{}
	group.SetLimit(2 * runtime.GOMAXPROCS(0))
	for i, d := range folders {
		group.Go(func() error {
			if ctx.Err() == nil {
				listings[i] = read(d)
			}
			return nil
		})
	}
	group.Wait()
	return listings
}

// manyEntries is how many entries of a folder are looked at by one goroutine.
const manyEntries = 1024

func read(d folder) listing {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return listing{problems: []Problem{{d.name, err}}}
	}
	site := hasEntry(entries, "index") && hasEntry(entries, "assets") && isSite(d.path)
	if site && !d.named || hasEntry(entries, installedName) {
		return listing{}
	}
	excluded := excludedFolders(&d, entries)
	if site {
		excluded = []string{"blobs", "files"}
	}
	parts := make([]listing, (len(entries)+manyEntries-1)/manyEntries)
	group := errgroup.Group{}
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range parts {
		group.Go(func() error {
			parts[i].entries = entries
			parts[i].addEntries(d, excluded, entries[i*manyEntries:min((i+1)*manyEntries, len(entries))])
			return nil
		})
	}
	group.Wait()
	var all listing
	for _, l := range parts {
		all.folders = append(all.folders, l.folders...)
		all.links = append(all.links, l.links...)
		all.found = append(all.found, l.found...)
		all.problems = append(all.problems, l.problems...)
	}
	return all
}

// excludedFolders returns the names of folders in d that are not searched: those with the
// content of unpacked extensions. It notes in d that it is one.
func excludedFolders(d *folder, entries []fs.DirEntry) (excluded []string) {
	for _, e := range entries {
		if d.unpacked == nil && len(e.Name()) == len(manifestName) && strings.EqualFold(e.Name(), manifestName) {
			d.unpacked = stamp(filepath.Join(d.path, e.Name()))
		}
	}
	if d.unpacked != nil && filepath.Dir(d.unpacked.Path) == d.path {
		return []string{contentFolder}
	}
	return nil
}

// hasEntry tells whether sorted entries have one of that name.
func hasEntry(entries []fs.DirEntry, name string) bool {
	_, ok := findEntry(entries, name)
	return ok
}

func findEntry(entries []fs.DirEntry, name string) (int, bool) {
	return slices.BinarySearchFunc(entries, name, func(e fs.DirEntry, name string) int {
		return cmp.Compare(e.Name(), name)
	})
}

func (l *listing) addEntries(d folder, excluded []string, entries []fs.DirEntry) {
	for _, e := range entries {
		name := e.Name()
		skip := func(p string) bool { return strings.EqualFold(p, name) }
		if strings.HasPrefix(name, ".") || e.IsDir() && slices.ContainsFunc(excluded, skip) {
			continue
		}
		at := d.below(name)
		if err := l.add(at, e); err != nil {
			l.problems = append(l.problems, Problem{at.name, err})
		}
	}
}

func (l *listing) add(at folder, e fs.DirEntry) error {
	switch {
	case e.IsDir():
		l.folders = append(l.folders, at)
		return nil
	case e.Type()&fs.ModeSymlink != 0:
		return l.follow(at)
	case !isSource(e.Name()):
		return nil
	}
	info, err := e.Info()
	if err != nil {
		return err
	}
	return l.file(at, info)
}

// isSource tells the names of files that a folder is searched for.
func isSource(name string) bool { return isPackageName(name) || isPackageAsset(name) }

// follow adds what a symbolic link leads to. One that leads nowhere is a problem
// only if a package is notFound by it. Links to folders in unpacked extensions are content.
func (l *listing) follow(at folder) error {
	info, err := os.Stat(at.path)
	isDir := err == nil && info.IsDir()
	if !isDir && !isSource(filepath.Base(at.path)) || isDir && at.unpacked != nil {
		return nil
	}
	if err != nil {
		return err
	}
	at.real = realPath(at.path)
	if isDir {
		l.links = append(l.links, at)
		return nil
	}
	return l.file(at, info)
}

// file adds a package. What lies beside it is looked up in the entries: asking
// the file system would cost two calls for each of thousands of packages, most
// of which have nothing beside them.
func (l *listing) file(at folder, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errNotRegular
	}
	f := foundFile{
		Item: Item{Name: at.name, Path: at.path, Size: info.Size(), ModTime: info.ModTime()},
		real: at.real,
	}
	f.addSidecars(l.stamp, at.unpacked)
	f.Unpacked = at.unpacked
	l.found = append(l.found, f)
	return nil
}

// stamp is like the function of that name, but asks only about what is an entry.
func (l *listing) stamp(path string) *Stamp {
	i, ok := findEntry(l.entries, filepath.Base(path))
	if !ok {
		return nil
	}
	info, err := l.entries[i].Info()
	if err != nil || !info.Mode().IsRegular() {
		return stamp(path)
	}
	return &Stamp{Path: path, Size: info.Size(), ModTime: info.ModTime()}
}
