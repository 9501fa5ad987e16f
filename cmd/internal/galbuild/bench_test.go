package galbuild

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"galbuild/build/pack"
)

// packages is how many the benchmarks build from: enough for the work on each to
// outweigh what is done once.
const packages = 500

// BenchmarkBuild measures a whole build beside its floor, which reads and hashes
// the same packages and does nothing else.
func BenchmarkBuild(b *testing.B) {
	source, bytes := writePackages(b)
	b.Run("of=floor", func(b *testing.B) {
		b.SetBytes(bytes)
		for b.Loop() {
			hashAll(b, source)
		}
	})
	b.Run("of=galbuild", func(b *testing.B) {
		b.SetBytes(bytes)
		for i := 0; b.Loop(); i++ {
			mustRun(b, source, "-o", filepath.Join(b.TempDir(), fmt.Sprint(i)))
		}
	})
}

// BenchmarkRebuild measures what a build costs when nothing changed and when one
// package is new, beside the full build.
func BenchmarkRebuild(b *testing.B) {
	source, _ := writePackages(b)
	b.Run("of=full", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			mustRun(b, source, "-o", filepath.Join(b.TempDir(), fmt.Sprint(i)))
		}
	})
	site := filepath.Join(b.TempDir(), "site")
	mustRun(b, source, "-o", site)
	b.Run("of=unchanged", func(b *testing.B) {
		for b.Loop() {
			mustRun(b, source, "-o", site)
		}
	})
	b.Run("of=one-added", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			writePackage(b, source, packages+i)
			b.StartTimer()
			mustRun(b, source, "-o", site)
		}
	})
}

func mustRun(b *testing.B, args ...string) {
	b.Helper()
	var stderr bytes.Buffer
	if status := run(b.Context(), args, nil, io.Discard, &stderr); status != 0 {
		b.Fatalf("galbuild %v: %s", args, &stderr)
	}
}

func writePackages(b *testing.B) (dir string, bytes int64) {
	b.Helper()
	b.Setenv("SOURCE_DATE_EPOCH", "1767225600")
	dir = b.TempDir()
	for i := range packages {
		bytes += writePackage(b, dir, i)
	}
	return dir, bytes
}

// writePackage writes a package of typical make: a manifest, a readme, an icon
// and about 16 KiB of code that does not compress well.
func writePackage(b *testing.B, dir string, i int) int64 {
	b.Helper()
	random := mathrand.NewChaCha8([32]byte{byte(i), byte(i >> 8)})
	code := make([]byte, 16<<10)
	if _, err := random.Read(code); err != nil {
		b.Fatal(err)
	}
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	var archive bytes.Buffer
	err := pack.Write(&archive, fstest.MapFS{
		"package.json": text(fmt.Sprintf(`{"name":"bench-%d","publisher":"acme","version":"1.0.0","displayName":"Bench %d",`+
			`"description":"One of many extensions","main":"./main.js","engines":{"vscode":"^1.80.0"},"icon":"icon.png"}`, i, i)),
		"README.md": text(fmt.Sprintf("# Bench %d\n\nOne of many.\n", i)),
		"icon.png":  text("\x89PNG\r\n\x1a\n" + string(code[:1024])),
		"main.js":   text(string(code)),
	}, pack.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("bench-%d.vsix", i)), archive.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	return int64(archive.Len())
}

func hashAll(b *testing.B, dir string) {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.vsix"))
	if err != nil || len(files) < packages {
		b.Fatalf("%d packages, %v", len(files), err)
	}
	h := sha256.New()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		h.Write(text)
	}
}
