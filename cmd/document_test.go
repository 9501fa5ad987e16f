package cmd_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// A shape has the keys of a JSON document, as paths such as versions[].package.size, and the types
// of their values.
type shape map[string]string

func shapeOf(value any) shape {
	s := make(shape)
	s.add("", value)
	return s
}

func (s shape) add(path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		s[path] = "object"
		for key, v := range value {
			s.add(strings.TrimPrefix(path+"."+key, "."), v)
		}
	case []any:
		s[path] = "list"
		for _, v := range value {
			s.add(path+"[]", v)
		}
	default:
		s[path] = fmt.Sprintf("%T", value)
	}
}

// parent returns the path of the object that has a key, or of the list that has an item.
func parent(path string) string {
	if list, ok := strings.CutSuffix(path, "[]"); ok {
		return list
	}
	return path[:max(strings.LastIndex(path, "."), 0)]
}

// A sample is a document of cmd/README.md.
type sample struct {
	shape    shape
	optional map[string]bool // keys that may be missing, whatever their path
}

// isFree reports whether a path is below an empty list or object of the sample, which stands for
// any content.
func (s sample) isFree(path string) bool {
	for at := path; at != ""; {
		at = parent(at)
		kind, ok := s.shape[at]
		if !ok {
			continue
		}
		for other := range s.shape {
			if other != at && parent(other) == at {
				return false
			}
		}
		return kind == "list" || kind == "object"
	}
	return false
}

// compare returns how a document differs from the sample.
func (s sample) compare(got shape) (problems []string) {
	for path, kind := range got {
		if s.isFree(path) {
			continue
		}
		if want, ok := s.shape[path]; !ok {
			problems = append(problems, path+" is not documented")
		} else if want != kind {
			problems = append(problems, fmt.Sprintf("%s is a %s, documented is a %s", path, kind, want))
		}
	}
	for path := range s.shape {
		key := path[strings.LastIndex(path, ".")+1:]
		if path == "" || strings.HasSuffix(path, "[]") || s.optional[key] {
			continue
		}
		_, has := got[path]
		if _, hasParent := got[parent(path)]; hasParent && !has {
			problems = append(problems, path+" is documented and missing")
		}
	}
	slices.Sort(problems)
	return problems
}

var (
	comment     = regexp.MustCompile(` // .*`)
	optionalKey = regexp.MustCompile(`^ *"(\w+)":.* // only `)
	optionalOf  = regexp.MustCompile(` // (\w+): only `)
)

// parseSample reads JSON with comments. A key may be missing if the comment in its line begins
// with "only". In a line with several keys, the comment begins with the name of the key, a colon
// and "only".
func parseSample(text string) (sample, error) {
	s := sample{optional: make(map[string]bool)}
	for line := range strings.Lines(text) {
		for _, pattern := range []*regexp.Regexp{optionalKey, optionalOf} {
			if found := pattern.FindStringSubmatch(line); found != nil {
				s.optional[found[1]] = true
			}
		}
	}
	var value any
	if err := json.Unmarshal([]byte(comment.ReplaceAllString(text, "")), &value); err != nil {
		return s, err
	}
	s.shape = shapeOf(value)
	return s, nil
}

// samples returns the samples of cmd/README.md, by their headings.
func samples() (map[string]sample, error) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		return nil, err
	}
	all := make(map[string]sample)
	for _, section := range strings.Split(string(text), "\n### ")[1:] {
		heading, rest, _ := strings.Cut(section, "\n")
		if _, block, ok := strings.Cut(rest, "```jsonc\n"); ok {
			block, _, _ = strings.Cut(block, "```")
			if all[heading], err = parseSample(block); err != nil {
				return nil, fmt.Errorf("%s: %w", heading, err)
			}
		}
	}
	return all, nil
}

// document compares the keys of the JSON document on stdout with the sample below a heading of
// cmd/README.md: document [-failed] HEADING. With -failed, the document must begin with an error,
// and the other keys are compared unless there are none. Text before the document, such as the
// status that the command request prints, is ignored.
func document(ts *testscript.TestScript, neg bool, args []string) {
	failed := len(args) > 0 && args[0] == "-failed"
	if failed {
		args = args[1:]
	}
	if neg || len(args) == 0 {
		ts.Fatalf("usage: document [-failed] HEADING")
	}
	all, err := samples()
	ts.Check(err)
	heading := strings.Join(args, " ")
	s, ok := all[heading]
	if !ok {
		ts.Fatalf("cmd/README.md has no sample below %q", heading)
	}
	text := ts.ReadFile("stdout")
	var got map[string]any
	if err := json.Unmarshal([]byte(text[max(strings.Index(text, "{"), 0):]), &got); err != nil {
		ts.Fatalf("stdout is not one JSON object: %v", err)
	}
	if failed {
		problems := all["A command that fails"].compare(shapeOf(withError(got)))
		if !strings.HasPrefix(text, "{\n  \"error\": ") || len(problems) > 0 {
			ts.Fatalf("the document of a command that failed does not begin with an error and a hint: %v", problems)
		}
		delete(got, "error")
		delete(got, "hint")
	}
	if failed && len(got) == 0 {
		return
	}
	if problems := s.compare(shapeOf(got)); len(problems) > 0 {
		ts.Fatalf("%s:\n%s", heading, strings.Join(problems, "\n"))
	}
}

// withError returns the error and the hint of a document.
func withError(got map[string]any) any {
	begin := make(map[string]any)
	for _, key := range []string{"error", "hint"} {
		if v, ok := got[key]; ok {
			begin[key] = v
		}
	}
	return begin
}

// TestSamples checks that a script compares each sample of cmd/README.md with what is printed.
func TestSamples(t *testing.T) {
	all, err := samples()
	if err != nil || len(all) < 20 {
		t.Fatalf("%d samples, %v", len(all), err)
	}
	delete(all, "A command that fails") // part of the others
	scripts, err := filepath.Glob(filepath.Join("..", "testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(strings.NewReader(string(text))); lines.Scan(); {
			if heading, ok := strings.CutPrefix(lines.Text(), "document "); ok {
				delete(all, strings.ReplaceAll(heading, "'", ""))
			}
		}
	}
	if len(all) > 0 {
		t.Errorf("no script compares %q", slices.Sorted(maps.Keys(all)))
	}
}

// TestCompare checks that a renamed, a missing and an additional key are noticed.
func TestCompare(t *testing.T) {
	s, err := parseSample(`{
  "a": [{"b": 1, "url": "https://host"}], // of c
  "d": true, // only if e
  "f": {}
}`)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{"a": [], "f": {"g": [1]}}`:                        "",
		`{"a": [{"b": 2, "url": ""}], "d": false, "f": {}}`: "",
		`{"f": {}}`:            "a is documented and missing",
		`{"a": null, "f": {}}`: "a is a <nil>, documented is a list",
		`{"a": [{"b": "2", "url": ""}], "f": {}}`: "a[].b is a string, documented is a float64",
		`{"a": [{"c": 2, "url": ""}], "f": {}}`:   "a[].b is documented and missing; a[].c is not documented",
		`{"a": [], "e": 1, "f": {}}`:              "e is not documented",
	} {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(s.compare(shapeOf(value)), "; "); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
