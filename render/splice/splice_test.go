package splice

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// Widths of the two kinds of placeholders, in bytes.
const (
	narrow = 40
	wide   = 64
)

// valuesOf returns values that end in s.
func valuesOf(s string) []Value {
	spaces := strings.Repeat(" ", wide)
	return []Value{NewValue([]byte(spaces[:narrow-len(s)] + s)), NewValue([]byte(spaces[:wide-len(s)] + s))}
}

// sample returns JSON with placeholders for the address of the gallery.
func sample(name string, n int) (text []byte, placeholders []Placeholder) {
	text = append(text, `{"name":"`+name+`","files":[`...)
	for i := range n {
		kind := min(1, i%3)
		text = append(append(text, `{"source":`...), make([]byte, []int{narrow, wide}[kind])...)
		placeholders = append(placeholders, Placeholder{kind, len(text)})
		text = append(text, `/assets/`+name+`/1.0.0/Microsoft.VisualStudio.Code.Manifest"},`...)
	}
	return append(text, `],"description":"`+strings.Repeat(name, 9)+`"}`...), placeholders
}

func filled(text []byte, placeholders []Placeholder, values []Value) string {
	text = bytes.Clone(text)
	for _, h := range placeholders {
		b := values[h.Kind].bytes
		copy(text[h.End-len(b):h.End], b)
	}
	return string(text)
}

// expand decodes as the standard library does, which checks length and checksum.
func expand(t *testing.T, deflated []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(deflated))
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
func join(values []Value, write func(s *Stream)) (deflated []byte, ok bool) {
	var whole bytes.Buffer
	out := NewBuffer(make([]byte, 0, 100), &whole)
	s := Begin(out, values)
	write(&s)
	ok = s.End()
	out.Flush()
	return whole.Bytes(), ok
}

func TestStream(t *testing.T) {
	d := NewDeflater(narrow, wide)
	for _, base := range []string{"", `"`, `"https://host`, `"` + strings.Repeat("https://", 4) + "host/x"} {
		values := valuesOf(base)
		want := "["
		long := strings.Repeat("0123456789", 20_000)
		got, ok := join(values, func(s *Stream) {
			s.Text([]byte("["))
			for i, n := range []int{1, 0, 8, 300, 2} {
				text, placeholders := sample(strings.Repeat("日本é", i), n)
				p := d.Deflate(text, placeholders)
				if p == nil {
					t.Fatalf("%d placeholders: no fragment", n)
				}
				if i%2 == 0 { // a fragment after text, and one after a fragment
					s.Text([]byte(","))
					want += ","
				}
				s.Fragment(p)
				want += filled(text, placeholders, values)
			}
			s.Text([]byte(long))
		})
		if !ok {
			t.Fatalf("base %q: reported as damaged", base)
		}
		if text := expand(t, got); text != want+long {
			t.Errorf("base %q: got %d bytes, want %d, or the bytes differ", base, len(text), len(want+long))
		}
	}
}

func TestEmptyStream(t *testing.T) {
	got, ok := join(nil, func(*Stream) {})
	if text := expand(t, got); text != "" || !ok {
		t.Errorf("got %q, %t", text, ok)
	}
}

// TestDeflateRefuses compresses texts whose placeholders are wrong.
func TestDeflateRefuses(t *testing.T) {
	d := NewDeflater(narrow, wide)
	text, placeholders := sample("x", 3)
	first, second := placeholders[0], placeholders[1]
	for name, placeholders := range map[string][]Placeholder{
		"before the text": {{0, narrow - 1}},
		"after the text":  {{0, len(text) + 1}},
		"overlap":         {first, {1, first.End + wide - 1}},
		"descend":         {second, first},
		"unknown kind":    {{2, second.End}},
	} {
		if p := d.Deflate(text, placeholders); p != nil {
			t.Errorf("%s: got a fragment", name)
		}
	}
}

