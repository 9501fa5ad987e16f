package readme

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/tools/txtar"
)

// A sample is a text and the result of vsce 4.1.0. In testdata/*.txtar its files are
//
//	NAME/options  Options as JSON; if missing, the zero value
//	NAME/in       the text, or NAME/in.quoted as a Go string if txtar cannot represent it
//	NAME/out      the text from vsce, or .quoted; NAME/same if it is the same as NAME/in
//	NAME/error    the error of vsce, instead of a text
type sample struct {
	name      string
	given     string  // NAME/options
	options   Options // parsed from given
	in        string
	out, fail string // fail is the error; "" if there is a text
}

func readCases(t *testing.T, file string) []sample {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []sample
	for _, f := range archive.Files {
		name, kind := filepath.Split(f.Name)
		if len(cases) == 0 || cases[len(cases)-1].name != name {
			cases = append(cases, sample{name: name})
		}
		if err := cases[len(cases)-1].read(kind, string(f.Data)); err != nil {
			t.Fatalf("%s: %s: %v", file, f.Name, err)
		}
	}
	return cases
}

func (c *sample) read(kind, data string) (err error) {
	kind, quoted := strings.CutSuffix(kind, ".quoted")
	if quoted {
		if data, err = strconv.Unquote(strings.TrimSpace(data)); err != nil {
			return err
		}
	}
	switch kind {
	case "options":
		c.given = data
		return json.Unmarshal([]byte(data), &c.options)
	case "in":
		c.in = data
	case "out":
		c.out = data
	case "same":
		c.out = c.in
	case "error":
		c.fail = strings.TrimSuffix(data, "\n")
	}
	return nil
}

func (c sample) files() []txtar.File {
	var files []txtar.File
	add := func(kind, data string) { files = append(files, txtar.File{Name: c.name + kind, Data: []byte(data)}) }
	addText := func(kind, data string) {
		if plain(data) {
			add(kind, data)
		} else {
			add(kind+".quoted", strconv.Quote(data)+"\n")
		}
	}
	if c.given != "" {
		add("options", c.given)
	}
	addText("in", c.in)
	switch {
	case c.fail != "":
		add("error", c.fail+"\n")
	case c.out == c.in:
		add("same", "")
	default:
		addText("out", c.out)
	}
	return files
}

// plain reports whether txtar can represent the text, and all of its characters are visible.
func plain(s string) bool {
	invisible := func(r rune) bool { return r != '\n' && r != '\t' && !strconv.IsPrint(r) }
	return utf8.ValidString(s) && strings.HasSuffix(s, "\n") && !strings.Contains("\n"+s, "\n-- ") && !strings.ContainsFunc(s, invisible)
}

// caseFiles returns the paths of the files with samples.
func caseFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata/*.txtar: %d files, %v", len(files), err)
	}
	return files
}
