//go:build e2e

package pack_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"galbuild/build/pack"
	"galbuild/cmd/e2e/toolchain"
)

// BenchmarkLargest packs the largest extension of code-server, of 47 MB, and compares the time
// with that of a run of the real vsce. To run it:
//
//	go test -tags e2e -run '^$' -bench Largest -count 6 ./build/pack | tee bench.txt
//	go tool benchstat -col /of bench.txt
func BenchmarkLargest(b *testing.B) {
	tools := toolchain.Tools(b)
	root := copyBuiltin(b, filepath.Join(tools.CodeServer, "lib", "vscode", "extensions", "mermaid-markdown-features"))
	archive := filepath.Join(b.TempDir(), "made.vsix")
	var theirs time.Duration // of one package
	b.Run("of=vsce", func(b *testing.B) {
		for b.Loop() {
			vsce := exec.Command(tools.Node, tools.VSCE, "package", "--no-dependencies", "--out", archive)
			vsce.Dir, vsce.Env = root, append(tools.Environ(), deterministic...)
			if text, err := vsce.CombinedOutput(); err != nil {
				b.Fatalf("vsce: %v\n%s", err, text)
			}
		}
		theirs = b.Elapsed() / time.Duration(b.N)
		reportSize(b, archive)
	})
	b.Run("of=ours", func(b *testing.B) {
		for b.Loop() {
			packLargest(b, root, archive)
		}
		b.ReportMetric(float64(theirs)*float64(b.N)/float64(b.Elapsed()), "vsce/ours")
		reportSize(b, archive)
	})
}

func packLargest(b *testing.B, root, archive string) {
	b.Helper()
	file, err := os.Create(archive)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	plan, err := pack.Read(b.Context(), os.DirFS(root), pack.Options{NoDependencies: true})
	if err == nil {
		err = plan.Write(b.Context(), file, nil)
	}
	if err != nil {
		b.Fatal(err)
	}
}

func reportSize(b *testing.B, archive string) {
	b.Helper()
	info, err := os.Stat(archive)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size()), "package-bytes")
}
