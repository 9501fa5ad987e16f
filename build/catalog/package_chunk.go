package catalog

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/blob"
	"galbuild/build/jsondoc"
)

// A PackageChunk is a part of the packages of a catalogue: those of extensions whose Keys are
// neighbours. A new chunk begins at the same Keys as in the catalogue, see [Chunk], at which there
// are packages. Packages of extensions that are not listed any more have a chunk too.
type PackageChunk struct {
	First    string    // the Key of an extension, as in Chunk
	Packages []Package // sorted by the Keys of their extensions, and then with ComparePackages
}

// A PackageFile is the file with the lines of a [PackageChunk]. Like the main private file, which
// names it, it must not be served.
type PackageFile struct {
	First string `json:"first"`
	ChunkFile
}

// PackageDir is the folder of a site with the files of packages of all generations. A file is named
// by its SHA-256.
const PackageDir = "private/chunks/"

// PackagesPath returns the path of the file with the lines of a [PackageChunk], given its hash.
func PackagesPath(ref blob.Ref) string { return chunkPath(PackageDir, ref, ".jsonl.zst") }

// Files are the files that the generation of a catalogue shares with other generations.
type Files struct {
	Chunks   []ChunkFiles
	Packages []PackageFile
}

// All yields every file with its path, once.
func (f Files) All() iter.Seq2[string, ChunkFile] {
	return func(yield func(string, ChunkFile) bool) {
		for path, file := range AllChunkFiles(f.Chunks) {
			if !yield(path, file) {
				return
			}
		}
		for _, p := range f.Packages { // no two have the same lines
			if !yield(PackagesPath(p.SHA256), p.ChunkFile) {
				return
			}
		}
	}
}

// extension returns the Key of the package's extension.
func (p *Package) extension() string {
	key, _, _ := strings.Cut(p.ID, "@")
	return key
}

func compareInChunk(a, b Package) int {
	return cmp.Or(strings.Compare(a.extension(), b.extension()), ComparePackages(a, b))
}

// PackageChunks returns the chunks of the packages. There is none if there are no packages.
func (c *Catalog) PackageChunks() (chunks []PackageChunk) {
	sorted := slices.SortedFunc(slices.Values(c.Packages), compareInChunk)
	from := 0
	for i := range sorted {
		key := sorted[i].extension()
		switch {
		case i == 0:
			chunks = append(chunks, PackageChunk{})
		case key != sorted[i-1].extension() && begins(key, catalogChunk):
			chunks[len(chunks)-1].Packages = sorted[from:i]
			chunks, from = append(chunks, PackageChunk{First: key}), i
		}
	}
	if len(chunks) > 0 {
		chunks[len(chunks)-1].Packages = sorted[from:]
	}
	return chunks
}

// WriteLines writes the packages of a chunk, one on each line.
func (p PackageChunk) WriteLines(w io.Writer) error {
	for i := range p.Packages {
		line, err := p.Packages[i].MarshalJSON()
		if err == nil {
			_, err = w.Write(append(line, '\n'))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ReadPackages reads what [PackageChunk.WriteLines] has written. It refuses packages that are
// invalid or out of order.
func ReadPackages(r io.Reader) (all []Package, err error) {
	err = eachLine(r, func(line []byte) error {
		p, err := readPackage(line)
		if n := len(all); err == nil && n > 0 && compareInChunk(all[n-1], p) >= 0 {
			err = fmt.Errorf("package %s follows %s: duplicate or out of order", p.SHA256, all[n-1].SHA256)
		}
		if err == nil {
			all = append(all, p)
		}
		return err
	})
	return all, err
}

func readPackage(line []byte) (p Package, err error) {
	if err = json2.Unmarshal(line, &p); err == nil {
		err = p.Check()
	}
	return p, err
}

// AddPackages adds the packages of all chunks to a catalogue. It refuses packages that do not
// belong to their chunk.
func (c *Catalog) AddPackages(files []PackageFile, parts [][]Package) error {
	c.Packages = nil
	for i, part := range parts {
		if err := c.addPackages(files[i], part); err != nil {
			return fmt.Errorf("%s: %w", PackagesPath(files[i].SHA256), err)
		}
	}
	slices.SortFunc(c.Packages, ComparePackages)
	return nil
}

func (c *Catalog) addPackages(file PackageFile, packages []Package) error {
	n := len(c.Packages)
	switch {
	case len(packages) == 0:
		return fmt.Errorf("no packages, want those of %q and after it", file.First)
	case file.First != "" && packages[0].extension() != file.First:
		return fmt.Errorf("its first package is of %s, want %s", packages[0].extension(), file.First)
	case n > 0 && c.Packages[n-1].extension() >= packages[0].extension():
		return fmt.Errorf("%s follows %s: duplicate or out of order", packages[0].extension(), c.Packages[n-1].extension())
	}
	c.Packages = append(c.Packages, packages...)
	return nil
}

// WritePrivate writes the main private file as JSON lines: the private parts of the records, with
// the ids of the records, and then the files of the packages.
func (c *Catalog) WritePrivate(w io.Writer, files []PackageFile) (err error) {
	var text []byte
	for i := range c.Records {
		r := &c.Records[i]
		if r.Private == nil {
			continue
		}
		p := *r.Private
		p.ID = r.ID
		if text, err = jsondoc.AppendLine(text, p); err != nil {
			return err
		}
	}
	for _, f := range files {
		if text, err = jsondoc.AppendLine(text, f); err != nil {
			return err
		}
	}
	_, err = w.Write(text)
	return err
}

// ReadPrivate reads what [Catalog.WritePrivate] has written, and adds the private parts of records.
// It refuses one that does not belong to a record of the catalogue, which it recognizes by the id
// of the record. The catalogue has no packages until [Catalog.AddPackages] adds them.
func (c *Catalog) ReadPrivate(r io.Reader) ([]PackageFile, error) {
	next := 0
	return readPrivate(r, func(line []byte) (err error) {
		next, err = c.addPrivate(line, next)
		return err
	})
}

// ReadPackageFiles is [Catalog.ReadPrivate] without the private parts of records.
func ReadPackageFiles(r io.Reader) ([]PackageFile, error) {
	return readPrivate(r, func([]byte) error { return nil })
}

// packageFileLine begins the line of a file. The line of a record begins with its id.
const packageFileLine = `{"first":`

// readPrivate calls add for each line of a record, and returns the files.
func readPrivate(r io.Reader, add func(line []byte) error) (files []PackageFile, err error) {
	lines := bufio.NewReader(r)
	var sum chunkSum
	for number := 1; ; number++ {
		line, err := readLine(lines)
		if err == io.EOF && len(line) == 0 {
			return files, nil
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		if len(files) > 0 || bytes.HasPrefix(line, []byte(packageFileLine)) {
			files, err = appendPackageFile(files, line)
			if err == nil {
				err = sum.add(&ChunkFiles{Lines: files[len(files)-1].ChunkFile})
			}
		} else {
			err = add(line)
		}
		if err != nil {
			return nil, fmt.Errorf("private file, line %d: %w", number, err)
		}
	}
}

func appendPackageFile(files []PackageFile, line []byte) ([]PackageFile, error) {
	var f PackageFile
	if err := json2.Unmarshal(line, &f); err != nil {
		return nil, err
	}
	var before *ChunkFiles
	if n := len(files); n > 0 {
		before = &ChunkFiles{First: files[n-1].First}
	}
	if len(files) == MaxChunks {
		return nil, fmt.Errorf("more than %d files of packages", MaxChunks)
	}
	as := ChunkFiles{First: f.First, Lines: f.ChunkFile}
	return append(files, f), as.check(before)
}
