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

	"galbuild/build/collect/lock"
)

// A search reads folders recursively, level by level. The folders of a level are read in
// parallel, and their files are added in the order of the folders.
type search struct {
	x     *expansion
	seen  map[string]bool // real paths of the folders that were read
	level []folder        // the folders to be read next
	links []folder        // symbolic links to folders, followed last: real paths are preferred
	found bool            // a package was found or a problem reported
}

// A folder has three paths: for messages, absolute, and absolute without symbolic links.
type folder struct {
	name, path, real string
	unpacked         *Stamp // manifest of the outermost unpacked extension that contains it, or nil
	isSource         bool   // it is a source itself, and was not found in another folder
}

// below returns the paths of an entry that is not a symbolic link. Equal paths share one string,
// since there may be many thousands of packages.
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

// folder adds every package below dir.
func (x *expansion) folder(dir string) error {
	s := x.newSearch()
	if err := s.start(folder{name: dir, isSource: true}); err != nil {
		return err
	}
	s.run()
	if !s.found {
		return errNoPackage(dir)
	}
	return nil
}

func (x *expansion) newSearch() *search { return &search{x: x, seen: map[string]bool{}} }

// start adds a folder to be searched. Its name and unpacked must be set.
func (s *search) start(top folder) error {
	abs, err := filepath.Abs(top.name)
	if err != nil {
		return err
	}
	top.path, top.real = abs, realPath(abs)
	if top.real == s.x.Skip {
		return errors.New("it is the site to be written, which cannot be a source")
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
			s.level, s.links = slices.DeleteFunc(s.links, s.leadsToContent), nil
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

// excludes reports whether a folder is not to be read, and marks it as read.
func (s *search) excludes(d folder) bool {
	if d.real == s.x.Skip || s.seen[d.real] {
		return true
	}
	s.seen[d.real] = true
	return false
}

// leadsToContent reports whether a link leads into an unpacked extension, and adds a problem if so.
func (s *search) leadsToContent(d folder) bool {
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
	s.found = s.found || len(l.found)+len(l.problems) > 0
}

// A listing is the result of reading a folder, or a part of its entries.
type listing struct {
	entries  []fs.DirEntry // sorted by name
	folders  []folder
	links    []folder
	found    []foundFile
	problems []Problem
}

// readAll reads folders in parallel, until ctx ends.
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

// manyEntries is the number of entries of a folder that one goroutine examines.
const manyEntries = 1024

func read(d folder) listing {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return listing{problems: []Problem{{d.name, err}}}
	}
	site := hasEntry(entries, "index") && hasEntry(entries, "assets") && isSite(d.path)
	if site && !d.isSource || hasEntry(entries, installedName) {
		return listing{}
	}
	excluded := excludedFolders(&d, entries)
	if site {
		excluded = []string{"blobs", "companions", "files"}
	}
	if hasEntry(entries, lock.FileName) {
		excluded = append(excluded, "companions")
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
// content of unpacked extensions. If d is an unpacked extension, it sets d.unpacked.
func excludedFolders(d *folder, entries []fs.DirEntry) (excluded []string) {
	for _, e := range entries {
		name := e.Name()
		if d.unpacked == nil && len(name) == len(manifestName) && strings.EqualFold(name, manifestName) {
			d.unpacked = stamp(filepath.Join(d.path, name))
		}
	}
	if d.unpacked != nil && filepath.Dir(d.unpacked.Path) == d.path {
		return []string{contentFolder}
	}
	return nil
}

// hasEntry reports whether there is an entry of that name. The entries must be sorted.
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

// isSource reports whether a file in a folder is a source, by its name.
func isSource(name string) bool { return isPackageName(name) || isPackageAsset(name) }

// follow adds the target of a symbolic link. A broken link is a problem only if its name is that of
// a package. In an unpacked extension, links to folders are content, and are ignored.
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

// file adds a package. Its sidecars are looked up in the entries of the folder, which saves two
// system calls for each package.
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

// stamp is like the function stamp, but looks the file up in the entries first.
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
