package bundle

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"galbuild/build/beneath"
	"galbuild/build/blob"
	"galbuild/build/regular"
)

// A Part is a file that an archive consists of, alone or with others.
type Part struct {
	Name   string   `json:"name"` // without its folder
	Size   int64    `json:"size"`
	SHA256 blob.Ref `json:"sha256"`
}

func partName(archive string, number int) string { return fmt.Sprintf("%s.%03d", archive, number) }

// listParts returns the text of the file that stands beside the parts.
func listParts(parts []Part) []byte {
	var l listing
	for _, p := range parts {
		l = append(l, line{p.SHA256, p.Name})
	}
	return l.text()
}

// parseParts reads what listParts returned for an archive of that name.
func parseParts(archive string, text []byte) ([]Part, error) {
	where := archive + SumsSuffix
	var parts []Part
	for len(text) > 0 {
		x, rest, err := parseLine(text)
		if err != nil {
			return nil, refuse(where, "%v", err)
		}
		alone := len(parts) == 0 && len(rest) == 0 && x.path == archive
		if !alone && x.path != partName(archive, len(parts)+1) {
			return nil, refuse(where, "it lists %q, which is not the next part of %s", x.path, archive)
		}
		parts, text = append(parts, Part{Name: x.path, SHA256: x.ref}), rest
	}
	if len(parts) == 0 {
		return nil, refuse(where, "it is empty")
	}
	return parts, nil
}

// A source is an archive to be read: its parts, and what is known of them before.
type source struct {
	ctx    context.Context
	folder string
	parts  []Part
	sums   []byte // that vouch for the parts; nil if there are none
	total  int64  // bytes; 0 if not known
	show   Progress

	next int // the part after the one being read
	file io.ReadCloser
	hash hash.Hash
	done int64
	bad  error // the first part that is not as sums has it
}

var numbered = regexp.MustCompile(`^(.+)\.[0-9]{3}$`)

// archiveName returns the name of an archive, given also that of a part, or of the
// file beside it.
func archiveName(path string) string {
	path = strings.TrimSuffix(path, SignedSuffix)
	if name, ok := strings.CutSuffix(path, SumsSuffix); ok {
		return name
	}
	if m := numbered.FindStringSubmatch(path); m != nil {
		return m[1]
	}
	return path
}

// openSource looks which parts an archive has: those listed in the file beside it,
// which is sums if it is not empty; or else those that are there.
func openSource(ctx context.Context, path, sums string, show Progress) (*source, error) {
	path = archiveName(path)
	s := &source{ctx: ctx, folder: filepath.Dir(path), show: show}
	if err := s.readSums(filepath.Base(path), sums); err != nil {
		return nil, err
	}
	if s.sums == nil {
		s.findParts(filepath.Base(path))
	}
	for i := range s.parts {
		info, err := os.Stat(s.path(i))
		if errors.Is(err, fs.ErrNotExist) && s.sums != nil {
			return nil, refuse(s.parts[i].Name, "this part is missing")
		} else if err != nil {
			return nil, err
		}
		s.parts[i].Size = info.Size()
		s.total += info.Size()
	}
	return s, nil
}

func (s *source) path(i int) string { return filepath.Join(s.folder, s.parts[i].Name) }

// readSums leaves sums nil if there is no such file and none was named.
func (s *source) readSums(name, sums string) error {
	file := sums
	if sums == "" {
		file = filepath.Join(s.folder, name+SumsSuffix)
	}
	read := readBeside
	if sums != "" {
		read = readSmall
	}
	text, err := read(file)
	if sums == "" && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s.sums = text
	if s.parts, err = parseParts(name, text); err != nil {
		return err
	}
	return nil
}

// readSmall reads the first bytes of a file that the user named. It may be a pipe, and the
// rest of a long file is of no use.
func readSmall(file string) ([]byte, error) { return readStart(os.Open(file)) }

// readBeside is readSmall for a file next to the archive that the user did not name. It must
// be a regular file.
func readBeside(file string) ([]byte, error) { return readStart(regular.Open(file)) }

func readStart(f *os.File, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20))
}

// findParts takes the file of that name, or the numbered ones.
func (s *source) findParts(name string) {
	if _, err := os.Stat(filepath.Join(s.folder, name)); err != nil {
		for number := 1; number <= maxParts; number++ {
			if _, err := os.Stat(filepath.Join(s.folder, partName(name, number))); err != nil {
				break
			}
			s.parts = append(s.parts, Part{Name: partName(name, number)})
		}
	}
	if len(s.parts) == 0 {
		s.parts = []Part{{Name: name}}
	}
}

// streamSource reads an archive of one part that comes from elsewhere; sums may name
// the file that would stand beside it.
func streamSource(ctx context.Context, r io.Reader, sums string, show Progress) (*source, error) {
	s := &source{ctx: ctx, show: show, file: io.NopCloser(r), hash: sha256.New(), next: 1, parts: []Part{{Name: "standard input"}}}
	if sums == "" {
		return s, nil
	}
	text, err := readSmall(sums)
	if err != nil {
		return nil, err
	}
	parts, err := parseParts(archiveName(filepath.Base(sums)), text)
	if err != nil {
		return nil, err
	}
	if len(parts) > 1 {
		return nil, refuse(sums, "it lists %d parts; standard input can be one only", len(parts))
	}
	s.sums, s.parts[0].SHA256 = text, parts[0].SHA256
	return s, nil
}

