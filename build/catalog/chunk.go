package catalog

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"sort"
	"strings"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/blob"
	"galbuild/build/jsondoc"
)

// A Chunk is a part of a catalogue: extensions whose Keys are neighbours. If one of them changes,
// only the files of its chunk are written again. All other chunks keep theirs.
//
// Chunks of a fixed number of extensions would all change if one were added at the front. So a new
// chunk begins at every extension whose Key has a SHA-256 that is divisible by a constant, and
// nothing else decides where chunks begin. The same extensions have the same chunks, whatever the
// catalogue contained before. An extension that is added or removed changes one chunk, or two if a
// chunk begins with it. casync and restic divide files in this way, and prolly trees sorted keys.
// Somebody who chooses names with which no chunk begins only makes one chunk larger.
type Chunk struct {
	First      string      // the Key from which on extensions are in this chunk; "" for the first chunk
	Extensions []Extension // empty only in the first chunk
	Dropped    []Dropped   // dropped versions of extensions with such Keys
}

// Average numbers of extensions in a chunk of the catalogue and of the index. The first is a
// multiple of the second, so that every chunk of the catalogue consists of whole chunks of the
// index.
const (
	catalogChunk = 256
	indexChunk   = 32
)

// Chunks returns the chunks of the catalogue, of which there is at least one.
func (c *Catalog) Chunks() []Chunk {
	return Chunk{Extensions: c.Extensions, Dropped: c.Dropped}.split(catalogChunk)
}

// IndexChunks returns the chunks of the index that a chunk of the catalogue consists of.
func (c Chunk) IndexChunks() []Chunk { return c.split(indexChunk) }

// split returns parts of a chunk with this average number of extensions.
func (c Chunk) split(average uint32) []Chunk {
	parts, from := []Chunk{{First: c.First}}, 0
	for i := range c.Extensions {
		if key := c.Extensions[i].Key(); i > 0 && begins(key, average) {
			parts[len(parts)-1].Extensions = c.Extensions[from:i]
			parts, from = append(parts, Chunk{First: key}), i
		}
	}
	parts[len(parts)-1].Extensions = c.Extensions[from:]
	assign(parts, c.Dropped)
	return parts
}

// assign adds each of the dropped versions to the chunk of its extension's Key.
func assign(chunks []Chunk, dropped []Dropped) {
	for _, d := range dropped {
		key := strings.ToLower(d.Version.Publisher + "." + d.Version.Name)
		after := sort.Search(len(chunks), func(i int) bool { return chunks[i].First > key })
		of := &chunks[max(after-1, 0)]
		of.Dropped = append(of.Dropped, d)
	}
}

// begins reports whether a chunk of this average number of extensions begins at the one with this
// Key.
func begins(key string, average uint32) bool {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint32(sum[:])%average == 0
}

// ChunkDir is the folder of a site with the files of the chunks of all generations. A file is named
// by its SHA-256.
const ChunkDir = "index/chunks/"

// A ChunkFile is a file of a chunk. It never changes.
type ChunkFile struct {
	SHA256 blob.Ref `json:"sha256"`
	Size   int64    `json:"size"` // in bytes
}

// An IndexChunk is the file of a chunk of the index, and what it contains.
type IndexChunk struct {
	ChunkFile
	Documents int `json:"documents"`
	Files     int `json:"files"`
}

// ChunkFiles are the files of a chunk of the catalogue: one with its lines, and one for each chunk
// of the index that is derived from them.
type ChunkFiles struct {
	First string       `json:"first,omitempty"` // see Chunk
	Lines ChunkFile    `json:"lines"`           // what [Chunk.WriteLines] writes, compressed
	Index []IndexChunk `json:"index"`           // see [Chunk.IndexChunks]
}

// Limits of the chunks of a catalogue, and of those of its index. Package index has the same.
const (
	MaxChunks     = 20_000   // about 600,000 extensions have as many chunks of the index
	MaxChunkSize  = 1 << 30  // bytes of a file; most have less than a megabyte
	MaxChunksSize = 64 << 30 // bytes of all files together
)

