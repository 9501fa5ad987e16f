package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"galbuild/build/atomicfile"
	"galbuild/build/catalog"
	"galbuild/build/jsondoc"
	"galbuild/build/regularfile"
	"galbuild/build/similar"
	"galbuild/build/site"
	"galbuild/publish/bundle"
)

// Errors of deliveries.
var (
	// ErrRunning is returned if another delivery of the same site is in progress.
	ErrRunning = errors.New("another galbuild sync is in progress")
	// ErrUnknownExport is wrapped by the error of [Arrived] for a tarball that was not
	// delivered.
	ErrUnknownExport = errors.New("no tarball of that name was delivered")
)

// Delivered is a tarball that was written for the other side.
type Delivered struct {
	Name       string   `json:"name"` // of the tarball, without its folder
	Generation string   `json:"generation"`
	Since      []string `json:"since"` // generations of the bases
	Signed     bool     `json:"signed"`
	Written    bool     `json:"written"` // false while it is being written
	Arrived    bool     `json:"arrived"` // somebody has said so
}

// maxPending is how many tarballs may be on their way. Older ones are forgotten, apart from the
// last one that has arrived: then they cannot be named as arrived any more.
const maxPending = 20

// Folder and file of a [store], and suffixes of the files of a generation.
const (
	storeDir      = "delivered"
	storeFile     = "exports.json"
	listingSuffix = bundle.SumsSuffix
	catalogSuffix = ".catalog.jsonl"
)

// maxStoreFile limits storeFile, in bytes.
const maxStoreFile = 1 << 20

// A store records the tarballs that were written for a site. It is a folder in the work directory
// of the site:
//
//	delivered/exports.json                  the list of Delivered, replaced last
//	delivered/<generation>.SHA256SUMS       the files of the site in it, see bundle.Listing
//	delivered/<generation>.catalog.jsonl    its catalogue
//
// So a delta needs neither the earlier tarballs nor the earlier generations.
type store struct {
	at   *os.Root
	lock *flock.Flock
	all  []Delivered // in the order in which they were written
}

