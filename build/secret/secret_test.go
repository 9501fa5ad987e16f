package secret

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/tools/txtar"
)

// A testCase is a txtar of files and of the secrets in them. The files have placeholders, so
// that no secret scanner takes them for tokens:
//
//	{36}       36 letters and digits
//	{json 60}  60 bytes of JSON, in base64
//	{\r}       an escape of a Go string
//	{utf16}    at the beginning of a file: the file is in UTF-16LE
//	{base64}   at the beginning of a file: the rest is the file in base64
//	{cut}      at the end of a file: the file ends without a line break
//	{}         nothing
//
// The lines of want are file:line:column [rule], recorded from vsce. A leading minus marks
// a secret that only vsce reports, a plus one that only Scan does.
type testCase struct {
	name  string
	files map[string][]byte
	want  []string
}

func readCases(t testing.TB) []testCase {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var cases []testCase
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c := testCase{name: strings.TrimSuffix(filepath.Base(path), ".txtar"), files: map[string][]byte{}}
		for _, f := range archive.Files {
			if f.Name == "want" {
				c.want = strings.FieldsFunc(string(f.Data), func(r rune) bool { return r == '\n' })
				continue
			}
			c.files[f.Name] = expand(t, string(f.Data))
		}
		cases = append(cases, c)
	}
	return cases
}

var placeholder = regexp.MustCompile(`\{cut\}\n|\{json \d+\}|\{\d*\}|\{(?:\\[^}]+)+\}`)

