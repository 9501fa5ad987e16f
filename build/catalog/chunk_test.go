package catalog

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"galbuild/build/blob"
)

// named returns a catalogue of extensions with these Keys.
func named(keys ...string) *Catalog {
	c := new(Catalog)
	for _, key := range slices.Sorted(slices.Values(keys)) {
		publisher, name, _ := strings.Cut(key, ".")
		c.Extensions = append(c.Extensions, Extension{Publisher: Publisher{Name: publisher}, Name: name})
	}
	return c
}

// manyKeys returns n Keys.
func manyKeys(n int) (keys []string) {
	for i := range n {
		keys = append(keys, fmt.Sprintf("publisher%d.extension%d", i%97, i))
	}
	return keys
}

// membersOf returns the Keys of the extensions of each chunk, by its First.
func membersOf(chunks []Chunk) map[string]string {
	all := make(map[string]string)
	for _, c := range chunks {
		for i := range c.Extensions {
			all[c.First] += c.Extensions[i].Key() + " "
		}
	}
	return all
}

// TestChunksOfSet adds and removes extensions at random. Each step changes one chunk, or two if one
// begins with the extension. At the end, the extensions of the beginning have their chunks again.
func TestChunksOfSet(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	keys := manyKeys(1500)
	present := make(map[string]bool)
	chunks := func() map[string]string { return membersOf(named(slices.Collect(maps.Keys(present))...).Chunks()) }
	var before map[string]string
	step := func(key string) {
		if present[key] {
			delete(present, key)
		} else {
			present[key] = true
		}
		want := 1
		if begins(key, catalogChunk) {
			want = 2
		}
		after := chunks()
		if got := changed(before, after); len(got) > want || len(got) == 0 {
			t.Fatalf("%s changes the chunks %q, want at most %d", key, got, want)
		}
		before = after
	}
	for _, key := range keys[:1000] {
		present[key] = true
	}
	first := chunks()
	before = first
	for range 100 {
		step(keys[random.IntN(len(keys))])
	}
	step(slices.MinFunc(slices.Collect(maps.Keys(present)), strings.Compare)) // the first extension
	for _, key := range keys {
		if want := slices.Contains(keys[:1000], key); present[key] != want {
			step(key)
		}
	}
	if !maps.Equal(before, first) {
		t.Error("the same extensions have other chunks than before")
	}
}

// changed returns the Firsts of chunks that differ.
func changed(a, b map[string]string) (firsts []string) {
	both := maps.Clone(a)
	maps.Copy(both, b)
	for first := range both {
		x, inA := a[first]
		y, inB := b[first]
		if inA != inB || x != y {
			firsts = append(firsts, first)
		}
	}
	return firsts
}

// TestChunkSizes checks that chunks have about the size that is intended.
func TestChunkSizes(t *testing.T) {
	const n = 20_000
	c := named(manyKeys(n)...)
	chunks := c.Chunks()
	if got := n / len(chunks); got < catalogChunk/2 || got > 2*catalogChunk {
		t.Errorf("chunks of the catalogue have %d extensions on average", got)
	}
	var parts int
	for _, chunk := range chunks {
		parts += len(chunk.IndexChunks())
	}
	if got := n / parts; got < indexChunk/2 || got > 2*indexChunk {
		t.Errorf("chunks of the index have %d extensions on average", got)
	}
}

// TestIndexChunks checks that the chunks of the index are the parts of those of the catalogue, in
// order, and that they begin at the same Keys in whatever chunk of the catalogue they are.
func TestIndexChunks(t *testing.T) {
	c := named(manyKeys(5000)...)
	for _, d := range []string{"aaa", "publisher50", "zzz"} {
		c.Dropped = append(c.Dropped, Dropped{Version: Version{Publisher: d, Name: "gone", Version: "1.0.0"}})
	}
	var extensions []Extension
	var dropped []Dropped
	var firsts []string
	for _, chunk := range c.Chunks() {
		parts := chunk.IndexChunks()
		if parts[0].First != chunk.First {
			t.Errorf("the first part of chunk %q is %q", chunk.First, parts[0].First)
		}
		for _, part := range parts {
			extensions, dropped, firsts = append(extensions, part.Extensions...), append(dropped, part.Dropped...), append(firsts, part.First)
		}
	}
	if !reflect.DeepEqual(extensions, c.Extensions) || !reflect.DeepEqual(dropped, c.Dropped) {
		t.Error("the parts do not have all extensions and dropped versions in order")
	}
	var want []string
	for _, part := range (Chunk{Extensions: c.Extensions}).split(indexChunk) {
		want = append(want, part.First)
	}
	if !slices.Equal(firsts, want) {
		t.Errorf("chunks of the index begin at %q, want %q", firsts, want)
	}
}

