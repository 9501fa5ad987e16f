package history_test

import (
	"testing"

	"galbuild/build/history"
)

// FuzzParseHead checks that a head is only parsed from the file that it returns, and that no
// file is trusted that the key has not signed.
func FuzzParseHead(f *testing.F) {
	signer, key := newKey(f)
	other, _ := newKey(f)
	for _, e := range newHistory(f, 3, 0) {
		f.Add(e.Head().File())
		f.Add(sign(f, e.Head(), other).File())
	}
	signed := sign(f, newHistory(f, 5, 0)[4].Head(), signer)
	f.Add(append(signed.File(), '\n'))
	f.Fuzz(func(t *testing.T, file []byte) {
		h, err := history.ParseHead(file)
		if err != nil {
			return
		}
		if string(h.File()) != string(file) {
			t.Errorf("%q is the same head as %q", file, h.File())
		}
		if h.Verify(key) == nil && !h.Same(signed) {
			t.Errorf("trusted: %q", file)
		}
	})
}

// FuzzParseEntry checks that the entry after any entry can be parsed, and that both are consistent.
func FuzzParseEntry(f *testing.F) {
	for _, e := range newHistory(f, 5, 0) {
		f.Add(e.Text())
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := history.ParseEntry(text)
		if err != nil || e.Number == 1<<63-1 {
			return
		}
		next, head, err := history.Append(e, newEntry(1, "build"))
		if err != nil {
			t.Fatal(err)
		}
		if next, err = history.ParseEntry(next.Text()); err != nil {
			t.Fatal(err)
		}
		if err := history.Consistent(e.Head(), head, sequence([]*history.Entry{next})); err != nil {
			t.Error(err)
		}
		if parsed, err := history.ParseHead(head.File()); err != nil || parsed != head {
			t.Errorf("%+v: %+v, %v", head, parsed, err)
		}
	})
}
