//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

// TestDist makes the files of a release for one platform in two clones. They have the same bytes, a
// signature that minisign verifies, programs that tell the version that the files are named after,
// and packages with systemd's units.
func TestDist(t *testing.T) {
	tools := toolchain.Tools(t)
	keys := t.TempDir()
	run(t, keys, nil, tools.Minisign, "-G", "-W", "-p", "key.pub", "-s", "key")
	var sums [2]string
	for i := range sums {
		clone, out := filepath.Join(t.TempDir(), "clone"), filepath.Join(t.TempDir(), "a dist")
		run(t, ".", nil, "git", "clone", "--quiet", "../..", clone)
		environ := []string{"MINISIGN_KEY=" + filepath.Join(keys, "key"), "PATH=" + filepath.Dir(tools.Minisign) + ":" + os.Getenv("PATH")}
		run(t, clone, environ, ".ci/dist", out, "linux/amd64")
		run(t, out, nil, "sha256sum", "--check", "--quiet", "SHA256SUMS")
		run(t, out, nil, tools.Minisign, "-V", "-p", filepath.Join(keys, "key.pub"), "-m", "SHA256SUMS")
		sums[i] = readFile(t, filepath.Join(out, "SHA256SUMS"))
		if i == 0 {
			checkDist(t, out)
		}
	}
	if sums[0] != sums[1] {
		t.Errorf("two clones give different files:\n%s\n%s", sums[0], sums[1])
	}
}

// checkDist checks the tarball, the Debian package and the SBOM of a release.
func checkDist(t *testing.T, out string) {
	t.Helper()
	archive, err := filepath.Glob(filepath.Join(out, "galbuild_*_linux_amd64.tar.gz"))
	if err != nil || len(archive) != 1 {
		t.Fatalf("tarballs: %q, %v", archive, err)
	}
	name := strings.TrimSuffix(filepath.Base(archive[0]), ".tar.gz")
	version := strings.TrimSuffix(strings.TrimPrefix(name, "galbuild_"), "_linux_amd64")
	unpacked, installed := t.TempDir(), t.TempDir()
	run(t, unpacked, nil, "tar", "-xzf", archive[0])
	run(t, installed, nil, "dpkg-deb", "-x", filepath.Join(out, "galbuild_"+version+"_amd64.deb"), ".")
	checkUnits(t, installed)
	for _, program := range []string{"galbuild", "galshim"} {
		for _, path := range []string{filepath.Join(unpacked, name, program), filepath.Join(installed, "usr/bin", program)} {
			if got := run(t, out, nil, path, "--version"); got != program+" v"+version+"\n" {
				t.Errorf("%s --version prints %q, want version %s", path, got, version)
			}
		}
		for _, path := range []string{"man/" + program + ".1", "completions/" + program + ".bash", "completions/" + program + ".zsh", "completions/" + program + ".fish"} {
			if text := readFile(t, filepath.Join(unpacked, name, path)); !strings.Contains(text, program) {
				t.Errorf("%s: %d bytes, which do not name the program", path, len(text))
			}
		}
	}
	if sbom := readFile(t, filepath.Join(out, "galbuild_"+version+".cdx.json")); !strings.Contains(sbom, "pkg:golang/github.com/alecthomas/kong@") {
		t.Error("the SBOM does not name kong")
	}
}

// checkUnits checks systemd's units in an unpacked package: they start the program that is in it.
func checkUnits(t *testing.T, installed string) {
	t.Helper()
	units := filepath.Join(installed, "usr/lib/systemd/system")
	if text := readFile(t, filepath.Join(units, "galshim.service")); !strings.Contains(text, "\nExecStart=/usr/bin/galshim --listen systemd --index \"/srv/gallery\"\n") {
		t.Errorf("galshim.service does not start /usr/bin/galshim:\n%s", text)
	}
	if text := readFile(t, filepath.Join(units, "galshim.socket")); !strings.Contains(text, "\nListenStream=127.0.0.1:8080\n") {
		t.Errorf("galshim.socket does not listen:\n%s", text)
	}
}

// run runs a program in a folder with additional variables, and returns its standard output.
func run(t *testing.T, dir string, environ []string, program string, args ...string) string {
	t.Helper()
	command := exec.Command(program, args...)
	command.Dir, command.Env, command.Stderr = dir, append(os.Environ(), environ...), t.Output()
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %q: %v", program, args, err)
	}
	return string(out)
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
