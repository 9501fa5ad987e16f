//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/cmd/e2e/toolchain"
)

// A variant is a package of a sample, with changes to its package.json.
type variant struct {
	sample     string            // folder below samples
	version    string            // the sample's own if empty
	target     string            // platform; empty for a universal package
	preRelease bool              // packed with --pre-release
	later      int               // days after packTime at which it is packed
	vsce       bool              // packed by the real vsce instead of galbuild
	change     map[string]any    // other members of package.json to set
	copied     map[string]string // files of code-server to add, as patterns, by their new names
}

// The site is built from firstPackages, and in the test of updates again with laterPackages.
var (
	firstPackages = []variant{
		{sample: "hello"},
		{sample: "hello", version: "1.0.0", vsce: true},
		{sample: "midnight", vsce: true},
		{sample: "word-count", later: 2},
		{sample: "log-language"},
		{sample: "log-summary", vsce: true},
		{sample: "starter-pack"},
		{sample: "notes", vsce: true},
		{sample: "notes", version: "1.1.0", preRelease: true, later: 3},
		{sample: "system-probe"},
		{sample: "system-probe", target: "linux-x64", change: map[string]any{"builtFor": "linux-x64"}},
		{sample: "system-probe", target: "win32-x64", vsce: true, change: map[string]any{"builtFor": "win32-x64"}},
		{sample: "go-snippets"},
		{sample: "go-snippets", version: "2.0.0", change: map[string]any{"engines": map[string]any{"vscode": "^1.999.0"}}},
		{sample: "go-snippets", change: map[string]any{"name": "reported", "displayName": "Acme Reported"}},
	}
	laterPackages = []variant{
		{sample: "hello", version: "1.2.0"},
	}
	// These two load a file of every kind, see browser/steps.js. Their fonts are those of
	// code-server.
	workshopPackages = []variant{
		{sample: "workshop", copied: map[string]string{"media/font.woff2": "lib/vscode/extensions/*/*/KaTeX_Main-Regular-*.woff2"}},
		{sample: "signs", copied: map[string]string{"icons.woff": "lib/vscode/extensions/*/*/KaTeX_Main-Regular-*.woff"}},
	}
	// Extensions of code-server that can be packed as they are.
	foreignPackages = []variant{
		{sample: "theme-monokai"},
		{sample: "theme-solarized-dark", vsce: true},
		{sample: "markdown-basics"},
		{sample: "python", vsce: true},
		{sample: "rust"},
		{sample: "yaml"},
	}
)

// packages are the folders of the packed extensions.
type packages struct{ first, later string }

// pack packs all variants into folders below dir.
func pack(t *testing.T, tools toolchain.Toolbox, c commands, dir string) packages {
	t.Helper()
	packers := packers{vsce: []string{tools.Node, tools.VSCE}, galbuild: []string{c.galbuild}, codeServer: tools.CodeServer}
	p := packages{filepath.Join(dir, "first"), filepath.Join(dir, "later")}
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	samples := filepath.Join("..", "..", "testdata", "samples")
	builtIn := filepath.Join(tools.CodeServer, "lib", "vscode", "extensions")
	for _, v := range firstPackages {
		group.Go(func() error { return v.pack(packers, samples, p.first) })
	}
	for _, v := range laterPackages {
		group.Go(func() error { return v.pack(packers, samples, p.later) })
	}
	for _, v := range foreignPackages {
		group.Go(func() error { return v.pack(packers, builtIn, p.first) })
	}
	for _, v := range workshopPackages {
		group.Go(func() error { return v.pack(packers, "testdata", p.first) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return p
}

// packers are two commands with the same arguments, and the folder of code-server.
type packers struct {
	vsce, galbuild []string
	codeServer     string
}

// copyFiles copies the files of code-server to the folder work.
func (v variant) copyFiles(codeServer, work string) error {
	for to, pattern := range v.copied {
		found, err := filepath.Glob(filepath.Join(codeServer, filepath.FromSlash(pattern)))
		if err != nil || len(found) == 0 {
			return fmt.Errorf("code-server has no %s (%v)", pattern, err)
		}
		text, err := os.ReadFile(found[0])
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(work, filepath.FromSlash(to)), text, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// pack packs v from its folder below source into the folder out.
func (v variant) pack(packers packers, source, out string) error {
	work, err := os.MkdirTemp("", "galbuild-e2e-pack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.CopyFS(work, os.DirFS(filepath.Join(source, v.sample))); err != nil {
		return fmt.Errorf("copy sample %s: %w", v.sample, err)
	}
	if err := v.copyFiles(packers.codeServer, work); err != nil {
		return err
	}
	name, err := v.apply(filepath.Join(work, "package.json"))
	if err != nil {
		return fmt.Errorf("change sample %s: %w", v.sample, err)
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	command := packers.galbuild
	if v.vsce {
		command = packers.vsce
	}
	command = slices.Concat(command, []string{"package", "--allow-missing-repository", "--skip-license", "--no-dependencies",
		"--out", filepath.Join(out, name+".vsix")}, v.flags())
	packer := exec.Command(command[0], command[1:]...)
	packer.Dir = work
	packer.Env = append(os.Environ(), fmt.Sprint("SOURCE_DATE_EPOCH=", packTime.AddDate(0, 0, v.later).Unix()))
	if text, err := packer.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, text)
	}
	return nil
}

// packTime is the date of most packages. Editors wait some hours before they install an update
// automatically, so it is in the past.
var packTime = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// apply changes package.json, and returns the package's name.
func (v variant) apply(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var manifest map[string]any
	if err := json.Unmarshal(text, &manifest); err != nil {
		return "", err
	}
	maps.Copy(manifest, v.change)
	if v.version != "" {
		manifest["version"] = v.version
	}
	if text, err = json.MarshalIndent(manifest, "", "  "); err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s.%s-%s", manifest["publisher"], manifest["name"], manifest["version"])
	if v.target != "" {
		name += "@" + v.target
	}
	return name, os.WriteFile(file, text, 0o666)
}

func (v variant) flags() []string {
	var flags []string
	if v.target != "" {
		flags = append(flags, "--target", v.target)
	}
	if v.preRelease {
		flags = append(flags, "--pre-release")
	}
	return flags
}
