package terminal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestWriter(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, part := range []string{"a\tb\x1b[2J\n", "\xe2", "\x80", "\xae\xc3", "\xa9 \xff", "\xf0\x9f", "\x91\x8d end\n"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if want := "a\tb\\u001b[2J\n\\u202eé \\xff👍 end\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// TestOutputError checks that the error does not name the file that the output goes to.
func TestOutputError(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "closed"))
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	_, err = Fprintln(NewWriter(file), "x")
	if _, ok := errors.AsType[*OutputError](err); !ok || err.Error() != "the output cannot be written: file already closed" || !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := Document(NewWriter(file), "x"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

type named string

func (n named) String() string { return string(n) }

// TestFprintf checks that arguments cannot begin a new line.
func TestFprintf(t *testing.T) {
	var b bytes.Buffer
	Fprintf(&b, "%s: %v, %s, %d\n", "x\ngalbuild: error", errors.New("a\tb"), named("\x07"), 5)
	Fprintln(&b, "c\rd", 6)
	if want := "x\\u000agalbuild: error: a\\u0009b, \\u0007, 5\nc\\u000dd 6\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// TestDocument checks that a readme written to a file is not changed.
func TestDocument(t *testing.T) {
	var b bytes.Buffer
	text := "# a\r\n\x1b[31mred\xff"
	if err := Document(NewWriter(&b), text); err != nil || b.String() != text {
		t.Errorf("%q, %v; want %q", b.String(), err, text)
	}
	if Is(NewWriter(&b)) {
		t.Error("a buffer is taken for a terminal")
	}
}
