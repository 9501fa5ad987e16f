//go:build unix

package galbuild

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zip"
	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// A floor is the work that no builder can avoid. It makes the same tree as galbuild, from a plan
// that has the positions of all files in the packages, and the content of files of no package:
// it reads each package and sidecar file, decompresses the files that the site serves, hashes them
// and the package, writes each distinct one under its final name, makes folders, links paths, and
// waits until the file system has written everything to the disk. It uses only system calls, with
// as many workers as galbuild. It does not search, check, parse, sort or render anything.
//
// The garbage collector is off meanwhile, because the memory of the plan is not that of a builder.
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
	text   []byte // of a file that is not in a package
	packed span   // in the package; all of it for the package itself
	size   int    // decompressed, or 0 if it is stored
	first  bool   // no earlier package has the same file
	path   string
	links  []string // other paths of the file
}

// A span is a part of a package.
type span struct{ from, to int64 }

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
	packed := l.filesOf(p.source)
	for ref, paths := range links {
		file, ok := packed[ref]
		if file.path, file.links, file.first = ref.Path(), paths, !l.planned[ref.Path()]; !ok && ref != v.Package.Ref {
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

// filesOf returns where the files of a package are in it, by their hashes.
func (l *planner) filesOf(source string) map[blob.Ref]filePlan {
	archive, err := zip.OpenReader(source)
	if err != nil {
		l.b.Fatal(err)
	}
	defer archive.Close()
	files := make(map[blob.Ref]filePlan)
	for _, f := range archive.File {
		from, err1 := f.DataOffset()
		content, err2 := f.Open()
		if err := errors.Join(err1, err2); err != nil {
			l.b.Fatal(err)
		}
		text, err := io.ReadAll(content)
		if err := errors.Join(err, content.Close()); err != nil {
			l.b.Fatal(err)
		}
		file := filePlan{packed: span{from, from + int64(f.CompressedSize64)}}
		if f.Method == zip.Deflate {
			file.size = len(text)
		}
		files[blob.Sum(text)] = file
	}
	return files
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
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	m := maker{root: root + "/"}
	if err := m.makeAll(f); err != nil {
		b.Fatal(err)
	}
}

// A maker makes what a floor plans.
type maker struct{ root string }

// A worker has the memory of a goroutine.
type worker struct {
	source  []byte // of a package
	content []byte // of a file
	packed  *bytes.Reader
	inflate io.ReadCloser // also a flate.Resetter
}

func newWorker() *worker {
	packed := bytes.NewReader(nil)
	return &worker{make([]byte, 64<<10), make([]byte, 64<<10), packed, flate.NewReader(packed)}
}

func (m *maker) makeAll(f *floor) error {
	if err := syscall.Mkdir(m.root, 0o755); err != nil {
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
		if err := m.makeFile(&f.rest[i], f.rest[i].text); err != nil {
			return err
		}
	}
	return site.Sync(m.root)
}

// parallel calls do for all packages.
func (m *maker) parallel(packages []packagePlan, do func(*packagePlan, *worker) error) error {
	var group errgroup.Group
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			w := newWorker()
			for {
				i := int(next.Add(1)) - 1
				if i >= len(packages) {
					return nil
				}
				if err := do(&packages[i], w); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

func (m *maker) makeFiles(p *packagePlan, w *worker) error {
	if p.sidecar != "" {
		if _, err := read(p.sidecar, &w.source); err != nil {
			return err
		}
	}
	source, err := read(p.source, &w.source)
	if err != nil {
		return err
	}
	for i := range p.files {
		text, err := w.contentOf(&p.files[i], source)
		if err != nil {
			return err
		}
		if err := m.makeFile(&p.files[i], text); err != nil {
			return err
		}
	}
	return nil
}

// contentOf returns the content of a file, which is valid until the next call.
func (w *worker) contentOf(f *filePlan, source []byte) ([]byte, error) {
	switch {
	case f.text != nil:
		return f.text, nil
	case f.packed == span{}:
		return source, nil
	case f.size == 0:
		return source[f.packed.from:f.packed.to], nil
	}
	w.content = slices.Grow(w.content[:0], f.size)[:f.size]
	w.packed.Reset(source[f.packed.from:f.packed.to])
	if err := w.inflate.(flate.Resetter).Reset(w.packed, nil); err != nil {
		return nil, err
	}
	_, err := io.ReadFull(w.inflate, w.content)
	return w.content, err
}

func (m *maker) link(p *packagePlan, _ *worker) error {
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
	sha256.Sum256(text)
	if !f.first {
		return nil
	}
	return write(m.root+f.path, text)
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
