package index

import (
	"bytes"
	"cmp"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// testChunks are the files of chunks by their SHA-256.
type testChunks map[[32]byte][]byte

// source implements [ChunkSource].
func (s testChunks) source(c Chunk) ([]byte, io.Closer, error) {
	b, ok := s[c.SHA256]
	if !ok {
		return nil, nil, fs.ErrNotExist
	}
	return b, io.NopCloser(nil), nil
}

// testContent is the content of an index, with its chunks.
type testContent struct {
	Content
	chunks testChunks
}

// chunkDocuments is the number of documents in a chunk of a testContent.
const chunkDocuments = 8

func contentOf(t testing.TB, docs []Document, files []File) *testContent {
	t.Helper()
	return contentWith(t, docs, files, testPayloads)
}

// contentWith is contentOf with other payloads.
func contentWith(t testing.TB, docs []Document, files []File, payloads func(*Document) Payloads) *testContent {
	t.Helper()
	c := &testContent{Content{Documents: docs, Places: make([]Place, len(docs)), TempDir: t.TempDir()}, make(testChunks)}
	key := func(i int) string { return strings.ToLower(docs[i].ID) }
	sorted := make([]int, len(docs))
	for i := range sorted {
		sorted[i] = i
	}
	slices.SortFunc(sorted, func(i, j int) int { return cmp.Compare(key(i), key(j)) })
	var all []ChunkContent
	c.Chunks = []Chunk{{}}
	all = append(all, ChunkContent{})
	for n, i := range sorted {
		if n > 0 && n%chunkDocuments == 0 && key(i) != key(sorted[n-1]) {
			c.Chunks, all = append(c.Chunks, Chunk{First: key(i)}), append(all, ChunkContent{})
		}
		last := &all[len(all)-1]
		c.Places[i] = Place{uint32(len(all) - 1), uint32(len(last.Payloads))}
		last.Payloads = append(last.Payloads, payloads(&docs[i]))
	}
	c.addFiles(files, all)
	for i := range all {
		c.addChunk(t, i, all[i])
	}
	return c
}

// addFiles adds the files of extensions to their chunks, and the others to the index.
func (c *testContent) addFiles(files []File, all []ChunkContent) {
	var outside []File
	for _, f := range files {
		key, ok := appendPathKey(nil, f.Path)
		if !ok {
			outside = append(outside, f)
			continue
		}
		n := len(all) - 1
		for c.Chunks[n].First > string(key) {
			n--
		}
		all[n].Files = append(all[n].Files, f)
	}
	c.Files = slices.Values(outside)
}

// addChunk gives a chunk this content.
func (c *testContent) addChunk(t testing.TB, number int, content ChunkContent) {
	t.Helper()
	b, chunk, err := EncodeChunk(content)
	if err != nil {
		t.Fatal(err)
	}
	chunk.First = c.Chunks[number].First
	c.Chunks[number] = chunk
	c.chunks[chunk.SHA256] = b
}

// file returns the file of the index.
func (c *testContent) file(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, c.Content); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// decompressed returns the file of the index, decompressed.
func (c *testContent) decompressed(t testing.TB) []byte {
	t.Helper()
	memory, err := decompress(c.file(t))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	return bytes.Clone(memory.Bytes)
}

// open opens the index. It reads its chunks from source.
func (c *testContent) open(t testing.TB, source ChunkSource) *Index {
	t.Helper()
	ix, err := OpenBytes(c.file(t), source)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func write(t testing.TB, docs []Document, files []File) []byte {
	t.Helper()
	return contentOf(t, docs, files).file(t)
}

func open(t testing.TB, docs []Document, files []File) *Index {
	t.Helper()
	return openWith(t, contentOf(t, docs, files))
}

func openWith(t testing.TB, c *testContent) *Index {
	t.Helper()
	return c.open(t, c.chunks.source)
}

// payload returns a payload whose chunk can be opened.
func payload(t testing.TB, ix *Index, h Hit, v Variant) Payload {
	t.Helper()
	p, err := ix.Payload(h, v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
