//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

// TestCompletion completes command lines of both programs in zsh and fish. Package completion
// tests bash.
func TestCompletion(t *testing.T) {
	tools, c := toolchain.Tools(t), compile(t, filepath.Join(t.TempDir(), "bin"))
	shells := shells{folder: t.TempDir(), path: filepath.Dir(c.galbuild)}
	if err := os.Mkdir(filepath.Join(shells.folder, "site"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Run("zsh", func(t *testing.T) {
		shells.compare(t, exec.Command(tools.Zsh, "-f", "-c", zshScript), zshOutput)
	})
	t.Run("fish", func(t *testing.T) {
		shells.compare(t, exec.Command(tools.Fish, "--no-config", "-c", fishScript), fishOutput)
	})
}

// shells runs shells in a folder with the programs in PATH.
type shells struct{ folder, path string }

// compare compares what a shell prints.
func (s shells) compare(t *testing.T, shell *exec.Cmd, want string) {
	t.Helper()
	shell.Dir = s.folder
	shell.Env = append(os.Environ(), "PATH="+s.path+string(filepath.ListSeparator)+os.Getenv("PATH"), "HOME="+t.TempDir(), "LANG=C.UTF-8")
	out, err := shell.CombinedOutput()
	if got := string(out); err != nil || got != want {
		t.Errorf("%v, got\n%swant\n%s", err, got, want)
	}
}

// zsh has its completion system only at a terminal, so the script calls functions of the same
// names that print their arguments.
const zshScript = `
compdef() { print "$*" }
_describe() { print -l -- "${(@P)2}" }
compset() { print "without $2" }
_files() { print files }
for program in galbuild galshim; do source <($program completion zsh); done
try() { words=("$@"); CURRENT=$#; print "> $*"; _$1 }
try galbuild conf
try galbuild config vscodi
try galbuild build --unpack=
try galbuild import --trust=s
try galshim --log-format ''
`

const zshOutput = `_galbuild galbuild
_galshim galshim
> galbuild conf
config:Print or write configuration for servers, editors, buckets and monitoring.
files
> galbuild config vscodi
vscodium:Print the settings of VSCodium for the gallery.
> galbuild build --unpack=
--unpack=web:
--unpack=all:
> galbuild import --trust=s
without --[^=]##=
files
> galshim --log-format ` + `
text:
json:
`

const fishScript = `
for program in galbuild galshim
    $program completion fish | source
end
for line in 'galbuild config vscodi' 'galbuild build --unpack=' 'galbuild import s' 'galbuild import --trust=s' 'galshim --log-format '
    echo "> $line"
    complete -C "$line"
end
`

const fishOutput = `> galbuild config vscodi
vscodium	Print the settings of VSCodium for the gallery.
> galbuild build --unpack=
--unpack=all
--unpack=web
> galbuild import s
site/
> galbuild import --trust=s
--trust=site/
> galshim --log-format ` + `
json
text
`

// TestManual checks the manual pages of both programs with mandoc. One warning is intended:
// a page without a date is the same whenever it is printed.
func TestManual(t *testing.T) {
	tools, c := toolchain.Tools(t), compile(t, filepath.Join(t.TempDir(), "bin"))
	for _, program := range []string{c.galbuild, c.galshim} {
		page, err := exec.Command(program, "man").Output()
		if err != nil {
			t.Fatalf("%s man: %v", program, err)
		}
		lint := exec.Command(tools.Mandoc, "-T", "lint", "-W", "warning")
		lint.Stdin = bytes.NewReader(page)
		out, _ := lint.CombinedOutput() // which fails because of the warning
		if lines := strings.Count(string(out), "\n"); lines != 1 || !strings.Contains(string(out), "missing date") {
			t.Errorf("%s: mandoc prints\n%s", filepath.Base(program), out)
		}
	}
}
