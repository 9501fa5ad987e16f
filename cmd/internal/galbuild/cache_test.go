package galbuild

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build"
	"galbuild/build/site"
)

// TestCacheLikeNone runs random commands on two sites. One of them loses its build cache before
// each build. Both must always have the same generation.
func TestCacheLikeNone(t *testing.T) {
	reused := 0
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			reused += (&cacheTest{Rand: rand.New(rand.NewPCG(seed, 0)), now: 1700000000}).run(t)
		})
	}
	if reused == 0 {
		t.Error("no package was found in the cache after another command")
	}
}

// A cacheTest is one sequence of commands.
type cacheTest struct {
	*rand.Rand
	now   int
	moved bool // the last command was not a build
}

// run returns how many packages the builds that followed another command found in the cache.
func (c *cacheTest) run(t *testing.T) (reused int) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"one", "two", "three", "four"} {
		packExtension(t, "vsixs", name)
	}
	c.copyWithSidecar(t, "vsixs", "more", "more")
	if err := os.CopyFS("all", os.DirFS("vsixs")); err != nil {
		t.Fatal(err)
	}
	writeText(t, "policy.json", `{"deny":["acme.three"]}`)
	t.Setenv("SOURCE_DATE_EPOCH", fmt.Sprint(c.now))
	for _, build := range []string{"build more -o other --unpack all", "build vsixs -o with", "build vsixs -o without"} {
		program{}.must(t, build+" -q")
	}
	for range 25 {
		c.now += 3600
		t.Setenv("SOURCE_DATE_EPOCH", fmt.Sprint(c.now))
		command := c.command(t)
		if strings.HasPrefix(command, "build") {
			if err := os.Remove("without/" + site.WorkDir + "/sources.jsonl"); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		status, text := try(t, strings.ReplaceAll(command, "SITE", "with"))
		other, otherText := try(t, strings.ReplaceAll(command, "SITE", "without"))
		if status != other {
			t.Fatalf("%s: status %d, want %d: %s%s", command, status, other, text, otherText)
		}
		if got, want := currentOf(t, "with"), currentOf(t, "without"); got != want {
			t.Fatalf("%s: generation %v, want %v", command, got, want)
		}
		build := strings.HasPrefix(command, "build") && status == 0
		if build && c.moved {
			reused += reportOf(t, text).Unchanged
		}
		c.moved = !build
	}
	return reused
}

// command returns a random command. Before a build, the sources may change.
func (c *cacheTest) command(t *testing.T) string {
	name := []string{"one", "two", "three", "four"}[c.IntN(4)]
	kind := c.IntN(10)
	if c.moved {
		kind += c.IntN(2) * 10 // a build
	}
	switch kind {
	case 0:
		return "add more/" + name + ".vsix SITE -q"
	case 1:
		return "add all/" + name + ".vsix SITE -q --restore"
	case 2:
		return "remove acme." + name + " SITE -q --reason test --all" + []string{"", " --purge"}[c.IntN(2)]
	case 3:
		return "block acme." + name + " SITE -q --reason test" + []string{"", " --purge", " --malicious"}[c.IntN(3)]
	case 4:
		return "unblock acme." + name + " SITE -q"
	case 5:
		return "restore acme." + name + " SITE -q"
	case 6:
		return "rollback SITE -q"
	case 7:
		return "prune SITE -q --grace 0s"
	case 8:
		return "publish other SITE -q"
	}
	c.changeSources(t, name)
	return "build vsixs -o SITE -q --json --max-removals 100%" + []string{"", "", " --policy policy.json --accept-policy", " --no-policy", " --unpack web"}[c.IntN(5)]
}

// changeSources adds or removes a package, or changes its sidecar, or does nothing.
func (c *cacheTest) changeSources(t *testing.T, name string) {
	file := filepath.Join("vsixs", name+".vsix")
	switch _, err := os.Stat(file); {
	case c.IntN(2) == 0:
	case err != nil:
		content, err := fs.ReadFile(os.DirFS("all"), name+".vsix")
		if err != nil {
			t.Fatal(err)
		}
		writeText(t, file, string(content))
	case c.IntN(2) == 0:
		writeText(t, file+".json", fmt.Sprintf(`{"publisher":{"displayName":"Sidecar %d"}}`, c.IntN(100)))
	case name != "one": // a build without packages is an error
		os.Remove(file)
	}
}

// copyWithSidecar copies the packages of a folder, and adds a sidecar to each.
func (c *cacheTest) copyWithSidecar(t *testing.T, from, to, displayName string) {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(to + "/*.vsix")
	for _, file := range files {
		writeText(t, file+".json", fmt.Sprintf(`{"publisher":{"displayName":%q}}`, displayName))
	}
}

// TestCacheAfterAdd builds, adds a package, and builds again: no other package is read.
func TestCacheAfterAdd(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"one", "two", "three"} {
		packExtension(t, "vsixs", name)
	}
	packExtension(t, "more", "four")
	(&cacheTest{}).copyWithSidecar(t, "vsixs", "sidecars", "Other")
	p := program{}
	p.must(t, "build vsixs -o site -q")
	for _, step := range []struct {
		command         string
		unchanged, read int
	}{
		{"add more site -q", 3, 0},
		{"block acme.one site -q --reason test", 2, 1},
		{"deprecate acme.two site -q", 3, 0},
		{"block acme.nothing site -q --reason test", 3, 0},
		{"rollback site -q", 3, 0},
		{"add sidecars/two.vsix site -q", 2, 1},
	} {
		p.must(t, step.command)
		r := reportOf(t, p.must(t, "build vsixs -o site -q --json"))
		if r.Unchanged != step.unchanged || r.Read != step.read {
			t.Errorf("after %s: %d packages unchanged, %d read; want %d and %d", step.command, r.Unchanged, r.Read, step.unchanged, step.read)
		}
	}
}

func reportOf(t *testing.T, text string) (r build.Report) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

// currentOf returns the current generation of a site.
func currentOf(t *testing.T, root string) site.Current {
	t.Helper()
	current, err := site.ReadCurrent(root)
	if err != nil {
		t.Fatal(err)
	}
	return current
}

// try runs a command, and returns its status and what it prints.
func try(t *testing.T, command string) (int, string) {
	var stdout, stderr bytes.Buffer
	status := program{}.run(t.Context(), strings.Fields(command), nil, &stdout, &stderr)
	if status != 0 {
		return status, stderr.String()
	}
	return 0, stdout.String()
}

func writeText(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
