//go:build unix

package galbuild

import (
	"bytes"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/pack"
	"galbuild/build/site"
)

// extensions is the number of extensions in the benchmarks. Each has one to four versions. The
// environment variable VSIX names a folder of packages to use instead.
const extensions = 1000

// BenchmarkBuild compares a build with its floor.
func BenchmarkBuild(b *testing.B) {
	source, parent := writePackages(b), b.TempDir()
	limitMemory()
	f := newFloor(b, source, parent)
	b.Run("of=floor", func(b *testing.B) { makeAnew(b, parent, f.bytes, f.make) })
	bytes := f.bytes
	f = nil // so that the content of all files does not count for the limit of memory
	b.Run("of=galbuild", func(b *testing.B) {
		makeAnew(b, parent, bytes, func(b *testing.B, root string) { mustRun(b, source, "-o", root) })
	})
}

// BenchmarkRebuild compares builds in which nothing has changed, or one package is new, with a full
// build.
func BenchmarkRebuild(b *testing.B) {
	source, more, parent := writePackages(b), b.TempDir(), b.TempDir()
	limitMemory()
	writePackage(b, more, sample{name: "more"})
	b.Run("of=full", func(b *testing.B) {
		makeAnew(b, parent, 0, func(b *testing.B, root string) { mustRun(b, source, more, "-o", root) })
	})
	root := filepath.Join(b.TempDir(), "site")
	mustRun(b, source, more, "-o", root)
	b.Run("of=unchanged", func(b *testing.B) {
		for b.Loop() {
			mustRun(b, source, more, "-o", root)
		}
	})
	added := 0
	b.Run("of=one-added", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			writePackage(b, more, sample{name: fmt.Sprint("more-", added)})
			added++
			b.StartTimer()
			mustRun(b, source, more, "-o", root)
		}
	})
}

// BenchmarkChange compares commands that change a site with a full build. Its floor reads what
// every such command must read, and writes what it must write, see writeGeneration.
func BenchmarkChange(b *testing.B) {
	source, parent := writePackages(b), b.TempDir()
	limitMemory()
	build := func(root string) { mustRun(b, source, "-o", root) }
	b.Run("of=full", func(b *testing.B) {
		makeAnew(b, parent, 0, func(b *testing.B, root string) { build(root) })
	})
	root := filepath.Join(b.TempDir(), "site")
	build(root)
	var ids []string // of extensions that are left
	next := func() (id string) {
		if len(ids) == 0 {
			_, c, err := site.Read(root)
			if err != nil {
				b.Fatal(err)
			}
			for i := range c.Extensions {
				ids = append(ids, c.Extensions[i].ID())
			}
		}
		id, ids = ids[0], ids[1:]
		return id
	}
	block := func(b *testing.B) { mustRun(b, "block", next(), root, "--reason=a benchmark") }
	b.Run("of=floor", func(b *testing.B) {
		for b.Loop() {
			writeGeneration(b, root, filepath.Join(parent, "floor"))
		}
	})
	for _, of := range []struct {
		name          string
		before, timed func(b *testing.B)
	}{
		{"block", func(*testing.B) {}, block},
		{"rollback", block, func(b *testing.B) { mustRun(b, "rollback", root) }},
		{
			"purge", func(*testing.B) { build(root) }, // it also removes old generations
			func(b *testing.B) { mustRun(b, "remove", "--all", "--purge", next(), root) },
		},
	} {
		b.Run("of="+of.name, func(b *testing.B) {
			var used time.Duration
			for b.Loop() {
				b.StopTimer()
				of.before(b)
				before := processorTime(b)
				b.StartTimer()
				of.timed(b)
				used += processorTime(b) - before
			}
			b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
		})
	}
}