// check refuses invalid values, and a chunk that does not follow the one before, which is nil for
// the first chunk.
func (c *ChunkFiles) check(before *ChunkFiles) error {
	if err := c.Lines.check(); err != nil {
		return fmt.Errorf("lines: %w", err)
	}
	for _, f := range c.Index {
		if err := f.check(); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		if d, n := int64(f.Documents), int64(f.Files); min(d, n) < 0 || max(d, n) > f.Size {
			return fmt.Errorf("index: %d documents and %d files in %d bytes", d, n, f.Size)
		}
	}
	switch {
	case len(c.First) > maxID:
		return fmt.Errorf("first: want the id of an extension, found %.200q", c.First)
	case before == nil && c.First != "":
		return fmt.Errorf("first: the first chunk begins at %q", c.First)
	case before != nil && c.First <= before.First:
		return fmt.Errorf("first: %q follows %q: duplicate or out of order", c.First, before.First)
	}
	return nil
}

func (f *ChunkFile) check() error {
	if f.SHA256.IsZero() {
		return errors.New("the hash is missing")
	}
	if f.Size < 0 || f.Size > MaxChunkSize {
		return fmt.Errorf("size: want 0 to %d bytes, found %d", int64(MaxChunkSize), f.Size)
	}
	return nil
}

// LinesPath returns the path of the file with the lines of a chunk, given its hash.
func LinesPath(ref blob.Ref) string { return chunkPath(ChunkDir, ref, ".jsonl.zst") }

// IndexChunkPath returns the path of the file of a chunk of the index, given its hash.
func IndexChunkPath(ref blob.Ref) string { return chunkPath(ChunkDir, ref, ".idx") }

func chunkPath(folder string, ref blob.Ref, extension string) string {
	digits := ref.String()
	return folder + digits[:2] + "/" + digits + extension
}

// AllChunkFiles yields every file of the chunks with its path: a file that chunks have in common
// only once.
func AllChunkFiles(all []ChunkFiles) iter.Seq2[string, ChunkFile] {
	return func(yield func(string, ChunkFile) bool) {
		seen := make(map[string]bool)
		once := func(path string, f ChunkFile) bool {
			if seen[path] {
				return true
			}
			seen[path] = true
			return yield(path, f)
		}
		for _, c := range all {
			if !once(LinesPath(c.Lines.SHA256), c.Lines) {
				return
			}
			for _, f := range c.Index {
				if !once(IndexChunkPath(f.SHA256), f.ChunkFile) {
					return
				}
			}
		}
	}
}

// WithDropped returns the chunks that have these files, each with its part of the dropped versions,
// and without extensions.
func WithDropped(files []ChunkFiles, dropped []Dropped) []Chunk {
	chunks := make([]Chunk, len(files))
	for i, f := range files {
		chunks[i].First = f.First
	}
	if len(chunks) > 0 {
		assign(chunks, dropped)
	}
	return chunks
}

// WriteMain writes the main file of the catalogue: all lines but those of extensions, and then one
// line with the files of each chunk. The statistics of extensions are in the main file.
func (c *Catalog) WriteMain(w io.Writer, files []ChunkFiles) error {
	text, err := c.encodeBeginning(len(files))
	if err != nil {
		return err
	}
	for i := range files {
		if text, err = jsondoc.AppendLine(text, &files[i]); err != nil {
			return err
		}
	}
	_, err = w.Write(text)
	return err
}

// WriteLines writes the lines of a chunk: its extensions, one on each line, without their
// statistics.
func (c Chunk) WriteLines(w io.Writer) error {
	all := encodeAll(c.Extensions)
	if all.err != nil {
		return all.err
	}
	_, err := w.Write(all.text)
	return err
}

// ReadMain reads what [Catalog.WriteMain] has written, with the checks of [Read]. The catalogue has
// no extensions until [Catalog.AddChunks] adds them.
func ReadMain(r io.Reader) (*Catalog, []ChunkFiles, error) {
	lines := newLines(r)
	c, h, err := readBeginning(lines)
	if err != nil {
		return nil, nil, err
	}
	if err := h.checkMain(); err != nil {
		return nil, nil, err
	}
	files, err := readChunkFiles(lines, h.Chunks, h.lines()+1)
	return c, files, err
}

// ReadChunkFiles is ReadMain for a caller that needs only the files of the chunks. It skips the
// other lines after the header, and does not check them.
func ReadChunkFiles(r io.Reader) ([]ChunkFiles, error) {
	lines := newLines(r)
	first, err := readLine(lines)
	if err != nil && err != io.EOF {
		return nil, err
	}
	h, err := readHeader(first)
	if err != nil {
		return nil, err
	}
	if err := h.checkMain(); err != nil {
		return nil, err
	}
	for number := 2; number <= h.lines(); number++ {
		if _, err := readLine(lines); err != nil { // also at the end of the file: lines of chunks must follow
			return nil, fmt.Errorf("catalogue line %d: %w", number, err)
		}
	}
	return readChunkFiles(lines, h.Chunks, h.lines()+1)
}

