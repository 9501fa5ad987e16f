//go:build unix

package galbuild

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// A floor is the work that no builder can avoid. It makes the same tree as galbuild, from a plan
// that contains the content of all files: it reads each package and sidecar file, hashes each
// package and each file of a package, writes each distinct file under a temporary name and renames
// it, makes folders, and links paths. It uses only system calls, with as many workers as galbuild.
// It does not search, decompress, parse, sort, render or sync anything.
type floor struct {
	bytes    int64 // of the packages
	folders  []string
	packages []packagePlan
	rest     []filePlan // files of no package: the index, the page
}

type packagePlan struct {
	source  string
	sidecar string // "" if there is none
	folders []string
	files   []filePlan
}

// A filePlan is a file to write.
type filePlan struct {
	text  []byte // nil for the package itself
	first bool   // no earlier package has the same file
	path  string
	links []string // other paths of the file
}

// newFloor builds a site from source with galbuild, plans the same site, and checks that the plan
// makes the same files. It makes both below parent, and leaves them there, see makeAnew.
func newFloor(b *testing.B, source, parent string) *floor {
	b.Helper()
	root, copied := filepath.Join(parent, "site"), filepath.Join(parent, "copy")
	mustRun(b, source, "-o", root)
	f := plan(b, source, root)
	f.make(b, copied)
	compareTrees(b, copied, root)
	return f
}

// plan returns the plan of the site at root, which was built from source.
func plan(b *testing.B, source, root string) *floor {
	current, err := site.ReadCurrent(root)
	if err != nil {
		b.Fatal(err)
	}
	c, err := site.ReadCatalog(root, current)
	if err != nil {
		b.Fatal(err)
	}
	l := planner{b: b, root: root, sources: make(map[blob.Ref]string), planned: make(map[string]bool), users: make(map[string]int)}
	l.findPackages(source)
	for i := range c.Extensions {
		for j := range c.Extensions[i].Versions {
			l.addVersion(&c.Extensions[i], &c.Extensions[i].Versions[j])
		}
	}
	l.addRest()
	l.addFolders()
	return &l.floor
}

// A planner makes the plan of a floor.
type planner struct {
	floor
	b       *testing.B
	root    string
	sources map[blob.Ref]string // paths of packages
	planned map[string]bool     // paths in the site
	users   map[string]int      // by folder, the number of packages with files in it
}

func (l *planner) findPackages(source string) {
	err := filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".vsix") {
			return err
		}
		ref, size, err := blob.SumFile(path)
		l.sources[ref] = path
		l.bytes += size
		return err
	})
	if err != nil {
		l.b.Fatal(err)
	}
}

func (l *planner) addVersion(e *catalog.Extension, v *catalog.Version) {
	p := packagePlan{source: l.sources[v.Package.Ref]}
	if _, err := os.Stat(p.source + ".json"); err == nil {
		p.sidecar = p.source + ".json"
	}
	dir := catalog.VersionDir(e.Publisher.Name, e.Name, v.Version, v.Platform)
	links := make(map[blob.Ref][]string)
	for _, a := range v.Assets {
		links[a.Ref] = append(links[a.Ref], catalog.AssetsDir+dir+"/"+a.Type)
	}
	for _, f := range v.Files {
		links[f.Ref] = append(links[f.Ref], catalog.FilesDir+dir+"/"+f.Path)
	}
	for ref, paths := range links {
		file := filePlan{path: ref.Path(), links: paths, first: !l.planned[ref.Path()]}
		if ref != v.Package.Ref {
			file.text = l.read(file.path)
		}
		p.files = append(p.files, file)
		for _, path := range append(paths, file.path) {
			l.planned[path] = true
		}
	}
	for folder := range foldersOf(p.files) {
		p.folders = append(p.folders, folder)
		l.users[folder]++
	}
	l.packages = append(l.packages, p)
}

// addRest adds the files that do not belong to a package.
func (l *planner) addRest() {
	for path := range walk(l.b, l.root) {
		if !l.planned[path] {
			l.rest = append(l.rest, filePlan{text: l.read(path), first: true, path: path})
		}
	}
	for folder := range foldersOf(l.rest) {
		l.users[folder] += 2 // so that it is among the common folders
	}
}

// addFolders assigns folders that only one package needs to that package. The others are made
// first.
func (l *planner) addFolders() {
	for i := range l.packages {
		p := &l.packages[i]
		p.folders = slices.DeleteFunc(p.folders, func(folder string) bool { return l.users[folder] > 1 })
		slices.Sort(p.folders) // parents first
	}
	maps.DeleteFunc(l.users, func(_ string, n int) bool { return n == 1 })
	l.folders = slices.Sorted(maps.Keys(l.users))
}