// TestChunksOfDropped has dropped versions of extensions that the catalogue does not have.
func TestChunksOfDropped(t *testing.T) {
	c := named(manyKeys(2000)...)
	chunks := c.Chunks()
	if len(chunks) < 3 {
		t.Fatal(len(chunks))
	}
	second, last := chunks[1].First, chunks[len(chunks)-1].First
	for name, tt := range map[string]struct {
		key  string
		want int
	}{
		"before the first extension":   {"a.a", 0},
		"the extension after a border": {second, 1},
		"just before it":               {second[:len(second)-1], 0},
		"just after it":                {second + "a", 1},
		"after the last extension":     {"zzz.zzz", len(chunks) - 1},
		"the last border":              {last, len(chunks) - 1},
		"in capitals":                  {strings.ToUpper(second), 1},
	} {
		publisher, extension, _ := strings.Cut(tt.key, ".")
		c.Dropped = []Dropped{{Version: Version{Publisher: publisher, Name: extension, Version: "1.0.0"}}}
		for i, chunk := range c.Chunks() {
			if want := i == tt.want; (len(chunk.Dropped) == 1) != want {
				t.Errorf("%s: chunk %d has it: %t, want %t", name, i, !want, want)
			}
		}
		files := make([]ChunkFiles, len(chunks))
		for i := range chunks {
			files[i].First = chunks[i].First
		}
		if got := WithDropped(files, c.Dropped); len(got[tt.want].Dropped) != 1 {
			t.Errorf("%s: WithDropped returns %+v", name, got)
		}
	}
}

// TestChunksOfNone checks that an empty catalogue has a chunk, with the dropped versions.
func TestChunksOfNone(t *testing.T) {
	c := &Catalog{Dropped: []Dropped{{Version: Version{Publisher: "acme", Name: "gone", Version: "1.0.0"}}}}
	chunks := c.Chunks()
	if len(chunks) != 1 || chunks[0].First != "" || len(chunks[0].Extensions) > 0 || len(chunks[0].Dropped) != 1 {
		t.Errorf("%+v", chunks)
	}
	if parts := chunks[0].IndexChunks(); len(parts) != 1 || len(parts[0].Dropped) != 1 {
		t.Errorf("%+v", parts)
	}
}

// filesOf returns files of chunks that begin at these Keys.
func filesOf(firsts ...string) (all []ChunkFiles) {
	for _, first := range firsts {
		f := ChunkFile{SHA256: blob.Sum([]byte("lines of " + first)), Size: 10}
		index := ChunkFile{SHA256: blob.Sum([]byte("index of " + first)), Size: 20}
		second := ChunkFile{SHA256: blob.Sum([]byte("second index of " + first)), Size: 20}
		all = append(all, ChunkFiles{First: first, Lines: f, Index: []IndexChunk{{index, 3, 4}, {second, 5, 6}}})
	}
	return all
}

