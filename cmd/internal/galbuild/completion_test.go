package galbuild

import (
	"io"
	"strings"
	"testing"
)

// TestCompletion checks that arguments that may be paths, and flags with few values, are completed.
func TestCompletion(t *testing.T) {
	for words, want := range map[string]string{
		"add": ":files", "add a.vsix": ":files", "publish": ":files", "publish a.vsix": ":files", "publish a.vsix b.vsix": ":files",
		"remove acme.hello@1.0.0": ":files", "show acme.hello": ":files", "show acme.hello 1.0.0": ":files", "pull": ":files",
		"verify": ":files", "ls-remote": ":files", "prune": ":files", "rollback": ":files", "export": ":files", "import": ":files",
		"inspect": ":files", "package": ":files", "ls": ":files", "config nginx": ":files", "publish -o": ":files",
		"publish --s3-addressing-style": "path\nvirtual", "publish --s3-conditional-writes": "yes\nno",
		"publish --s3-sse": "AES256\naws:kms\naws:kms:dsse", "publish --layout": "site\ndbem",
	} {
		var stdout strings.Builder
		args := append(append([]string{"__complete"}, strings.Fields(words)...), "")
		if status := (program{}).run(t.Context(), args, strings.NewReader(""), &stdout, io.Discard); status != 0 {
			t.Errorf("%s: exit status %d", words, status)
		}
		if got := strings.ReplaceAll(stdout.String(), "\t", ""); strings.TrimSpace(got) != want {
			t.Errorf("%s: got %q, want %q", words, got, want)
		}
	}
}
