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
)

// listBytes is the largest list that is read.
const listBytes = 16 << 20

// list expands @path.
func (x *expansion) list(s spec) {
	if scheme.MatchString(s.text[1:]) {
		x.problem(withoutSecrets(s.text), s.withOrigin(errors.New("a list must be a local file")))
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
		return fmt.Errorf("the list names itself: %s", strings.Join(append(x.lists[at:len(x.lists):len(x.lists)], real), " > "))
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

// lines expands a list's text.
func (x *expansion) lines(r io.Reader, name, dir string) error {
	text, err := io.ReadAll(io.LimitReader(r, listBytes+1))
	if err != nil {
		return err
	}
	if len(text) > listBytes {
		return fmt.Errorf("the list is larger than %d MiB", listBytes>>20)
	}
	lines, err := parseList(text)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return errors.New("the list names no source")
	}
	for _, l := range lines {
		x.expand(spec{text: l.text, dir: dir, from: fmt.Sprintf("%s:%d", name, l.number)})
	}
	return nil
}

// A line is one source of a list: not empty, without blanks around it.
type line struct {
	number int // from 1
	text   string
}

var comment = regexp.MustCompile(`(^|\s)#.*`)

// parseList reads a list. Windows PowerShell writes them in UTF-16. Text that no list has, such as that of a package, is
// an error.
func parseList(text []byte) ([]line, error) {
	text, _, err := transform.Bytes(utf16.BOMOverride(encoding.UTF8Validator), text)
	if err != nil {
		return nil, errors.New("not a list of sources: neither UTF-8 nor UTF-16 text")
	}
	var lines []line
	number := 0
	for raw := range bytes.Lines(text) {
		number++
		source := strings.ReplaceAll(string(raw), "\ufeff", "") // in the middle where lists were joined
		source = strings.TrimSpace(comment.ReplaceAllString(strings.TrimSpace(source), ""))
		if strings.ContainsFunc(source, notText) {
			return nil, fmt.Errorf("not a list of sources: line %d holds control characters", number)
		}
		if source != "" {
			lines = append(lines, line{number, source})
		}
	}
	return lines, nil
}

func notText(r rune) bool { return r != '\t' && unicode.IsControl(r) || r == utf8.RuneError }