// writeGeneration reads the files of the current generation of a site and the lines of its chunks,
// writes the files of the generation into a folder, and waits until they are on the disk.
func writeGeneration(b *testing.B, root, to string) {
	b.Helper()
	current, err := site.ReadCurrent(root)
	if err != nil {
		b.Fatal(err)
	}
	chunks, err := site.ReadChunks(root, current)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range chunks {
		if _, err := site.LinesIn(root)(catalog.LinesPath(c.Lines.SHA256), c.Lines); err != nil {
			b.Fatal(err)
		}
	}
	for _, f := range current.Files() {
		text, err := os.ReadFile(filepath.Join(root, f.Path))
		if err == nil {
			err = os.MkdirAll(to, 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, filepath.Base(f.Path)), text, 0o644)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := site.Sync(to); err != nil {
		b.Fatal(err)
	}
}

// makeAnew measures make, each time with a new folder below parent. It also reports processor time,
// which varies less if other processes use the processors too.
//
// The folders stay until the end of the benchmark. For some minutes after files are removed, ext4
// does not use their inodes again, and searches long for others. That could be most of the time
// measured.
func makeAnew(b *testing.B, parent string, bytes int64, make func(b *testing.B, root string)) {
	b.SetBytes(bytes)
	var used time.Duration
	for b.Loop() {
		b.StopTimer()
		dir, err := os.MkdirTemp(parent, "")
		if err != nil {
			b.Fatal(err)
		}
		before := processorTime(b)
		b.StartTimer()
		make(b, filepath.Join(dir, "site"))
		used += processorTime(b) - before
	}
	b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func mustRun(b *testing.B, args ...string) {
	b.Helper()
	var stderr bytes.Buffer
	if status := (program{}).run(b.Context(), append(args, "--quiet"), nil, io.Discard, &stderr); status != 0 {
		b.Fatalf("galbuild %v: %s", args, &stderr)
	}
}

// writePackages returns a folder of packages like those of a real gallery: most extensions have
// several versions, some have packages for several platforms, and each package has a sidecar file.
func writePackages(b *testing.B) (dir string) {
	b.Helper()
	if dir := os.Getenv("VSIX"); dir != "" {
		return dir
	}
	dir = b.TempDir()
	for i := range extensions {
		platforms := []string{""}
		if i%20 == 0 {
			platforms = []string{"darwin-arm64", "linux-x64", "win32-x64", ""}
		}
		for version := range 1 + i%4 {
			for _, platform := range platforms {
				writePackage(b, dir, sample{name: fmt.Sprint("bench-", i), version: version, platform: platform})
			}
		}
	}
	return dir
}

// A sample is a typical package: a manifest, documents that are the same in all versions, an icon,
// and 10 to 20 KiB of code that does not compress well.
type sample struct {
	name     string
	version  int
	platform string
}

func writePackage(b *testing.B, dir string, s sample) {
	b.Helper()
	name := fmt.Sprintf("%s-1.%d.0%s", s.name, s.version, s.platform)
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	code := noise(name, 20<<10)
	manifest := fmt.Sprintf(`{"name":%q,"publisher":"acme","version":"1.%d.0","displayName":"Sample %s","main":"./dist/main.js","activationEvents":[],`+
		`"description":"One of many extensions","engines":{"vscode":"^1.80.0"},"icon":"icon.png","categories":["Other"],`+
		`"keywords":["one","of","many"],"repository":"https://acme.example/%s.git"}`, s.name, s.version, s.name, s.name)
	var archive bytes.Buffer
	err := pack.Write(&archive, fstest.MapFS{
		"package.json":   text(manifest),
		"README.md":      text(fmt.Sprintf("# %s\n\nOne of many.\n", s.name)),
		"CHANGELOG.md":   text(fmt.Sprintf("## 1.%d.0\n\nBetter than before.\n", s.version)),
		"LICENSE":        text("MIT"),
		"icon.png":       text("\x89PNG\r\n\x1a\n" + noise(s.name, 2<<10)),
		"dist/main.js":   text(code[:10<<10]),
		"dist/worker.js": text(code[10<<10+int(code[0])*40:]),
	}, pack.Options{Platform: s.platform, Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(dir, name+".vsix")
	if err := os.WriteFile(file, archive.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	when := time.Date(2026, 1, 1+s.version, 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
	sidecar := fmt.Sprintf(`{"publishedDate":%q,"lastUpdated":%q,"statistics":{"install":%d,"averagerating":4.5,"ratingcount":12}}`, when, when, len(name))
	if err := os.WriteFile(file+".json", []byte(sidecar), 0o644); err != nil {
		b.Fatal(err)
	}
}

// noise returns size pseudo-random bytes, which do not compress.
func noise(seed string, size int) string {
	var key [32]byte
	copy(key[:], seed)
	text := make([]byte, size)
	mathrand.NewChaCha8(key).Read(text)
	return string(text)
}