// TestMainFile writes and reads a main file, and refuses invalid ones.
func TestMainFile(t *testing.T) {
	c := &Catalog{Settings: Settings{Render: 1}, Dropped: []Dropped{droppedOf("1.0.0", "a", day(2))}}
	files := filesOf("", "acme.hello", "b.b")
	var text bytes.Buffer
	if err := c.WriteMain(&text, files); err != nil {
		t.Fatal(err)
	}
	got, gotFiles, err := ReadMain(bytes.NewReader(text.Bytes()))
	if err != nil || !reflect.DeepEqual(got, c) || !reflect.DeepEqual(gotFiles, files) {
		t.Fatalf("got %+v, %+v, %v", got, gotFiles, err)
	}
	if gotFiles, err = ReadChunkFiles(bytes.NewReader(text.Bytes())); err != nil || !reflect.DeepEqual(gotFiles, files) {
		t.Errorf("got %+v, %v", gotFiles, err)
	}
	if _, err := Read(bytes.NewReader(text.Bytes())); err == nil || !strings.Contains(err.Error(), "chunks: want 0") {
		t.Errorf("the main file is read as a whole catalogue: %v", err)
	}
	hash := fmt.Sprint(files[1].Lines.SHA256)
	for old, test := range map[string]struct{ new, want string }{
		`"galbuild":4`:          {`"galbuild":2`, "made by another version of galbuild: catalogue format 2, this program reads 4"},
		`"chunks":3`:            {`"chunks":0`, "chunks: want at least 1"},
		`"chunks":3,`:           {`"chunks":2,`, "line 5: the header does not count this line"},
		`"chunks":3,"`:          {`"chunks":4,"`, "line 6: chunk"},
		`"chunks":3,"r`:         {`"chunks":-1,"r`, "chunks: want 0 to"},
		`{"first":"acme.hello"`: {`{"first":""`, `line 4: chunk: first: "" follows ""`},
		`"first":"acme.hello"`:  {`"first":"b.b"`, `line 5: chunk: first: "b.b" follows "b.b"`},
		`"first":"acme.h`:       {`"first":"` + strings.Repeat("a", maxID) + `acme.h`, "line 4: chunk: first: want the id"},
		"\n{\"lines\"":          {"\n{\"first\":\"a\",\"lines\"", `line 3: chunk: first: the first chunk begins at "a"`},
		`"sha256":"` + hash:     {`"sha256":"` + strings.Repeat("0", 64), "line 4: chunk: lines: the hash is missing"},
		hash:                    {hash[:60], "line 4: chunk"},
		`"size":10`:             {`"size":-1`, "line 3: chunk: lines"},
		`"documents":3`:         {`"documents":-3`, "line 3: chunk: index"},
		`"files":4`:             {`"files":"4"`, "line 3: chunk"},
		`"chunks":3,"re`:        {`"chunks":20001,"re`, "line 1: chunks: want 0 to 20000, found 20001"},
		`10},"i`:                {`1073741825},"i`, "line 3: chunk: lines: size: want 0 to 1073741824 bytes"},
		`"size":20`:             {`"size":4611686018427387904`, "line 3: chunk: index: size: want 0 to"},
		`"documents":5`:         {`"documents":4294967295`, "line 3: chunk: index: 4294967295 documents and 6 files in 20 bytes"},
		`"files":6`:             {`"files":4294967295`, "line 3: chunk: index: 5 documents and 4294967295 files in 20 bytes"},
	} {
		if !strings.Contains(text.String(), old) {
			t.Fatalf("%s is not in %s", old, &text)
		}
		_, _, err := ReadMain(strings.NewReader(strings.Replace(text.String(), old, test.new, 1)))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", old, err, test.want)
		}
		_, other := ReadChunkFiles(strings.NewReader(strings.Replace(text.String(), old, test.new, 1)))
		if fmt.Sprint(other) != fmt.Sprint(err) {
			t.Errorf("%s: %v, want %v", old, other, err)
		}
	}
}

// TestMainFileCut cuts a main file off at each byte. None of the parts is a main file.
func TestMainFileCut(t *testing.T) {
	var text bytes.Buffer
	if err := new(Catalog).WriteMain(&text, filesOf("", "a.b")); err != nil {
		t.Fatal(err)
	}
	for n := range text.Len() - 1 { // the last line may have no line end
		if _, _, err := ReadMain(bytes.NewReader(text.Bytes()[:n])); err == nil {
			t.Errorf("the first %d of %d bytes are read", n, text.Len())
		}
		if _, err := ReadChunkFiles(bytes.NewReader(text.Bytes()[:n])); err == nil {
			t.Errorf("the files of chunks are read from the first %d of %d bytes", n, text.Len())
		}
	}
}