func (l *planner) read(path string) []byte {
	text, err := os.ReadFile(filepath.Join(l.root, path))
	if err != nil {
		l.b.Fatal(err)
	}
	return text
}

func foldersOf(files []filePlan) map[string]bool {
	folders := make(map[string]bool)
	for _, f := range files {
		for _, path := range append(f.links, f.path) {
			for dir := filepath.Dir(path); dir != "." && !folders[dir]; dir = filepath.Dir(dir) {
				folders[dir] = true
			}
		}
	}
	return folders
}

// walk returns the paths of the files below root, without the work directory.
func walk(b *testing.B, root string) map[string]bool {
	b.Helper()
	paths := make(map[string]bool)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == site.WorkDir:
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		path, err = filepath.Rel(root, path)
		paths[path] = true
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return paths
}

func compareTrees(b *testing.B, got, want string) {
	b.Helper()
	paths := walk(b, want)
	if !maps.Equal(walk(b, got), paths) {
		b.Fatal("the floor makes other paths than galbuild")
	}
	for path := range paths {
		g, err1 := os.ReadFile(filepath.Join(got, path))
		w, err2 := os.ReadFile(filepath.Join(want, path))
		if err1 != nil || err2 != nil || !bytes.Equal(g, w) {
			b.Fatalf("the floor makes another %s (%v, %v)", path, err1, err2)
		}
	}
}

func (f *floor) make(b *testing.B, root string) {
	b.Helper()
	m := maker{root: root + "/"}
	if err := m.makeAll(f); err != nil {
		b.Fatal(err)
	}
}

// A maker makes what a floor plans.
type maker struct {
	root  string
	temps atomic.Int64 // number of the last temporary file
}

func (m *maker) makeAll(f *floor) error {
	if err := errors.Join(syscall.Mkdir(m.root, 0o755), syscall.Mkdir(m.root+site.WorkDir, 0o755)); err != nil {
		return err
	}
	if err := m.makeFolders(f.folders); err != nil {
		return err
	}
	if err := m.parallel(f.packages, m.makeFiles); err != nil {
		return err
	}
	if err := m.parallel(f.packages, m.link); err != nil { // after all files, some of which another package writes
		return err
	}
	for i := range f.rest {
		if err := m.makeFile(&f.rest[i], nil); err != nil {
			return err
		}
	}
	return nil
}

// parallel calls do for all packages. Each worker has its own buffer.
func (m *maker) parallel(packages []packagePlan, do func(*packagePlan, *[]byte) error) error {
	var group errgroup.Group
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			buffer := make([]byte, 64<<10)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(packages) {
					return nil
				}
				if err := do(&packages[i], &buffer); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

func (m *maker) makeFiles(p *packagePlan, buffer *[]byte) error {
	if p.sidecar != "" {
		if _, err := read(p.sidecar, buffer); err != nil {
			return err
		}
	}
	text, err := read(p.source, buffer)
	if err != nil {
		return err
	}
	for i := range p.files {
		if err := m.makeFile(&p.files[i], text); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) link(p *packagePlan, _ *[]byte) error {
	if err := m.makeFolders(p.folders); err != nil {
		return err
	}
	for _, f := range p.files {
		for _, path := range f.links {
			if err := syscall.Link(m.root+f.path, m.root+path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *maker) makeFolders(folders []string) error {
	for _, dir := range folders {
		if err := syscall.Mkdir(m.root+dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) makeFile(f *filePlan, text []byte) error {
	if f.text != nil {
		text = f.text
	}
	sha256.Sum256(text)
	if !f.first {
		return nil
	}
	temp := m.root + site.WorkDir + "/" + strconv.FormatInt(m.temps.Add(1), 10)
	if err := write(temp, text); err != nil {
		return err
	}
	return syscall.Rename(temp, m.root+f.path)
}

// read reads a file into buffer, which it may enlarge, and returns the part with the content.
func read(path string, buffer *[]byte) ([]byte, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	size := 0
	for {
		n, err := syscall.Read(fd, (*buffer)[size:])
		size += n
		if err != nil || n == 0 {
			return (*buffer)[:size], err
		}
		if size == len(*buffer) {
			*buffer = append(*buffer, make([]byte, size)...)
		}
	}
}

func write(path string, text []byte) error {
	fd, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL|syscall.O_CLOEXEC, 0o444)
	if err != nil {
		return err
	}
	_, err = syscall.Write(fd, text)
	return errors.Join(err, syscall.Close(fd))
}
