package splice

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// Two kinds of holes, as wide as these.
const (
	narrow = 40
	wide   = 64
)

// fillingsOf returns fillings that end in s.
func fillingsOf(s string) []Filling {
	spaces := strings.Repeat(" ", wide)
	return []Filling{NewFilling([]byte(spaces[:narrow-len(s)] + s)), NewFilling([]byte(spaces[:wide-len(s)] + s))}
}

// sample is JSON with holes where the address of the gallery goes.
func sample(name string, n int) (text []byte, holes []Hole) {
	text = append(text, `{"name":"`+name+`","files":[`...)
	for i := range n {
		kind := min(1, i%3)
		text = append(append(text, `{"source":`...), make([]byte, []int{narrow, wide}[kind])...)
		holes = append(holes, Hole{kind, len(text)})
		text = append(text, `/assets/`+name+`/1.0.0/Microsoft.VisualStudio.Code.Manifest"},`...)
	}
	return append(text, `],"description":"`+strings.Repeat(name, 9)+`"}`...), holes
}

func filled(text []byte, holes []Hole, with []Filling) string {
	text = bytes.Clone(text)
	for _, h := range holes {
		b := with[h.Kind].bytes
		copy(text[h.End-len(b):h.End], b)
	}
	return string(text)
}

// expand decodes as the standard library does, which checks length and checksum.
func expand(t *testing.T, packed []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// join writes a stream through a buffer that most fragments do not fit in.
func join(with []Filling, write func(s *Stream)) (packed []byte, ok bool) {
	var whole bytes.Buffer
	out := NewBuffer(make([]byte, 0, 100), &whole)
	s := Begin(out, with)
	write(&s)
	ok = s.End()
	out.Flush()
	return whole.Bytes(), ok
}

func TestStream(t *testing.T) {
	k := NewPacker(narrow, wide)
	for _, base := range []string{"", `"`, `"https://host`, `"` + strings.Repeat("https://", 4) + "host/x"} {
		with := fillingsOf(base)
		want := "["
		long := strings.Repeat("0123456789", 20_000)
		got, ok := join(with, func(s *Stream) {
			s.Text([]byte("["))
			for i, n := range []int{1, 0, 8, 300, 2} {
				text, holes := sample(strings.Repeat("日本é", i), n)
				p := k.Pack(text, holes)
				if p == nil {
					t.Fatalf("%d holes: no piece", n)
				}
				if i%2 == 0 { // a fragment after text, and one after a fragment
					s.Text([]byte(","))
					want += ","
				}
				s.Piece(p)
				want += filled(text, holes, with)
			}
			s.Text([]byte(long))
		})
		if !ok {
			t.Fatalf("base %q: taken for damaged", base)
		}
		if text := expand(t, got); text != want+long {
			t.Errorf("base %q: got %d bytes, want %d, or others", base, len(text), len(want+long))
		}
	}
}

func TestEmptyStream(t *testing.T) {
	got, ok := join(nil, func(*Stream) {})
	if text := expand(t, got); text != "" || !ok {
		t.Errorf("got %q, %t", text, ok)
	}
}

// No piece is better than a wrong one.
func TestPackRefuses(t *testing.T) {
	k := NewPacker(narrow, wide)
	text, holes := sample("x", 3)
	first, second := holes[0], holes[1]
	for name, holes := range map[string][]Hole{
		"before the text": {{0, narrow - 1}},
		"behind the text": {{0, len(text) + 1}},
		"overlap":         {first, {1, first.End + wide - 1}},
		"descend":         {second, first},
		"unknown kind":    {{2, second.End}},
	} {
		if p := k.Pack(text, holes); p != nil {
			t.Errorf("%s: got a piece", name)
		}
	}
}

// A text that holds the very marks is no valid UTF-8, but must not come out wrong.
func TestPackMarks(t *testing.T) {
	k := NewPacker(narrow, wide)
	text, holes := sample("x", 3)
	marks := make([]byte, wide)
	mark(marks, 1)
	text = append(append(text, marks...), marks[1:9]...)
	p := k.Pack(text, holes)
	if p == nil {
		return // as it should be
	}
	got, _ := join(fillingsOf("base"), func(s *Stream) { s.Piece(p) })
	if expand(t, got) != filled(text, holes, fillingsOf("base")) {
		t.Error("the text came out wrong")
	}
}

// A text that is no piece costs whoever asks for it.
func TestPackNeverFails(t *testing.T) {
	k := NewPacker(narrow, wide)
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		text, holes := sample(strings.Repeat(string(rune(r.IntN(0x2fff)+0x20)), r.IntN(200)), r.IntN(100))
		if k.Pack(text, holes) == nil {
			t.Fatalf("no piece of a text of %d bytes with %d holes", len(text), len(holes))
		}
	}
}