// Read implements [io.Reader]. Where a part ends that is not as it should be, reading
// fails.
func (s *source) Read(b []byte) (int, error) {
	for {
		if err := errors.Join(s.ctx.Err(), s.bad); err != nil {
			return 0, err
		}
		if s.file == nil {
			if s.next == len(s.parts) {
				return 0, io.EOF
			}
			f, err := regular.Open(s.path(s.next))
			if err != nil {
				return 0, err
			}
			s.file, s.hash, s.next = f, sha256.New(), s.next+1
		}
		n, err := s.file.Read(b)
		if s.sums != nil {
			s.hash.Write(b[:n])
		}
		s.done += int64(n)
		if s.show != nil {
			s.show(s.done, s.total)
		}
		if err == io.EOF {
			if err = s.endPart(); err == nil && n == 0 {
				continue
			}
		}
		return n, err
	}
}

func (s *source) endPart() error {
	p := s.parts[s.next-1]
	err := s.file.Close()
	s.file = nil
	if got := blob.Ref(s.hash.Sum(nil)); s.sums != nil && got != p.SHA256 {
		s.bad = refuse(p.Name, "its SHA-256 is %s, the listing beside the archive says %s: damaged, or of another export", got, p.SHA256)
	}
	return errors.Join(err, s.bad)
}

// blame reads the rest of an archive in which something is wrong, to tell which part
// is: that explains more than what came of it.
func (s *source) blame(wrong error) error {
	if _, ok := errors.AsType[*FormatError](wrong); !ok || s.sums == nil {
		return wrong
	}
	_, _ = io.Copy(io.Discard, s) // fails where s.bad is set
	if s.bad != nil {
		return s.bad
	}
	return wrong
}

func (s *source) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// An output writes the parts of an archive under temporary names.
type output struct {
	folder, name string
	split        int64 // bytes of a part; 0 for one file
	parts        []Part
	at           *os.Root // folder
	file         *os.File
	hash         hash.Hash
}

// newOutput opens the folder of an archive, which must exist.
func newOutput(archive string, split int64) (*output, error) {
	o := &output{folder: filepath.Dir(archive), name: filepath.Base(archive), split: split}
	var err error
	o.at, err = os.OpenRoot(o.folder)
	return o, err
}

// temp returns the name of an unfinished part. One that a killed export has left is
// replaced by the next export of that name.
func (o *output) temp(i int) string { return ".galbuild-export-" + o.parts[i].Name }

// create makes an unfinished file. It does not follow a link of that name.
func (o *output) create(name string) (*os.File, error) {
	if err := o.remove(name); err != nil {
		return nil, err
	}
	f, err := o.at.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, beneath.FileMode)
	if err != nil {
		return nil, err
	}
	return f, f.Chmod(beneath.FileMode)
}

// Write implements [io.Writer].
func (o *output) Write(b []byte) (int, error) {
	written := 0
	for len(b) > 0 {
		room, err := o.room()
		if err != nil {
			return written, err
		}
		now := b[:min(int64(len(b)), room)]
		n, err := o.file.Write(now)
		o.hash.Write(now[:n])
		o.parts[len(o.parts)-1].Size += int64(n)
		written += n
		if err != nil {
			return written, err
		}
		b = b[n:]
	}
	return written, nil
}

// room returns how many bytes the part has room for, and begins the next part if it
// has none.
func (o *output) room() (int64, error) {
	if o.file != nil && o.split == 0 {
		return 1 << 62, nil
	}
	if o.file != nil && o.parts[len(o.parts)-1].Size < o.split {
		return o.split - o.parts[len(o.parts)-1].Size, nil
	}
	if err := o.closePart(); err != nil {
		return 0, err
	}
	name := o.name
	if o.split > 0 {
		name = partName(o.name, len(o.parts)+1)
	}
	if len(o.parts) == maxParts {
		return 0, fmt.Errorf("%s: more than %d parts", o.name, maxParts)
	}
	o.parts = append(o.parts, Part{Name: name})
	f, err := o.create(o.temp(len(o.parts) - 1))
	if err != nil {
		o.parts = o.parts[:len(o.parts)-1]
		return 0, err
	}
	o.file, o.hash = f, sha256.New()
	return o.room()
}

func (o *output) closePart() error {
	if o.file == nil {
		return nil
	}
	o.parts[len(o.parts)-1].SHA256 = blob.Ref(o.hash.Sum(nil))
	err := o.file.Close()
	o.file = nil
	return err
}

// commit gives the parts their names, and writes what stands beside them: sign returns
// the signature of the listing, nil for none. What an earlier export of this name left
// is replaced or removed.
func (o *output) commit(sign func(sums []byte) []byte) error {
	if err := o.closePart(); err != nil {
		return err
	}
	for i, p := range o.parts {
		if err := o.at.Rename(o.temp(i), p.Name); err != nil {
			return err
		}
	}
	if err := o.removeStale(); err != nil {
		return err
	}
	sums, beside := listParts(o.parts), o.name+SumsSuffix
	if err := o.replace(beside, sums); err != nil {
		return err
	}
	if signature := sign(sums); signature != nil {
		return o.replace(beside+SignedSuffix, signature)
	}
	return o.remove(beside + SignedSuffix)
}

func (o *output) removeStale() error {
	number := len(o.parts) + 1
	if o.split > 0 {
		if err := o.remove(o.name); err != nil {
			return err
		}
	} else {
		number = 1
	}
	for ; number <= maxParts; number++ {
		err := o.at.Remove(partName(o.name, number))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// discard removes what was not committed.
func (o *output) discard() {
	if o.file != nil {
		o.file.Close()
	}
	for i := range o.parts {
		_ = o.at.Remove(o.temp(i)) // has no effect after the rename
	}
	o.at.Close()
}

func (o *output) remove(name string) error {
	if err := o.at.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (o *output) replace(name string, text []byte) error {
	temp := ".galbuild-export-" + name
	f, err := o.create(temp)
	if err != nil {
		return err
	}
	defer o.at.Remove(temp) // has no effect after the rename
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return o.at.Rename(temp, name)
}
