package galbuild

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/publish/target/all"
)

// TestCommandsDocumented checks that cmd/README.md has a heading for the JSON document of each
// command, or names it among the commands that print text.
func TestCommandsDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, textCommands, _ := strings.Cut(string(text), "\n### Commands that print text\n")
	textCommands, _, _ = strings.Cut(textCommands, "\n###")
	kinds := all.Kinds()
	parser := newParser(newCommandLine(kinds, nil), kinds)
	commands := 0
	for _, leaf := range parser.Model.Leaves(true) {
		commands++
		name, _, _ := strings.Cut(strings.TrimPrefix(leaf.FullPath(), parser.Model.Name+" "), " (") // aliases follow
		if !strings.Contains(string(text), "\n### galbuild "+name+"\n") && !strings.Contains(textCommands, "`"+name+"`") {
			t.Errorf("cmd/README.md does not describe the JSON document of galbuild %s", name)
		}
	}
	if commands < 20 {
		t.Errorf("only %d commands", commands)
	}
}

func TestWantsJSON(t *testing.T) {
	for args, want := range map[string]bool{
		"--json": true, "show --json": true, "show --json=true": true, "show --json=Yes": true, "show": false, "show --json=false": false,
		"show --json=maybe": false, "show -- --json": false, "--json --json=0": false, "--json=0 --json": true,
	} {
		if got := wantsJSON(strings.Fields(args)); got != want {
			t.Errorf("%s: got %v", args, got)
		}
	}
	for value, want := range map[string]bool{"1": true, "true": true, "yes": true, "0": false, "no": false, "": false} {
		t.Setenv("GALBUILD_JSON", value)
		if got := wantsJSON(nil); got != want {
			t.Errorf("GALBUILD_JSON=%s: got %v", value, got)
		}
	}
}

func TestJoin(t *testing.T) {
	for b, want := range map[string]string{"": `{"error":"x"}`, "{}": `{"error":"x"}`, `{"a":[{}]}`: `{"error":"x","a":[{}]}`} {
		var document []byte
		if b != "" {
			document = []byte(b)
		}
		if got := string(join([]byte(`{"error":"x"}`), document)); got != want {
			t.Errorf("%s: got %s, want %s", b, got, want)
		}
	}
}