// readChunkFiles reads the lines of n chunks, the first of which has this number. No line follows
// them.
func readChunkFiles(lines *bufio.Reader, n, number int) (all []ChunkFiles, err error) {
	var before *ChunkFiles
	var sum chunkSum
	for end := number + n; number < end; number++ {
		line, err := readLine(lines)
		if err != nil && err != io.EOF {
			return nil, err
		}
		var f ChunkFiles
		if err = checkLine(line); err == nil {
			err = json2.Unmarshal(line, &f)
		}
		if err == nil {
			err = f.check(before)
		}
		if err == nil {
			err = sum.add(&f)
		}
		if err != nil {
			return nil, fmt.Errorf("catalogue line %d: chunk: %w", number, err)
		}
		all, before = append(all, f), &f
	}
	if line, err := readLine(lines); err != io.EOF || len(line) > 0 {
		return nil, cmp.Or(err, fmt.Errorf("catalogue line %d: the header does not count this line", number))
	}
	return all, nil
}

// A chunkSum is how many chunks of the index were read, and the sizes of all files.
type chunkSum struct{ chunks, bytes int64 }

// add adds the files of a chunk. It returns an error if there are more than the limits allow.
func (s *chunkSum) add(f *ChunkFiles) error {
	s.chunks += int64(len(f.Index))
	s.bytes += f.Lines.Size
	for _, part := range f.Index {
		s.bytes += part.Size
	}
	if s.chunks > MaxChunks || s.bytes > MaxChunksSize {
		return fmt.Errorf("more than %d chunks of the index, or more than %d bytes in chunks", MaxChunks, int64(MaxChunksSize))
	}
	return nil
}

// ReadLines reads what [Chunk.WriteLines] has written, with the checks of [Read]. Equal texts share
// memory.
func ReadLines(r io.Reader) (all []Extension, err error) {
	p := newParser()
	err = eachLine(r, func(line []byte) (err error) {
		all, err = appendExtension(all, line, p)
		return err
	})
	return all, err
}

// eachLine calls decode with each line, and returns its first error with the number of the line.
func eachLine(r io.Reader, decode func(line []byte) error) error {
	lines := newLines(r)
	for number := 1; ; number++ {
		line, err := readLine(lines)
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		if err != nil && err != io.EOF {
			return err
		}
		if err := decode(line); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
}

// EqualLines reports whether extensions differ in nothing but their statistics. Then they have the
// same lines.
func EqualLines(a, b []Extension) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equalLine(&a[i], &b[i]) {
			return false
		}
	}
	return true
}

// equalLine reports whether two extensions have the same line.
func equalLine(a, b *Extension) bool {
	if a == b {
		return true
	}
	if a.SharesVersions(b) {
		x, y := *a, *b
		x.Statistics, y.Statistics, x.Versions, y.Versions = nil, nil, nil, nil
		return reflect.DeepEqual(&x, &y)
	}
	return reflect.DeepEqual(withoutStatistics(a), withoutStatistics(b))
}

// AddChunks adds the extensions of all chunks to a catalogue that [ReadMain] has read with these
// files. It fills in their statistics. It refuses extensions that do not belong to their chunk, and
// statistics of other extensions.
func (c *Catalog) AddChunks(files []ChunkFiles, parts [][]Extension) error {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	c.Extensions = slices.Grow(c.Extensions, n)
	for i, part := range parts {
		if err := c.addChunk(files[i], part); err != nil {
			return fmt.Errorf("%s: %w", LinesPath(files[i].Lines.SHA256), err)
		}
	}
	return c.fillStatistics()
}

// addChunk adds the extensions of the next chunk, which has these files. It refuses extensions that
// do not belong to the chunk, or do not follow those of the chunks before.
func (c *Catalog) addChunk(files ChunkFiles, extensions []Extension) error {
	switch {
	case len(extensions) == 0 && files.First != "":
		return fmt.Errorf("no extensions, want %s and those after it", files.First)
	case files.First != "" && extensions[0].Key() != files.First:
		return fmt.Errorf("its first extension is %s, want %s", extensions[0].Key(), files.First)
	case len(extensions) > 0 && len(c.Extensions) > 0:
		if err := checkOrder(&c.Extensions[len(c.Extensions)-1], &extensions[0]); err != nil {
			return err
		}
	}
	c.Extensions = append(c.Extensions, extensions...)
	return nil
}
