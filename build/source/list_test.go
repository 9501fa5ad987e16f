package source

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLists(t *testing.T) {
	tree(t, "a.vsix", "lists/b.vsix", "lists/deep/c.vsix", "lists/#odd.vsix")
	write(t, "lists/one.txt", "\ufeff# a comment\r\n\r\n  b.vsix  \r\n../a.vsix\t# why\r\n./#odd.vsix\r\n@deep/two.txt\r\nmissing.vsix")
	write(t, "lists/deep/two.txt", "*.vsix\n@../one.txt\n")
	write(t, "lists/utf16.txt", "\xff\xfeb\x00.\x00v\x00s\x00i\x00x\x00\r\x00\n\x00")
	write(t, "empty.txt", "# nothing\n\n")
	write(t, "bad.txt", "a.vsix\nPK\x03\x04\n")
	write(t, "latin1.txt", "caf\xe9.vsix\n")
	write(t, "stdin.txt", "-\n")

	all := []string{"a.vsix", "lists/#odd.vsix", "lists/b.vsix", "lists/deep/c.vsix"}
	tests := map[string]struct {
		args     []string
		paths    []string
		problems []string
	}{
		"nested": {[]string{"@lists/one.txt"}, all, []string{
			"@lists/one.txt: the list contains itself: ROOT/lists/one.txt > ROOT/lists/deep/two.txt > ROOT/lists/one.txt (in lists/deep/two.txt:2)",
			"lists/missing.vsix: no such file or directory (in lists/one.txt:7)",
		}},
		"read once":     {[]string{"@lists/utf16.txt", "@lists/../lists/utf16.txt"}, []string{"lists/b.vsix"}, nil},
		"empty":         {[]string{"@empty.txt"}, nil, []string{"@empty.txt: the list contains no source"}},
		"binary":        {[]string{"@bad.txt"}, nil, []string{"@bad.txt: not a list: line 2 contains control characters"}},
		"neither UTF":   {[]string{"@latin1.txt"}, nil, []string{"@latin1.txt: not a list: neither UTF-8 nor UTF-16 text"}},
		"missing":       {[]string{"@nothing.txt"}, nil, []string{"@nothing.txt: no such file or directory"}},
		"remote":        {[]string{"@https://host/list.txt"}, nil, []string{"@https://host/list.txt: a list must be a local file; download it first"}},
		"stdin in list": {[]string{"@stdin.txt"}, nil, []string{"standard input: a list cannot contain it; write ./- for a file with the name - (in stdin.txt:1)"}},
	}
	root := realPath(".")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			paths, problems := expand(t, Config{}, tt.args...)
			for i := range problems {
				problems[i] = strings.ReplaceAll(problems[i], root, "ROOT")
			}
			wantList(t, "paths", paths, tt.paths...)
			wantList(t, "problems", problems, tt.problems...)
		})
	}
}

func TestStdin(t *testing.T) {
	tree(t, "a.vsix")
	paths, problems := expand(t, Config{Stdin: strings.NewReader("# from find\na.vsix\nb.zip\n")}, "-", "-")
	wantList(t, "paths", paths, "a.vsix")
	wantList(t, "problems", problems, "b.zip: no such file or directory (in standard input:3)")

	_, problems = expand(t, Config{}, "-")
	wantList(t, "problems without", problems, "standard input: it is not available")
}

func TestStdinPackage(t *testing.T) {
	tree(t)
	run := func() Item {
		items, problems, err := Expand(t.Context(), []string{"-"}, Config{Stdin: strings.NewReader(packageText), Downloads: "downloads"})
		if err != nil || len(problems) != 0 || len(items) != 1 {
			t.Fatal(items, problems, err)
		}
		return items[0]
	}
	first, second := run(), run()
	if first.Name != "standard input" || first.Size != int64(len(packageText)) {
		t.Errorf("got %+v", first)
	}
	if first != second {
		t.Errorf("the same package is %+v, then %+v", first, second)
	}
	wantFiles(t, "downloads", first.Path)

	_, problems := expand(t, Config{Stdin: strings.NewReader(packageText), Downloads: "small", MaxBytes: 5}, "-")
	wantList(t, "problems", problems, "standard input: the package is larger than the limit package-bytes of 5 B")
	wantFiles(t, "small")
}

func FuzzParseList(f *testing.F) {
	for _, seed := range []string{
		"a.vsix\nb.vsix\n", "# x\n\n a b.vsix # why\r\n", "https://h/x.vsix#frag", "\xff\xfea\x00\n\x00", "\xef\xbb\xbfa", "a\x00b", "\xe9", "a\u2028#b", "\t#", "@x\n-",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, err := ParseList(text)
		if err != nil {
			return
		}
		var again bytes.Buffer
		last := 0
		for _, l := range lines {
			if l.Text == "" || l.Text != strings.TrimSpace(l.Text) || strings.ContainsAny(l.Text, "\r\n") || l.Text[0] == '#' {
				t.Errorf("line %d is %q", l.Number, l.Text)
			}
			if l.Number <= last {
				t.Errorf("line %d after line %d", l.Number, last)
			}
			for ; last < l.Number-1; last++ {
				again.WriteString("\n")
			}
			fmt.Fprintf(&again, "%s\n", l.Text)
			last = l.Number
		}
		if twice, err := ParseList(again.Bytes()); err != nil || !slices.Equal(lines, twice) {
			t.Errorf("%q reads as %v, written out as %v (%v)", text, lines, twice, err)
		}
	})
}

// FuzzLists reads two lists that may contain each other, globs and packages. Reading must end, and
// each result must be a file in the folder.
func FuzzLists(f *testing.F) {
	f.Add([]byte("a.vsix\n@two.txt\n*.vsix"), []byte("@one.txt\nb.vsix # why"))
	f.Add([]byte("@one.txt\n@@one.txt\n-"), []byte("{a,b}*.vsix\n[a-\n**\n."))
	f.Add([]byte("\xff\xfe@\x00t\x00w\x00o\x00"), []byte("\x1b[2J.vsix\n\u202exisv"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		// Do not read other folders of this machine, or the network.
		if bytes.ContainsAny(append(one, two...), "/\\\x00") || bytes.Contains(append(one, two...), []byte("..")) {
			return
		}
		dir := t.TempDir()
		for name, text := range map[string]string{"one.txt": string(one), "two.txt": string(two), "a.vsix": packageText, "b.vsix": packageText} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		items, _, err := Expand(t.Context(), []string{"@" + filepath.Join(dir, "one.txt")}, Config{Stdin: strings.NewReader("")})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			if info, err := os.Stat(item.Path); err != nil || info.Size() != item.Size || !strings.HasPrefix(item.Path, realPath(dir)) {
				t.Errorf("found %+v (%v)", item, err)
			}
		}
	})
}
