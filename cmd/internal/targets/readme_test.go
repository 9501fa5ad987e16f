package targets

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/publish/target"
	"galbuild/publish/target/all"
)

// TestReadme checks that publish/README.md has a row in the table of targets for every kind that
// can be changed, and the address, the keys and the flags of every kind. Its example of a config
// file must have a target of every kind and be valid.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "publish", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	readme := string(text)
	// contains checks that the README has one of these texts about a kind.
	contains := func(kind string, texts ...string) {
		if !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(readme, text) }) {
			t.Errorf("publish/README.md does not contain %q, which the kind %s needs", texts, kind)
		}
	}
	_, example, _ := strings.Cut(readme, "```json\n{\"backends\"")
	example, _, found := strings.Cut(`{"backends"`+example, "```")
	if !found {
		t.Fatal("publish/README.md has no example of a config file")
	}
	for _, kind := range all.Kinds() {
		switch {
		case kind.Flag != nil:
			contains(kind.Name, "| `galbuild publish site --"+kind.Flag.Name+" ")
		case !kind.ReadOnly:
			contains(kind.Name, "| `galbuild publish site -o ")
		}
		if len(kind.Schemes) > 0 {
			contains(kind.Name, "`"+kind.Form+"`")
		}
		for _, key := range kind.Keys {
			for _, name := range append([]string{key.Name}, key.Aliases...) {
				contains(kind.Name, "`"+name+"`", `"`+name+`"`)
			}
			if key.Flag != nil {
				contains(kind.Name, "`--"+key.Flag.Name, " --"+key.Flag.Name+" ")
			}
		}
		if _, err := parseConfig(all.Kinds(), []byte(example), kind.Name); err != nil {
			t.Errorf("the example: %v", err)
		}
	}
}

// TestKinds checks what the flags, addresses and config files of all kinds rely on.
func TestKinds(t *testing.T) {
	names, schemes, paths := map[string]bool{}, map[string]bool{}, 0
	for _, kind := range all.Kinds() {
		if names[kind.Name] {
			t.Errorf("two kinds are called %s", kind.Name)
		}
		names[kind.Name] = true
		for _, scheme := range kind.Schemes {
			if schemes[scheme] {
				t.Errorf("two kinds have addresses with %s:", scheme)
			}
			schemes[scheme] = true
		}
		if len(kind.Schemes) == 0 {
			paths++
		}
		for _, key := range kind.Keys {
			if found, _ := kind.Key(key.Name); found.Name != key.Name {
				t.Errorf("%s: %s is also an alias of %s", kind.Name, key.Name, found.Name)
			}
			if to, ok := kind.Key(keyOf(key)); !ok || to.Choice != nil {
				t.Errorf("%s: %s sets a key that does not exist", kind.Name, key.Name)
			}
		}
	}
	if paths != 1 {
		t.Errorf("%d kinds are named by a path, want 1", paths)
	}
}

func keyOf(key target.Key) string {
	name, _ := key.Setting("true")
	return name
}
