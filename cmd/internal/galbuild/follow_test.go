package galbuild

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/site"
)

// signalWriter calls a function once, when what is written to it contains a text.
type signalWriter struct {
	all  bytes.Buffer
	text string
	call func()
}

func (w *signalWriter) Write(b []byte) (int, error) {
	n, err := w.all.Write(b)
	if w.call != nil && strings.Contains(w.all.String(), w.text) {
		w.call()
		w.call = nil
	}
	return n, err
}

// TestFollowOlder checks that pull --follow refuses an older generation, says so once, and goes on.
func TestFollowOlder(t *testing.T) {
	dir := t.TempDir()
	from, to, packages := filepath.Join(dir, "from"), filepath.Join(dir, "to"), filepath.Join(dir, "vsixs")
	current := filepath.Join(from, filepath.FromSlash(site.CurrentPath))
	var texts [][]byte
	for _, name := range []string{"first", "second", "third"} {
		packExtension(t, packages, name)
		program{}.must(t, "build "+packages+" -o "+from+" --keep-generations 3")
		text, err := os.ReadFile(current)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	set := func(n int) {
		if err := os.WriteFile(current, texts[n], 0o644); err != nil {
			t.Error(err)
		}
	}
	set(1)
	program{}.must(t, "pull "+from+" -o "+to)
	set(0)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr := &signalWriter{text: "which was copied from there before", call: func() { set(2) }}
	third, err := site.ParseGeneration(texts[2][:bytes.LastIndexByte(texts[2][:len(texts[2])-1], '\n')+1])
	if err != nil {
		t.Fatal(err)
	}
	stdout := &signalWriter{text: third.Generation, call: cancel}
	if status := (program{}).run(ctx, strings.Fields("pull "+from+" -o "+to+" --follow 1ms"), nil, stdout, stderr); status != 0 {
		t.Errorf("exit status %d: %s", status, &stderr.all)
	}
	if n := strings.Count(stderr.all.String(), "warning"); n != 1 {
		t.Errorf("%d warnings, want 1: %s", n, &stderr.all)
	}
	if got, err := site.ReadCurrent(to); err != nil || got != third {
		t.Errorf("the copy has generation %s (%v), want %s", got.Generation, err, third.Generation)
	}
}