// twoLines returns the lines of acme.a and acme.b, and these extensions.
func twoLines(t testing.TB) (lines []string, extensions []Extension) {
	extensions = named("acme.a", "acme.b").Extensions
	for i := range extensions {
		e := &extensions[i]
		e.UUID, e.Publisher.ID = "11111111-2222-3333-4444-555555555555", "11111111-2222-3333-4444-555555555555"
		e.Released, e.Published, e.Updated = day(1), day(1), day(1)
		e.Versions = []Version{droppedOf("1.0.0", "a", day(1)).Version}
		e.Versions[0].Publisher, e.Versions[0].Name = "", ""
	}
	var text strings.Builder
	if err := (Chunk{Extensions: extensions}).WriteLines(&text); err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(text.String(), "\n"), "\n"), extensions
}

// TestReadLinesRefuses has errors of lines, which name the line.
func TestReadLinesRefuses(t *testing.T) {
	lines, want := twoLines(t)
	good := lines[0] + lines[1] + "\n"
	if got, err := ReadLines(strings.NewReader(good)); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for text, want := range map[string]string{
		lines[1] + "\n" + lines[0]: "line 2: acme.a follows acme.b: duplicate or out of order",
		good + lines[1]:            "line 3: acme.b follows acme.b",
		"null\n":                   "line 1: publisher is missing",
		good + `{"galbuild":4}`:    "line 3: publisher is missing",
		lines[0] + strings.Replace(lines[1], `"1.0.0"`, `"1"`, 1): `line 2: "acme.b": version "1"`,
		good[:len(good)-3]:       "line 2: ",
		strings.Repeat("[", 1e6): "line 1: ",
	} {
		if _, err := ReadLines(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", text, err, want)
		}
	}
	endless := &endlessReader{text: lines[0]}
	if _, err := ReadLines(io.MultiReader(strings.NewReader(lines[0]), endless)); err == nil || endless.n > 1<<20 {
		t.Errorf("%d bytes are read although the second line is invalid: %v", endless.n, err)
	}
}

// An endlessReader repeats a text.
type endlessReader struct {
	text string
	n    int
}

func (r *endlessReader) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.n%len(r.text):])
	r.n += n
	return n, nil
}