// TestDeflateMarks compresses a text that contains the bytes that placeholders are marked
// with. It may be refused, but must not be changed.
func TestDeflateMarks(t *testing.T) {
	d := NewDeflater(narrow, wide)
	text, placeholders := sample("x", 3)
	marks := make([]byte, wide)
	mark(marks, 1)
	text = append(append(text, marks...), marks[1:9]...)
	p := d.Deflate(text, placeholders)
	if p == nil {
		return
	}
	got, _ := join(valuesOf("base"), func(s *Stream) { s.Fragment(p) })
	if expand(t, got) != filled(text, placeholders, valuesOf("base")) {
		t.Error("the text was changed")
	}
}

// TestDeflateSucceeds compresses texts as they occur. Responses with a text that was refused
// would have to be compressed when they are written.
func TestDeflateSucceeds(t *testing.T) {
	d := NewDeflater(narrow, wide)
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		text, placeholders := sample(strings.Repeat(string(rune(r.IntN(0x2fff)+0x20)), r.IntN(200)), r.IntN(100))
		if d.Deflate(text, placeholders) == nil {
			t.Fatalf("no fragment of a text of %d bytes with %d placeholders", len(text), len(placeholders))
		}
	}
}

func TestDeflateTwice(t *testing.T) {
	d := NewDeflater(narrow, wide)
	text, placeholders := sample("hello", 5)
	first := d.Deflate(text, placeholders)
	for i := range 20 {
		d.Deflate(sample(strings.Repeat("another ", i), i))
	}
	if !bytes.Equal(d.Deflate(text, placeholders), first) || !bytes.Equal(NewDeflater(narrow, wide).Deflate(text, placeholders), first) {
		t.Error("the same text gave different bytes")
	}
}

// FuzzFragment checks that joining a damaged fragment does not panic.
func FuzzFragment(f *testing.F) {
	text, placeholders := sample("x", 3)
	f.Add([]byte(NewDeflater(narrow, wide).Deflate(text, placeholders)))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		join(valuesOf("base"), func(s *Stream) { s.Text([]byte("[")); s.Fragment(Fragment(b)) })
	})
}

func TestDamaged(t *testing.T) {
	text, placeholders := sample("x", 3)
	sound := NewDeflater(narrow, wide).Deflate(text, placeholders)
	for name, change := range map[string]func(p Fragment) Fragment{
		"nothing":     func(Fragment) Fragment { return nil },
		"cut":         func(p Fragment) Fragment { return p[:headerSize-1] },
		"cuts":        func(p Fragment) Fragment { p[cutsField+1] = 99; return p },
		"kind":        func(p Fragment) Fragment { p[headerSize] = 2; return p },
		"part":        func(p Fragment) Fragment { p[headerSize+6] = 1; return p },
		"second part": func(p Fragment) Fragment { p[headerSize+cutSize+6] = 1; return p },
	} {
		if _, ok := join(valuesOf("base"), func(s *Stream) { s.Fragment(change(bytes.Clone(sound))) }); ok {
			t.Errorf("%s: not reported as damaged", name)
		}
	}
}

// FuzzDeflate compresses any text, with placeholders anywhere, and expands it.
func FuzzDeflate(f *testing.F) {
	text, placeholders := sample("x", 3)
	f.Add(text, placeholders[0].End, placeholders[1].End)
	d := NewDeflater(narrow, wide)
	f.Fuzz(func(t *testing.T, text []byte, a, b int) {
		placeholders := []Placeholder{{0, a}, {1, b}}
		p := d.Deflate(text, placeholders)
		if p == nil {
			return
		}
		got, _ := join(valuesOf("base"), func(s *Stream) { s.Fragment(p) })
		if expand(t, got) != filled(text, placeholders, valuesOf("base")) {
			t.Error("the text was changed")
		}
	})
}

func BenchmarkDeflate(b *testing.B) {
	d := NewDeflater(narrow, wide)
	text, placeholders := sample("hello", 12)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		d.Deflate(text, placeholders)
	}
}

func BenchmarkFragment(b *testing.B) {
	text, placeholders := sample("hello", 12)
	p := NewDeflater(narrow, wide).Deflate(text, placeholders)
	out := NewBuffer(make([]byte, 0, 1<<20), io.Discard)
	values := valuesOf("base")
	comma := []byte(",")
	b.ReportAllocs()
	for b.Loop() {
		s := Begin(out, values)
		for range 50 {
			s.Text(comma)
			s.Fragment(p)
		}
		s.End()
		out.Flush()
	}
}