func TestPackTwiceIsTheSame(t *testing.T) {
	k := NewPacker(narrow, wide)
	text, holes := sample("hello", 5)
	first := k.Pack(text, holes)
	for i := range 20 {
		k.Pack(sample(strings.Repeat("another ", i), i))
	}
	if !bytes.Equal(k.Pack(text, holes), first) || !bytes.Equal(NewPacker(narrow, wide).Pack(text, holes), first) {
		t.Error("the same text gave other bytes")
	}
}

// Whatever a damaged file holds, joining it does not panic.
func FuzzPiece(f *testing.F) {
	text, holes := sample("x", 3)
	f.Add([]byte(NewPacker(narrow, wide).Pack(text, holes)))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		join(fillingsOf("base"), func(s *Stream) { s.Text([]byte("[")); s.Piece(Piece(b)) })
	})
}

func TestDamaged(t *testing.T) {
	text, holes := sample("x", 3)
	sound := NewPacker(narrow, wide).Pack(text, holes)
	for name, change := range map[string]func(p Piece) Piece{
		"nothing":     func(Piece) Piece { return nil },
		"cut":         func(p Piece) Piece { return p[:headerSize-1] },
		"gaps":        func(p Piece) Piece { p[gapsField+1] = 99; return p },
		"kind":        func(p Piece) Piece { p[headerSize] = 2; return p },
		"part":        func(p Piece) Piece { p[headerSize+6] = 1; return p },
		"second part": func(p Piece) Piece { p[headerSize+gapSize+6] = 1; return p },
	} {
		if _, ok := join(fillingsOf("base"), func(s *Stream) { s.Piece(change(bytes.Clone(sound))) }); ok {
			t.Errorf("%s: taken for sound", name)
		}
	}
}

// FuzzPack packs anything, with holes anywhere, and expands it.
func FuzzPack(f *testing.F) {
	text, holes := sample("x", 3)
	f.Add(text, holes[0].End, holes[1].End)
	k := NewPacker(narrow, wide)
	f.Fuzz(func(t *testing.T, text []byte, a, b int) {
		holes := []Hole{{0, a}, {1, b}}
		p := k.Pack(text, holes)
		if p == nil {
			return
		}
		got, _ := join(fillingsOf("base"), func(s *Stream) { s.Piece(p) })
		if expand(t, got) != filled(text, holes, fillingsOf("base")) {
			t.Error("the text came out wrong")
		}
	})
}

func BenchmarkPack(b *testing.B) {
	k := NewPacker(narrow, wide)
	text, holes := sample("hello", 12)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		k.Pack(text, holes)
	}
}

func BenchmarkPiece(b *testing.B) {
	text, holes := sample("hello", 12)
	p := NewPacker(narrow, wide).Pack(text, holes)
	out := NewBuffer(make([]byte, 0, 1<<20), io.Discard)
	with := fillingsOf("base")
	comma := []byte(",")
	b.ReportAllocs()
	for b.Loop() {
		s := Begin(out, with)
		for range 50 {
			s.Text(comma)
			s.Piece(p)
		}
		s.End()
		out.Flush()
	}
}