// TestAddChunk adds extensions that do not belong to the chunk.
func TestAddChunk(t *testing.T) {
	before := named("a.a", "b.b").Extensions
	for name, tt := range map[string]struct {
		first string
		add   []Extension
		want  string // part of the error; "" for none
	}{
		"the next ones":           {"c.c", named("c.c", "d.d").Extensions, ""},
		"none":                    {"c.c", nil, "no extensions, want c.c and those after it"},
		"other ones":              {"c.c", named("d.d").Extensions, "its first extension is d.d, want c.c"},
		"those of a chunk before": {"b.b", named("b.b").Extensions, "b.b follows b.b"},
	} {
		c := new(Catalog)
		if err := c.addChunk(ChunkFiles{}, before); err != nil {
			t.Fatal(err)
		}
		err := c.addChunk(ChunkFiles{First: tt.first}, tt.add)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if err := new(Catalog).addChunk(ChunkFiles{}, nil); err != nil {
		t.Errorf("the chunk of an empty catalogue: %v", err)
	}
}

// TestHeadLimits reads heads that name more chunks, or longer ones, than the limits allow, and one
// with so many empty objects in a line that they would need fifty times its memory.
func TestHeadLimits(t *testing.T) {
	part := filesOf("")[0].Index[0]
	long := part
	long.Size = MaxChunkSize
	for want, index := range map[string][]IndexChunk{
		"":                                      slices.Repeat([]IndexChunk{part}, MaxChunks),
		"more than 20000 chunks of the index":   slices.Repeat([]IndexChunk{part}, MaxChunks+1),
		"more than 68719476736 bytes in chunks": slices.Repeat([]IndexChunk{long}, MaxChunksSize/MaxChunkSize+1),
	} {
		files := filesOf("", "a.b")
		files[0].Index, files[1].Index = nil, index
		var text bytes.Buffer
		if err := new(Catalog).WriteMain(&text, files); err != nil {
			t.Fatal(err)
		}
		_, _, err := ReadMain(&text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d chunks of the index: %v, want …%s…", len(index), err, want)
		}
	}
	bomb := `{"galbuild":4,"render":1,"chunks":1}` + "\n" + `{"index":[{}` + strings.Repeat(",{}", 1<<20) + "]}\n"
	if _, _, err := ReadMain(strings.NewReader(bomb)); err == nil || !strings.Contains(err.Error(), "1048578 objects in 3145743 bytes: too many") {
		t.Errorf("a line of empty objects: %v", err)
	}
}

// TestAllChunkFiles has the paths of all files, also of one that is named twice.
func TestAllChunkFiles(t *testing.T) {
	files := filesOf("", "a.b", "a.c")
	files[2].Lines, files[2].Index = files[1].Lines, []IndexChunk{files[1].Index[0], files[0].Index[1]}
	lines, index := files[1].Lines.SHA256.String(), files[1].Index[0].SHA256.String()
	var paths []string
	for path := range AllChunkFiles(files) {
		paths = append(paths, path)
	}
	want := []string{"index/chunks/" + lines[:2] + "/" + lines + ".jsonl.zst", "index/chunks/" + index[:2] + "/" + index + ".idx"}
	if len(paths) != 6 || !slices.Equal(paths[3:5], want) { // the third chunk has no file of its own
		t.Errorf("got %q, want %q among them", paths, want)
	}
	for range AllChunkFiles(files) {
		break // the iterator stops
	}
}

// FuzzReadMain looks for a main file that ReadMain accepts and that differs from what WriteMain
// writes.
func FuzzReadMain(f *testing.F) {
	var seed bytes.Buffer
	if err := (&Catalog{Dropped: []Dropped{droppedOf("1.0.0", "a", day(2))}}).WriteMain(&seed, filesOf("", "acme.hello")); err != nil {
		f.Fatal(err)
	}
	f.Add(seed.Bytes())
	f.Add([]byte(`{"galbuild":4,"chunks":1}` + "\n{}\n"))
	f.Add(bytes.Replace(seed.Bytes(), []byte(`"chunks":2}`+"\n"), []byte(`"statistics":1,"chunks":2}`+"\n"+`{"id":"acme.a","runs":[{"versions":1}]}`+"\n"), 1))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, files, err := ReadMain(bytes.NewReader(text))
		if err != nil {
			return
		}
		if same, err := ReadChunkFiles(bytes.NewReader(text)); err != nil || !reflect.DeepEqual(same, files) {
			t.Fatalf("ReadChunkFiles returns %+v, %v, want %+v", same, err, files)
		}
		var first, second bytes.Buffer
		if err := c.WriteMain(&first, files); err != nil {
			t.Fatalf("what is read cannot be written: %v", err)
		}
		again, files, err := ReadMain(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("what is written cannot be read: %v", err)
		}
		if err := again.WriteMain(&second, files); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("written again it is %s, was %s, %v", second.Bytes(), first.Bytes(), err)
		}
		if again.Extensions != nil {
			t.Fatal("a main file has extensions")
		}
	})
}

// FuzzReadLines looks for lines that ReadLines accepts and that differ from what WriteLines writes.
func FuzzReadLines(f *testing.F) {
	lines, _ := twoLines(f)
	f.Add([]byte(lines[0] + lines[1]))
	f.Add([]byte("null\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := ReadLines(bytes.NewReader(text))
		if err != nil {
			return
		}
		var lines bytes.Buffer
		if err := (Chunk{Extensions: all}).WriteLines(&lines); err != nil {
			t.Fatalf("what is read cannot be written: %v", err)
		}
		again, err := ReadLines(bytes.NewReader(lines.Bytes()))
		if err != nil || !reflect.DeepEqual(again, all) {
			t.Fatalf("written and read again it is %+v, was %+v, %v", again, all, err)
		}
	})
}
