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

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/regularfile"
)

// A Part is one of the files of an archive. An archive that is not split has one part.
type Part struct {
	Name   string   `json:"name"` // without the folder
	Size   int64    `json:"size"`
	SHA256 blob.Ref `json:"sha256"`
}

func partName(archive string, number int) string { return fmt.Sprintf("%s.%03d", archive, number) }

// listParts returns the content of the listing next to the parts.
func listParts(parts []Part) []byte {
	var l listing
	for _, p := range parts {
		l = append(l, line{p.SHA256, p.Name})
	}
	return l.text()
}

// parseParts parses the listing of the parts of an archive.
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

// A source reads the parts of an archive, and checks them against their listing.
type source struct {
	ctx      context.Context
	folder   string
	parts    []Part
	sums     []byte // the listing of the parts; nil if there is none
	total    int64  // size in bytes; 0 if unknown
	progress Progress

	next     int           // index of the part after the current one
	file     io.ReadCloser // the current part; nil between two parts
	hash     hash.Hash     // of the current part
	done     int64         // bytes that have been read
	mismatch error         // set at the first part that does not match sums
}

var numbered = regexp.MustCompile(`^(.+)\.[0-9]{3}$`)

// archiveName returns the name of an archive, given its name, the name of a part, or that of a file
// next to it.
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

// openSource opens an archive. Its parts are those in the listing sums or, if sums is empty, in
// the listing next to the archive. Without a listing they are the files that exist.
func openSource(ctx context.Context, path, sums string, progress Progress) (*source, error) {
	path = archiveName(path)
	s := &source{ctx: ctx, folder: filepath.Dir(path), progress: progress}
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

// readSums reads the listing of the parts. s.sums stays nil if sums is empty and there is no
// listing next to the archive.
func (s *source) readSums(name, sums string) error {
	file := sums
	if sums == "" {
		file = filepath.Join(s.folder, name+SumsSuffix)
	}
	read := readRegular
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

// readSmall reads the first MiB of a file that the user named, which may be a pipe.
func readSmall(file string) ([]byte, error) { return readStart(os.Open(file)) }

// readRegular is readSmall for a file next to the archive that the user did not name. It must
// be a regular file.
func readRegular(file string) ([]byte, error) { return readStart(regularfile.Open(file)) }

// readStart reads the first MiB of a file that was opened with these results, and closes it.
func readStart(f *os.File, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20))
}

// findParts sets the parts to the file of that name if it exists, or else to the numbered files.
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

// streamSource reads an archive of one part from a stream. sums may name its listing.
func streamSource(ctx context.Context, r io.Reader, sums string, progress Progress) (*source, error) {
	s := &source{ctx: ctx, progress: progress, file: io.NopCloser(r), hash: sha256.New(), next: 1, parts: []Part{{Name: "standard input"}}}
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
		return nil, refuse(sums, "it lists %d parts; standard input can have only one", len(parts))
	}
	s.sums, s.parts[0].SHA256 = text, parts[0].SHA256
	return s, nil
}

// Read implements [io.Reader]. It fails at the end of a part that does not match its listing.
func (s *source) Read(b []byte) (int, error) {
	for {
		if err := errors.Join(s.ctx.Err(), s.mismatch); err != nil {
			return 0, err
		}
		if s.file == nil {
			if s.next == len(s.parts) {
				return 0, io.EOF
			}
			f, err := regularfile.Open(s.path(s.next))
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
		if s.progress != nil {
			s.progress(s.done, s.total)
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
		s.mismatch = refuse(p.Name, "its SHA-256 is %s, want %s as in the listing next to the archive: it is damaged, or from another export", got, p.SHA256)
	}
	return errors.Join(err, s.mismatch)
}

// damagedPart reads the rest of the archive after err. If a part is damaged, it returns the error
// of that part, which explains more than the format error that it causes. Otherwise it returns err.
func (s *source) damagedPart(err error) error {
	if _, ok := errors.AsType[*FormatError](err); !ok || s.sums == nil {
		return err
	}
	_, _ = io.Copy(io.Discard, s) // fails where s.mismatch is set
	if s.mismatch != nil {
		return s.mismatch
	}
	return err
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

// tempPrefix and the final name make the temporary name of a file. Files of an export are not
// written with [atomicfile.WriteFile]: the parts get their names together, when the last is
// complete, and the next export of the same name removes what a killed export has left, which may
// be large.
const tempPrefix = ".galbuild-export-"

// newOutput opens the folder of an archive, which must exist, and removes what a killed export of
// the same name has left.
func newOutput(archive string, split int64) (*output, error) {
	o := &output{folder: filepath.Dir(archive), name: filepath.Base(archive), split: split}
	var err error
	if o.at, err = os.OpenRoot(o.folder); err != nil {
		return nil, err
	}
	if err := o.removeTemp(); err != nil {
		o.at.Close()
		return nil, err
	}
	return o, nil
}

// removeTemp removes the temporary files of all exports of the same name.
func (o *output) removeTemp() error {
	files, err := fs.ReadDir(o.at.FS(), ".")
	if err != nil {
		return err
	}
	for _, f := range files {
		name, isTemp := strings.CutPrefix(f.Name(), tempPrefix)
		if !isTemp || name != o.name && archiveName(name) != o.name {
			continue
		}
		if err := o.remove(f.Name()); err != nil {
			return err
		}
	}
	return nil
}

// temp returns the temporary name of a part.
func (o *output) temp(i int) string { return tempPrefix + o.parts[i].Name }

// create creates a temporary file. It does not follow a link of that name.
func (o *output) create(name string) (*os.File, error) {
	if err := o.remove(name); err != nil {
		return nil, err
	}
	f, err := o.at.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, atomicfile.FileMode)
	if err != nil {
		return nil, err
	}
	return f, f.Chmod(atomicfile.FileMode)
}

// Write implements [io.Writer].
func (o *output) Write(b []byte) (int, error) {
	written := 0
	for len(b) > 0 {
		free, err := o.free()
		if err != nil {
			return written, err
		}
		now := b[:min(int64(len(b)), free)]
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

// free returns how many bytes fit into the current part. It starts the next part if none fit.
func (o *output) free() (int64, error) {
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
	return o.free()
}

func (o *output) closePart() error {
	if o.file == nil {
		return nil
	}
	o.parts[len(o.parts)-1].SHA256 = blob.Ref(o.hash.Sum(nil))
	err := errors.Join(o.file.Sync(), o.file.Close())
	o.file = nil
	return err
}

// commit renames the parts to their final names, and writes the listing and the signature next to
// them. sign returns the signature of the listing, or nil for none. Files of an earlier export of
// the same name are replaced or removed. After a crash in between, the parts may not match the
// listing, which an import reports.
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
	sums, name := listParts(o.parts), o.name+SumsSuffix
	if err := o.replace(name, sums); err != nil {
		return err
	}
	if signature := sign(sums); signature != nil {
		return o.replace(name+SignedSuffix, signature)
	}
	return o.remove(name + SignedSuffix)
}

// removeStale removes the parts of an earlier export that this one has not replaced.
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

// discard removes the temporary files that were not committed.
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

// replace makes or replaces a small file in one step.
func (o *output) replace(name string, text []byte) error {
	f, err := o.create(tempPrefix + name)
	if err != nil {
		return err
	}
	defer atomicfile.Discard(o.at, f)
	if _, err := f.Write(text); err != nil {
		return err
	}
	return atomicfile.Commit(o.at, f, name, atomicfile.FileMode)
}
