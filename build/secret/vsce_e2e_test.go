//go:build e2e

package secret

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"galbuild/cmd/e2e/toolchain"
)

var update = flag.Bool("update", false, "record the secrets that vsce finds")

const minimal = `{"name": "secrets", "publisher": "test", "version": "1.0.0", "engines": {"vscode": "^1.90.0"}}`

// A job is a folder for vsce to package.
type job struct {
	Dir     string         `json:"dir"`
	Options map[string]any `json:"options"` // of vsce's API
}

// folder makes a folder with these files and a package.json.
func folder(t *testing.T, files map[string][]byte, options map[string]any) job {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "package.json"), []byte(minimal))
	for name, content := range files {
		write(t, filepath.Join(dir, name), content)
	}
	return job{dir, options}
}

// vsce runs vsce package in each folder and returns its output.
func vsce(t *testing.T, folders ...job) []string {
	t.Helper()
	var printed []string
	tools := toolchain.Tools(t)
	tools.RunScript(t, folders, &printed, "testdata/record.js", filepath.Dir(tools.VSCE), t.TempDir())
	if len(printed) != len(folders) {
		t.Fatalf("%d results for %d folders", len(printed), len(folders))
	}
	return printed
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// vsce prints a secret as a line with a message and the rule, and a line with the position.
var printed = regexp.MustCompile(`(\[[\w-]+\])\n\t(.+)#(\d+:\d+)`)

// found returns the secrets in the output of vsce, as lines of want.
func found(out string) []string {
	var lines []string
	for _, m := range printed.FindAllStringSubmatch(out, -1) {
		name := strings.TrimPrefix(m[2], "extension/")
		if name == "readme.md" {
			name = "README.md"
		}
		lines = append(lines, fmt.Sprintf("%s:%s %s", name, m[3], m[1]))
	}
	slices.Sort(lines)
	return lines
}

// TestVsce compares the recorded secrets with those that vsce finds.
func TestVsce(t *testing.T) {
	cases := readCases(t)
	var folders []job
	for _, c := range cases {
		folders = append(folders, folder(t, c.files, nil))
	}
	printed := vsce(t, folders...)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := found(printed[i])
			if *update {
				record(t, c, got)
				return
			}
			var want []string
			for _, line := range c.want {
				if line[0] != '+' {
					want = append(want, strings.TrimPrefix(line, "-"))
				}
			}
			compare(t, got, want)
		})
	}
}

func record(t *testing.T, c testCase, vsce []string) {
	var b bytes.Buffer
	ours := c.scanAll()
	for _, line := range slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(ours), vsce...)))) {
		switch {
		case !slices.Contains(ours, line):
			b.WriteByte('-')
		case !slices.Contains(vsce, line):
			b.WriteByte('+')
		}
		b.WriteString(line + "\n")
	}
	path := filepath.Join("testdata", c.name+".txtar")
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	archive.Files[len(archive.Files)-1].Data = b.Bytes()
	write(t, path, txtar.Format(archive))
}

// An envCase is a file, and the same options for vsce and for Scan.
type envCase struct {
	name, content string
	allowed       map[string]any
	options       Options
}

func envCases() []envCase {
	var all []envCase
	for _, content := range []string{"", "A=1\n", "secretlint-disable\n", "# secretlint-disable\n"} {
		all = append(all, envCase{name: ".env", content: content})
	}
	for _, name := range []string{"a/.env", ".env.local", ".ENV", "a.env", ".env/a", "node_modules.d/.env"} {
		all = append(all, envCase{name: name})
	}
	return append(all,
		envCase{"b/.env", "", map[string]any{"allowPackageEnvFile": true}, Options{AllowEnv: true}},
		envCase{"c/.env", "", map[string]any{"allowPackageAllSecrets": true}, Options{AllowAll: true}},
		envCase{"d/.env", "", map[string]any{"allowPackageSecrets": []string{"no-dotenv"}}, Options{}},
	)
}

// TestVsceEnv tests .env files in folders of their own: vsce reports one only if it finds no
// other secret.
func TestVsceEnv(t *testing.T) {
	const message = ".env files should not be packaged"
	cases := envCases()
	var folders []job
	for _, c := range cases {
		folders = append(folders, folder(t, map[string][]byte{c.name: []byte(c.content)}, c.allowed))
	}
	for i, printed := range vsce(t, folders...) {
		c := cases[i]
		ours := len(Scan(c.name, []byte(c.content), c.options)) > 0
		if strings.Contains(printed, message) != ours {
			t.Errorf("%s of %q, %v: found %v, vsce printed\n%s", c.name, c.content, c.allowed, ours, printed)
		}
	}
}

// TestVsceRandom compares the secrets that vsce and Scan find in random texts of fragments of
// tokens.
func TestVsceRandom(t *testing.T) {
	fragments := []string{
		"npm_", "npm_{36}", "_", "-", ".", "=", `"`, "'", " ", "\n", "\r\n", "\r", "\u2028", "é", "😀", "{1}", "{20}", "{22}", "{36}", "{40}", "{43}", "{50}",
		"AWS_", "SECRET", "Secret", "_ACCESS_KEY", "AccessKey=", " => ", "xoxb-", "xoxb-{10}-{10}", "SG.", "SG.{22}.", "SG.{22}.{43}",
		"https://hooks.slack{}.com/services/", "T{8}/", "B{8}/", "shpat_", "shpat_{36}", "ghp_", "ghp_{36}", "github_pat_", "{82}", "sk-", "T3Blbk{}FJ", "lin_api_",
		"-----BEGIN {}PRIVATE KEY-----", "-----BEGIN RSA {}PRIVATE KEY-----", "-----END {}PRIVATE KEY-----", "-----END RSA {}PRIVATE KEY-----", "-----END ",
		"secretlint-disable", "secretlint-disable\n", "secretlint-enable\n", "secretlint-disable-line\n", "secretlint-disable-next-line\n",
		"secretlint-disable-next-line @secretlint/secretlint-rule-npm, @secretlint/secretlint-rule-aws\n", "secretlint-enable @secretlint/secretlint-rule-npm\n",
		"secretlint-disable @secretlint/secretlint-rule-npm\n", "ops_{json 120}", "fQ==", "{\\x01}", "{\\ufeff}",
	}
	random := rand.New(rand.NewPCG(1, 2))
	c := testCase{files: map[string][]byte{}}
	for i := range 1500 {
		var b strings.Builder
		for range 2 + random.IntN(20) {
			b.WriteString(fragments[random.IntN(len(fragments))])
		}
		c.files[fmt.Sprintf("%d%s", i, []string{".txt", ".unknown"}[i%2])] = expand(t, b.String())
	}
	got, want := c.scanAll(), found(vsce(t, folder(t, c.files, nil))[0])
	t.Logf("%d secrets", len(want))
	compare(t, got, want)
}
