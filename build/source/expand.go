package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"galbuild/build/download"
)

// An expansion is the state of one call of [Expand].
type expansion struct {
	Config
	ctx       context.Context
	found     []foundFile
	problems  []Problem
	reported  map[string]bool // the texts of problems
	urls      []spec
	lists     []string        // real paths of the lists that are open, outermost first
	listed    map[string]bool // real paths of the lists that were read
	stdinRead bool            // standard input was read

	manifests map[string]*Stamp // see manifestIn
	base      string            // see below
}

// A spec is a source as the user wrote it.
type spec struct {
	text string
	dir  string // folder of relative paths; "" is the working directory
	from string // "list.txt:3", or "" if on the command line
}

// path returns the path of a local source as messages show it. It may be relative.
func (s spec) path(text string) string {
	if filepath.IsAbs(text) {
		return filepath.Clean(text)
	}
	return filepath.Join(s.dir, text)
}

// withOrigin adds the list and line of the source to err.
func (s spec) withOrigin(err error) error {
	if s.from == "" {
		return err
	}
	return fmt.Errorf("%w (in %s)", err, s.from)
}

// problem reports a source that cannot be read. It ignores repeated reports, and all reports after
// the context is done.
func (x *expansion) problem(name string, err error) {
	text := name + ": " + err.Error()
	if x.ctx.Err() != nil || x.reported[text] {
		return
	}
	x.reported[text] = true
	x.problems = append(x.problems, Problem{Name: name, Err: err})
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

func (x *expansion) expand(s spec) {
	switch {
	case x.ctx.Err() != nil:
	case s.text == "":
		x.problem(`""`, errors.New("the source is empty"))
	case s.text == "-":
		x.standardInput(s)
	case s.text[0] == '@':
		x.list(s)
	case scheme.MatchString(s.text):
		x.urls = append(x.urls, s)
	default:
		x.local(s)
	}
}

// local expands a path or, if nothing has that path, a glob.
func (x *expansion) local(s spec) {
	path := s.path(s.text)
	x.base = path
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		err = x.path(path)
	case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(s.text, "*?[{"):
		path, err = s.text, x.glob(s)
	case errors.Is(err, fs.ErrNotExist):
		err = errMissing(path)
	}
	if err != nil {
		x.problem(path, s.withOrigin(withoutPath(err)))
	}
}

// path adds a file or searches a folder.
func (x *expansion) path(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return x.folder(path)
	case !info.Mode().IsRegular():
		return errNotRegular
	case !isPackageName(path):
		if err := startsAsPackage(path); err != nil {
			return err
		}
	}
	f, err := newFoundFile(path, info)
	if err != nil {
		return err
	}
	manifest, _ := x.outermostManifest(f.real, filepath.Dir(f.real))
	f.addSidecars(stamp, manifest)
	x.add(f)
	return nil
}

// newFoundFile returns the file at a path, which is shown in messages as it is.
func newFoundFile(path string, info fs.FileInfo) (foundFile, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return foundFile{}, err
	}
	return foundFile{
		Item: Item{Name: path, Path: abs, Size: info.Size(), ModTime: info.ModTime()},
		real: realPath(abs),
	}, nil
}

func (x *expansion) add(f foundFile) {
	if f.Origin == "" {
		f.Origin = x.below(f.Name)
	}
	x.found = append(x.found, f)
}

const suffix = ".vsix"

func isPackageName(name string) bool {
	return len(name) > len(suffix) && strings.EqualFold(name[len(name)-len(suffix):], suffix)
}

func sidecarOf(path string) string { return path + ".json" }

func signatureOf(path string) string {
	if isPackageName(path) {
		path = path[:len(path)-len(suffix)]
	}
	return path + ".sigzip"
}

// stamp returns the stamp of the file at path, or nil if there is none or it is a folder. If it
// cannot be read as a file, such as a broken link or a named pipe, the stamp has only a path, so
// that reading the file fails with a message.
func stamp(path string) *Stamp {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err != nil || !info.Mode().IsRegular():
		return &Stamp{Path: path}
	}
	return &Stamp{Path: path, Size: info.Size(), ModTime: info.ModTime()}
}

// startsAsPackage returns an error if a file does not start like a package.
func startsAsPackage(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	start := make([]byte, download.MagicSize)
	n, _ := file.Read(start)
	if !download.IsPackage(start[:n]) {
		return fmt.Errorf("not a .vsix file; if it is a list of sources, write %q", "@"+path)
	}
	return nil
}
