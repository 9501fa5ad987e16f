package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	utf16 "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"galbuild/build/download"
)

// listBytes is the limit of a list, in bytes.
const listBytes = 16 << 20

// list expands @path.
func (x *expansion) list(s spec) {
	if scheme.MatchString(s.text[1:]) {
		err := errors.New("a list must be a local file; download it first")
		x.problem(download.WithoutSecrets(s.text), s.withOrigin(err))
		return
	}
	path := s.path(s.text[1:])
	if err := x.readList(path); err != nil {
		x.problem("@"+path, s.withOrigin(withoutPath(err)))
	}
}

func (x *expansion) readList(path string) error {
	real := realPath(path)
	if at := slices.Index(x.lists, real); at >= 0 {
		cycle := append(x.lists[at:len(x.lists):len(x.lists)], real)
		return fmt.Errorf("the list contains itself: %s", strings.Join(cycle, " > "))
	}
	if x.listed[real] {
		return nil
	}
	x.listed[real] = true
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	x.lists = append(x.lists, real)
	defer func() { x.lists = x.lists[:len(x.lists)-1] }()
	return x.lines(file, path, filepath.Dir(path))
}

// lines expands the text of a list. Paths in it are relative to dir.
func (x *expansion) lines(r io.Reader, name, dir string) error {
	text, err := io.ReadAll(io.LimitReader(r, listBytes+1))
	if err != nil {
		return err
	}
	if len(text) > listBytes {
		return fmt.Errorf("the list is larger than %d MiB", listBytes>>20)
	}
	lines, err := ParseList(text)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return errors.New("the list contains no source")
	}
	for _, l := range lines {
		x.expand(spec{text: l.Text, dir: dir, from: fmt.Sprintf("%s:%d", name, l.Number)})
	}
	return nil
}

// A Line is a line of a list. Its text is not empty and has no white space around it.
type Line struct {
	Number int // counted from 1
	Text   string
}

var comment = regexp.MustCompile(`(^|\s)#.*`)

// ParseList reads a list in UTF-8, or in UTF-16, as Windows PowerShell writes it. Control
// characters are an error: the file is probably not a list, but a package.
func ParseList(text []byte) ([]Line, error) {
	text, _, err := transform.Bytes(utf16.BOMOverride(encoding.UTF8Validator), text)
	if err != nil {
		return nil, errors.New("not a list: neither UTF-8 nor UTF-16 text")
	}
	var lines []Line
	number := 0
	for raw := range bytes.Lines(text) {
		number++
		// Lists that were joined have byte order marks in the middle.
		source := strings.ReplaceAll(string(raw), "\ufeff", "")
		source = strings.TrimSpace(comment.ReplaceAllString(strings.TrimSpace(source), ""))
		if strings.ContainsFunc(source, isNotText) {
			return nil, fmt.Errorf("not a list: line %d contains control characters", number)
		}
		if source != "" {
			lines = append(lines, Line{number, source})
		}
	}
	return lines, nil
}

func isNotText(r rune) bool { return r != '\t' && unicode.IsControl(r) || r == utf8.RuneError }