func expand(t testing.TB, s string) []byte {
	t.Helper()
	if rest, ok := strings.CutPrefix(s, "{base64}"); ok {
		b, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	s, wide := strings.CutPrefix(s, "{utf16}")
	s = placeholder.ReplaceAllStringFunc(s, func(p string) string { return expandOne(t, p) })
	if !wide {
		return []byte(s)
	}
	b := []byte{0xFF, 0xFE}
	for _, unit := range utf16.Encode([]rune(s)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return b
}

func expandOne(t testing.TB, p string) string {
	inner := strings.Trim(p, "{}\n")
	if inner == "cut" || inner == "" {
		return ""
	}
	if size, ok := strings.CutPrefix(inner, "json "); ok {
		const empty = `{"a":""}`
		json := `{"a":"` + alphabet(atoi(t, size)-len(empty)) + `"}`
		return base64.StdEncoding.EncodeToString([]byte(json))
	}
	if inner[0] != '\\' {
		return alphabet(atoi(t, inner))
	}
	s, err := strconv.Unquote(`"` + inner + `"`)
	if err != nil {
		t.Fatalf("%s: %v", p, err)
	}
	return s
}

func atoi(t testing.TB, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// alphabet returns n letters and digits.
func alphabet(n int) string {
	const some = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z"
	return strings.Repeat(some, n/len(some)+1)[:n]
}

// scanAll returns the secrets that Scan finds, as lines of want.
func (c testCase) scanAll() []string {
	var lines []string
	for name, content := range c.files {
		for _, s := range Scan(name, content, Options{}) {
			lines = append(lines, line(name, s))
		}
	}
	slices.Sort(lines)
	return lines
}

// line returns a secret as a line of want.
func line(name string, s Secret) string {
	if s.Line == 0 {
		return name
	}
	return fmt.Sprintf("%s:%d:%d [%s]", name, s.Line, s.Column, s.Rule)
}

// TestScan compares the secrets that Scan finds with those that vsce found.
func TestScan(t *testing.T) {
	for _, c := range readCases(t) {
		t.Run(c.name, func(t *testing.T) {
			var want []string
			for _, line := range c.want {
				if line[0] != '-' {
					want = append(want, strings.TrimPrefix(line, "+"))
				}
			}
			slices.Sort(want)
			compare(t, c.scanAll(), want)
		})
	}
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	if len(want) == 0 {
		t.Error("no secrets in want")
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("not found: %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("found:     %s", line)
		}
	}
	if t.Failed() || len(got) == len(want) {
		return
	}
	t.Errorf("%d secrets, want %d", len(got), len(want))
}

func TestDescription(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       Secret
	}{
		{"a/b.js", "x npm_{36}", Secret{"npm", 1, 3, `access token of npm, "npm_aB3d…"`}},
		{"a.pem", "-----BEGIN RSA {}PRIVATE KEY-----\n{64}\n-----END RSA {}PRIVATE KEY-----",
			Secret{"privatekey", 1, 1, `private key, "-----BEGIN RSA PRIVATE KEY-----…"`}},
		{"a.sh", "\nAWS_SECRET_ACCESS_KEY='{40}'", Secret{"aws", 2, 1, `secret access key of AWS, "aB3d…"`}},
		{"a.sh", "https://hooks.slack{}.com/services/T{8}/B{8}/{24}",
			Secret{"slack", 1, 1, `incoming webhook of Slack, "https://hooks.slack.com/services/TaB3d…"`}},
		{"b/.env", "", Secret{DotEnv, 0, 0, "a .env file holds secrets"}},
	} {
		if found := Scan(c.name, expand(t, c.text), Options{}); !slices.Equal(found, []Secret{c.want}) {
			t.Errorf("%s: %+v, want %+v", c.name, found, c.want)
		}
	}
}

func TestOptions(t *testing.T) {
	env := expand(t, "npm_{36} ghp_{36}")
	for _, c := range []struct {
		o    Options
		want int
	}{
		{Options{}, 3},
		{Options{AllowEnv: true}, 2},
		{Options{AllowAll: true}, 1},
		{Options{AllowAll: true, AllowEnv: true}, 0},
		{Options{Allow: []string{"npm"}}, 2},
		{Options{Allow: Rules(), AllowEnv: true}, 0},
		{Options{Allow: []string{"no-dotenv"}}, 3},
	} {
		if found := Scan(".env", env, c.o); len(found) != c.want {
			t.Errorf("%+v: %v, want %d", c.o, found, c.want)
		}
	}
}

func TestRules(t *testing.T) {
	const want = "1password aws gcp github linear npm openai privatekey sendgrid shopify slack"
	if got := strings.Join(Rules(), " "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSkips(t *testing.T) {
	for name, want := range map[string]bool{
		"a.js": false, "LICENSE": false, "a.p12": false, "x.png/.env": false, ".env": false, "a.woff2": false, "a.PDF": false,
		"a.png": true, "a.SVG": true, "a.jPg": true, "node_modules/a.js": true, "node_modules/.env": true, "a.ttf": true, "a.zip": true,
		"a.svg.txt": false, "svg": false, "jpg": true,
	} {
		if got := Skips(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
		if found := Scan(name, expand(t, "npm_{36}"), Options{}); want != (len(found) == 0) && name != "a.p12" {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// TestPrefilter compares the prefilter with a search for each literal.
func TestPrefilter(t *testing.T) {
	for _, c := range readCases(t) {
		for name, text := range c.files {
			for shift := range 2 {
				text := append(make([]byte, shift), text...)
				got := map[string]bool{}
				filter().each(text, func(p, at int) {
					got[fmt.Sprintf("%d:%d", p, at)] = true
				})
				for p := range patterns {
					for _, literal := range patterns[p].literals {
						for at := range text {
							if key := fmt.Sprintf("%d:%d", p, at); strings.HasPrefix(string(text[at:min(len(text), at+20)]), literal) != got[key] && !otherLiteral(text[at:], p, literal) {
								t.Errorf("%s+%d: %q at %d: found %v", name, shift, literal, at, got[key])
							}
						}
					}
				}
			}
		}
	}
}

// otherLiteral reports whether text begins with a literal of p other than this one.
func otherLiteral(text []byte, p int, literal string) bool {
	return slices.ContainsFunc(patterns[p].literals, func(l string) bool {
		return l != literal && strings.HasPrefix(string(text[:min(len(text), 20)]), l)
	})
}

// FuzzScan passes any file to Scan. A secret has a rule, a position and a short description,
// and is not reported if it is allowed.
func FuzzScan(f *testing.F) {
	for _, c := range readCases(f) {
		for name, content := range c.files {
			f.Add(name, content)
		}
	}
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		found := Scan(name, content, Options{})
		if Skips(name) && len(found) > 0 {
			t.Errorf("%q is skipped, but Scan found %v", name, found)
		}
		for _, x := range found {
			if x.Description == "" || len(x.Description) > 1000 || (x.Line > 0) != (x.Rule != DotEnv) {
				t.Errorf("bad secret %+v", x)
			}
		}
		if left := Scan(name, content, Options{Allow: Rules(), AllowEnv: true}); len(left) > 0 {
			t.Errorf("allowed, but found: %v", left)
		}
	})
}
