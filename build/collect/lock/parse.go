package lock

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	json2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"galbuild/build/catalog"
	"galbuild/build/jsondoc"
)

// MaxText is the limit of the text of a lock, in bytes. An entry needs about a kilobyte.
const MaxText = 256 << 20

// Parse parses the text of a lock. Its errors name the line.
func Parse(text []byte) (*Lock, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("has %d bytes, more than the limit of %d", len(text), MaxText)
	}
	if line := conflict(text); line > 0 {
		return nil, fmt.Errorf("line %d: a conflict of a merge is not resolved", line)
	}
	p := &parser{text: text, decoder: jsontext.NewDecoder(bytes.NewBuffer(text)), lock: new(Lock)}
	if err := p.document(); err != nil {
		return nil, p.explain(err)
	}
	return p.lock, p.checkAll()
}

var conflictMark = regexp.MustCompile(`(?m)^(?:<{7}|={7}|>{7})(?: |\r?$)`)

// conflict returns the line of the first mark that git leaves in a file when a merge fails, or 0.
func conflict(text []byte) int {
	if at := conflictMark.FindIndex(text); at != nil {
		return lineOf(text, int64(at[0]))
	}
	return 0
}

// lineOf returns the line of a byte, counted from 1.
func lineOf(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:min(max(offset, 0), int64(len(text)))], []byte("\n"))
}

// A parser parses a lock. The lists of lines have the line of each item.
type parser struct {
	text    []byte
	decoder *jsontext.Decoder
	lock    *Lock

	entries, companions []int
}

// explain adds the line to an error, and rewords it.
func (p *parser) explain(err error) error {
	if wrong, ok := errors.AsType[*json2.SemanticError](err); ok {
		return fmt.Errorf("line %d: %s", lineOf(p.text, p.decoder.InputOffset()), explainValue(wrong))
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return fmt.Errorf("line %d: a key occurs twice", lineOf(p.text, p.decoder.InputOffset()))
	}
	if _, ok := errors.AsType[*jsontext.SyntacticError](err); ok || err == io.EOF || err == io.ErrUnexpectedEOF {
		return jsondoc.Explain(p.text, err)
	}
	return err
}

// explainValue returns the text of an error about a value that has another type than its key.
func explainValue(wrong *json2.SemanticError) string {
	key := wrong.JSONPointer.LastToken()
	switch {
	case errors.Is(wrong, json2.ErrUnknownName):
		return fmt.Sprintf("the key %q is not known", key)
	case wrong.Err != nil:
		return fmt.Sprintf("%q is invalid: %v", key, wrong.Err)
	}
	return fmt.Sprintf("%q has a value of the wrong type, %s", key, wrong.JSONKind)
}

// document reads the whole text.
func (p *parser) document() error {
	if kind := p.decoder.PeekKind(); kind != '{' && kind > 0 {
		return errors.New(`line 1: want an object that begins with {"galbuildLock":1`)
	}
	if _, err := p.decoder.ReadToken(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.decoder.PeekKind() != '}' {
		token, err := p.decoder.ReadToken()
		if err != nil {
			return err
		}
		key := token.String()
		if err := p.member(key, len(seen) == 0); err != nil {
			return err
		}
		seen[key] = true
	}
	if _, err := p.decoder.ReadToken(); err != nil {
		return err
	}
	if len(seen) == 0 {
		return errors.New("line 1: the key galbuildLock is missing, so this is not a lock")
	}
	if _, err := p.decoder.ReadToken(); err != io.EOF {
		return fmt.Errorf("line %d: something follows the end of the lock", p.line())
	}
	return nil
}

// member reads the value of a key. The first must be the number of the format.
func (p *parser) member(key string, isFirst bool) error {
	if isFirst != (key == "galbuildLock") {
		return fmt.Errorf("line %d: the first key is %q, want galbuildLock", p.line(), key)
	}
	switch key {
	case "galbuildLock":
		return p.format()
	case "settings":
		return p.value(&p.lock.Settings)
	case "requests":
		_, err := list(p, &p.lock.Requests)
		return err
	case "entries":
		lines, err := list(p, &p.lock.Entries)
		p.entries = lines
		return err
	case "companions":
		lines, err := list(p, &p.lock.Companions)
		p.companions = lines
		return err
	}
	return fmt.Errorf("line %d: the key %q is not known%s", p.line(), key, newer)
}

// newer follows the error of a lock that a later program may have written.
const newer = "; is the lock of a newer galbuild?"

func (p *parser) format() error {
	value, err := p.decoder.ReadValue()
	if err != nil {
		return err
	}
	if got := string(value); got != strconv.Itoa(Format) {
		return fmt.Errorf("line %d: the format of the lock is %.40s, this galbuild reads %d%s", p.line(), got, Format, newer)
	}
	return nil
}

func (p *parser) line() int { return lineOf(p.text, p.decoder.InputOffset()) }

func (p *parser) value(to any) error {
	return json2.UnmarshalDecode(p.decoder, to, json2.RejectUnknownMembers(true))
}

// list reads a list, and returns the line of each item.
func list[T any](p *parser, to *[]T) (lines []int, err error) {
	token, err := p.decoder.ReadToken()
	if err != nil {
		return nil, err
	}
	if token.Kind() != '[' {
		return nil, fmt.Errorf("line %d: want a list", p.line())
	}
	line, at := 1, int64(0)
	for p.decoder.PeekKind() != ']' {
		var item T
		if err := p.value(&item); err != nil {
			return nil, err
		}
		end := p.decoder.InputOffset()
		line += bytes.Count(p.text[at:end], []byte("\n"))
		at = end
		*to, lines = append(*to, item), append(lines, line)
	}
	_, err = p.decoder.ReadToken()
	return lines, err
}

// checkAll checks the values of all entries and companions, and their order.
func (p *parser) checkAll() error {
	names := map[string]bool{}
	for i := range p.lock.Entries {
		e := &p.lock.Entries[i]
		if err := e.Check(); err != nil {
			return fmt.Errorf("line %d: %w", p.entries[i], err)
		}
		name := strings.ToLower(e.Name())
		if names[name] {
			return fmt.Errorf("line %d: %s occurs twice", p.entries[i], e)
		}
		names[name] = true
	}
	var paths []string
	for i, c := range p.lock.Companions {
		if err := c.Check(); err != nil {
			return fmt.Errorf("line %d: %w", p.companions[i], err)
		}
		paths = append(paths, c.Path)
	}
	if err := catalog.CheckCompanionPaths(paths); err != nil {
		return fmt.Errorf("companions: %w", err)
	}
	slices.SortFunc(p.lock.Entries, Compare)
	slices.SortFunc(p.lock.Companions, func(a, b Companion) int { return strings.Compare(a.Path, b.Path) })
	return p.lock.Settings.check()
}