// openStore opens the store of the site at root, which may be missing, and locks it until it is
// closed. The error wraps [ErrRunning] if another process has locked it.
func openStore(root string) (*store, error) {
	if err := site.Check(root); err != nil {
		return nil, err
	}
	folder, err := site.Open(root)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	s := new(store)
	s.lock, err = site.LockFile(folder, "sync.lock", (*flock.Flock).TryLock)
	if errors.Is(err, site.ErrLocked) {
		return nil, fmt.Errorf("%s: %w", root, ErrRunning)
	}
	if err != nil {
		return nil, err
	}
	if s.at, err = atomicfile.Dir(folder, site.WorkDir+"/"+storeDir); err == nil {
		err = s.read()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *store) close() error {
	var err error
	if s.at != nil {
		err = s.at.Close()
	}
	return errors.Join(err, s.lock.Close())
}

func (s *store) path(name string) string { return filepath.Join(s.at.Name(), name) }

// read reads the list.
func (s *store) read() error {
	text, err := regularfile.ReadFile(s.path(storeFile), maxStoreFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := jsondoc.Explain(text, json.Unmarshal(text, &s.all)); err != nil {
		return fmt.Errorf("%s %w; without the file, the next tarball has the whole gallery", s.path(storeFile), err)
	}
	return nil
}

// save writes the list, and removes the files of generations that are not in it.
func (s *store) save() error {
	text, err := jsondoc.Indented(s.all)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteText(s.at, storeFile, text); err != nil {
		return err
	}
	files, err := fs.ReadDir(s.at.FS(), ".")
	if err != nil {
		return err
	}
	for _, f := range files {
		generation, suffix, _ := strings.Cut(f.Name(), ".")
		isOurs := "."+suffix == listingSuffix || "."+suffix == catalogSuffix
		if isOurs && !slices.ContainsFunc(s.all, func(d Delivered) bool { return d.Generation == generation }) {
			err = errors.Join(err, s.at.Remove(f.Name()))
		}
	}
	return err
}

// last returns the tarball that was written last, or nil.
func (s *store) last() *Delivered {
	for i := range slices.Backward(s.all) {
		if s.all[i].Written {
			return &s.all[i]
		}
	}
	return nil
}

// unfinished returns the tarball that an interrupted run was writing, or nil.
func (s *store) unfinished() *Delivered {
	if n := len(s.all); n > 0 && !s.all[n-1].Written {
		return &s.all[n-1]
	}
	return nil
}

// bases returns what the other side may have: the last tarball that has arrived, and those that
// were written later. There are none if no tarball has arrived.
func (s *store) bases(since Since) []Delivered {
	written := slices.DeleteFunc(slices.Clone(s.all), func(d Delivered) bool { return !d.Written })
	switch since {
	case SinceArrived:
		for i := range slices.Backward(written) {
			if written[i].Arrived {
				return written[i:]
			}
		}
	case SinceLast:
		return written[max(0, len(written)-1):]
	}
	return nil
}

// begin notes a tarball that will be written, with the files of its generation and its catalogue.
func (s *store) begin(d Delivered, listing []byte, c *catalog.Catalog) error {
	if err := atomicfile.WriteText(s.at, d.Generation+listingSuffix, listing); err != nil {
		return err
	}
	if err := atomicfile.WriteFile(s.at, d.Generation+catalogSuffix, atomicfile.FileMode, func(f *os.File) error { return c.Write(f) }); err != nil {
		return err
	}
	s.all = slices.DeleteFunc(s.all, func(x Delivered) bool { return !x.Written })
	s.forget()
	s.all = append(s.all, d)
	return s.save()
}

// forget removes the oldest tarballs if there are too many, apart from the last one that has
// arrived.
func (s *store) forget() {
	for len(s.all) >= maxPending {
		i := 0
		if s.all[0].Arrived {
			i = 1
		}
		s.all = slices.Delete(s.all, i, i+1)
	}
}

// finish notes that the tarball of the last call of begin is complete.
func (s *store) finish() error {
	s.all[len(s.all)-1].Written = true
	return s.save()
}

// catalog returns the catalogue of a generation that was delivered.
func (s *store) catalog(generation string) (*catalog.Catalog, error) {
	f, err := regularfile.Open(s.path(generation + catalogSuffix))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return catalog.Read(f)
}

// arrived notes that a tarball has arrived. It may be named by its file, its listing, a part, or
// its generation. What was delivered earlier is forgotten.
func (s *store) arrived(name string) (Delivered, error) {
	name = filepath.Base(name)
	for i := range slices.Backward(s.all) {
		d := &s.all[i]
		if !d.Written || name != d.Generation && archiveOf(name) != d.Name {
			continue
		}
		d.Arrived = true
		s.all = s.all[i:]
		return *d, s.save()
	}
	var names []string
	for _, d := range s.all {
		names = append(names, d.Name)
	}
	return Delivered{}, fmt.Errorf("%s: %w%s", name, ErrUnknownExport, similar.Question(name, names))
}

// archiveOf returns the name of the tarball that a file belongs to: a part, the listing, or its
// signature.
func archiveOf(name string) string {
	name = strings.TrimSuffix(name, bundle.SignedSuffix)
	name = strings.TrimSuffix(name, bundle.SumsSuffix)
	if stem, part := strings.TrimRight(name, "0123456789"), filepath.Ext(name); len(part) == 4 && stem == name[:len(name)-3] {
		return name[:len(name)-4]
	}
	return name
}

// Arrived notes that a tarball of the site at root has arrived at the other side, so that the next
// one can leave out what it has. See [Delivered] for its names.
func Arrived(root, name string) (Delivered, error) {
	s, err := openStore(root)
	if err != nil {
		return Delivered{}, err
	}
	d, err := s.arrived(name)
	return d, errors.Join(err, s.close())
}
