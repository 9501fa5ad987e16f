package galbuild

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// parsePackage returns the command that a command line of package makes.
func parsePackage(t *testing.T, args ...string) (*packageCmd, error) {
	t.Helper()
	var c packageCmd
	parser, err := kong.New(&c, kong.Exit(func(int) { t.Fatal("exits") }))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return &c, err
}

func TestSeveralWords(t *testing.T) {
	for line, want := range map[string]string{
		"--allow-package-secrets npm slack ext":                           "npm slack; ext",
		"--allow-package-secrets npm,slack":                               "npm slack; ",
		"--allow-package-secrets npm --allow-package-secrets slack":       "npm slack; ",
		"--allow-package-secrets=unknown npm --skip-license":              "unknown npm; ",
		"ext --allow-package-secrets npm 1.2.3":                           "npm; ext 1.2.3",
		"--allow-package-secrets github --skip-license npm --pre-release": "github; npm",
	} {
		c, err := parsePackage(t, strings.Fields(line)...)
		got := strings.Join(c.AllowSecrets, " ") + "; " + strings.TrimSpace(c.Dir+" "+c.Version)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", line, got, err, want)
		}
	}
	if _, err := parsePackage(t, "--allow-package-secrets"); err == nil {
		t.Error("a flag without its word is accepted")
	}
}

func TestYesAndNo(t *testing.T) {
	for line, want := range map[string]string{
		"":                             "unset unset",
		"--dependencies --yarn":        "true true",
		"--no-dependencies --no-yarn":  "false false",
		"--yarn --no-dependencies ext": "false true",
	} {
		c, err := parsePackage(t, strings.Fields(line)...)
		got := valueOf(c.Dependencies) + " " + valueOf(c.Yarn)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", line, got, err, want)
		}
	}
}

func valueOf(b *bool) string {
	if b == nil {
		return "unset"
	}
	return fmt.Sprint(*b)
}

func TestSettings(t *testing.T) {
	c, err := parsePackage(t, "--no-dependencies", "--readme-path", "flag.md")
	if err != nil {
		t.Fatal(err)
	}
	warnings := applySettings(object(t, `{
		"dependencies": true, "readmePath": "setting.md", "baseContentUrl": "https://a.example", "yarn": false, "preRelease": true,
		"allowPackageSecrets": ["npm"], "packagedDependencies": ["a"], "target": "web", "pat": "mine"}`), c.keys())
	if len(warnings) > 0 {
		t.Errorf("found %v", warnings)
	}
	got := fmt.Sprint(valueOf(c.Dependencies), c.ReadmePath, c.BaseContentURL, valueOf(c.Yarn), valueOf(c.PreRelease), c.AllowSecrets, c.only, c.Target)
	if want := "falseflag.mdhttps://a.examplefalsetrue[npm] [a]web"; strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWrongSettings(t *testing.T) {
	var c packageCmd
	warnings := applySettings(object(t, `{"readmepath": "x", "dependencies": "no", "readmePath": 5, "allowPackageSecrets": "npm", "gitTagVersion": false}`), c.keys())
	var got []string
	for _, f := range warnings {
		if !f.Warning {
			t.Errorf("%v is an error", f)
		}
		got = append(got, f.String())
	}
	want := []string{
		`package.json: vsce.allowPackageSecrets: want a list of strings, got "npm"`,
		`package.json: vsce.dependencies: want true or false, got "no"`,
		`package.json: vsce.gitTagVersion: has no effect in package.json, as with vsce`,
		`package.json: vsce.readmePath: want a string, got 5`,
		`package.json: vsce.readmepath: no such setting`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if c.Dependencies != nil || c.ReadmePath != "" || c.NoGitTag {
		t.Errorf("something was set: %+v", c)
	}
}

func object(t *testing.T, text string) (o map[string]json.RawMessage) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestBelow(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{
		"": "", "a.md": "a.md", "./docs/a.md": "docs/a.md", "docs//a.md": "docs/a.md",
		filepath.Join(dir, "docs", "a.md"): "docs/a.md",
		"../a.md":                          "refused", "docs/../../a.md": "refused", filepath.Dir(dir): "refused",
	} {
		got, err := below(dir, "--readme-path", name)
		if err != nil {
			got = "refused"
		}
		if got != want {
			t.Errorf("%s: got %q, want %q (%v)", name, got, want, err)
		}
	}
}

func TestSourceDate(t *testing.T) {
	for s, want := range map[string]string{
		"": "0001-01-01", "0": "1970-01-01", "1767225600": "2026-01-01", "-1": "", "1.5": "", "now": "", "99999999999999999999": "",
	} {
		t.Setenv("SOURCE_DATE_EPOCH", s)
		at, err := sourceDate()
		if (err == nil) != (want != "") || err == nil && at.Format("2006-01-02") != want {
			t.Errorf("%q: got %v, %v", s, at, err)
		}
	}
}
