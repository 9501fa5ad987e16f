//go:build unix

package galbuild

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"galbuild/build/site"
)

// BenchmarkOneAdded adds one package at a time to a site, and measures a build of it, a publish to
// a folder, a pull of the index, which downloads what a galshim does that follows the site, and an
// export of the changes. It reports how many bytes each of them writes (written-B): below index/
// and private/, or as a tarball and its listing. generation-B is the size of the new generation,
// and floor-B by how much it is larger than the one before: no format can write less.
// %of-generation is written-B in percent of generation-B.
func BenchmarkOneAdded(b *testing.B) {
	source, more, parent := writePackages(b), b.TempDir(), b.TempDir()
	limitMemory()
	path := func(name string) string { return filepath.Join(parent, name) }
	build := []string{source, more, "-o", path("site")}
	publish := []string{"publish", path("site"), "-o", path("target")}
	pull := []string{"pull", path("site"), "-o", path("index"), "--index-only"}
	added := 0
	for _, of := range []struct {
		name, to     string
		first, after []string // commands before a package is added, and after that
	}{
		{"build", path("site"), build, build},
		{"publish", path("target"), publish, publish},
		{"pull", path("index"), pull, pull},
		{
			"export", path("changes"), []string{"export", path("site"), "-o", path("whole.tar.zst")},
			[]string{"export", path("site"), "-o", path("changes/index/delta.tar.zst"), "--since", path("whole.tar.zst.SHA256SUMS")},
		},
	} {
		if err := os.MkdirAll(path("changes/index"), 0o755); err != nil {
			b.Fatal(err)
		}
		b.Run("of="+of.name, func(b *testing.B) {
			var written, size, grown int64
			for b.Loop() {
				b.StopTimer()
				writePackage(b, more, sample{name: fmt.Sprint("added-", added)})
				added++
				mustRun(b, build...)
				mustRun(b, of.first...)
				old, before := generationBytes(b, path("site")), writtenFiles(b, of.to)
				writePackage(b, more, sample{name: fmt.Sprint("added-", added)})
				added++
				if of.name != "build" {
					mustRun(b, build...)
				}
				b.StartTimer()
				mustRun(b, of.after...)
				b.StopTimer()
				written += changedBytes(before, writtenFiles(b, of.to))
				size = generationBytes(b, path("site"))
				grown += size - old
				b.StartTimer()
			}
			reportBytes(b, written, grown, size)
		})
	}
}

// BenchmarkNewStatistics changes the statistics of all packages, and measures a build. It reports
// bytes as BenchmarkOneAdded does. Nothing else changes, so floor-B is near zero.
func BenchmarkNewStatistics(b *testing.B) {
	source, root := linked(b, writePackages(b)), filepath.Join(b.TempDir(), "site")
	limitMemory()
	mustRun(b, source, "-o", root)
	sidecars, err := filepath.Glob(filepath.Join(source, "*.vsix.json"))
	if err != nil || len(sidecars) == 0 {
		b.Fatalf("%s has no sidecars: %v", source, err)
	}
	var written, size, grown int64
	for round := 1; b.Loop(); round++ {
		b.StopTimer()
		r := mathrand.New(mathrand.NewPCG(1, uint64(round)))
		for _, file := range sidecars {
			newStatistics(b, file, r)
		}
		old, before := generationBytes(b, root), writtenFiles(b, root)
		b.StartTimer()
		mustRun(b, source, "-o", root)
		b.StopTimer()
		written += changedBytes(before, writtenFiles(b, root))
		size = generationBytes(b, root)
		grown += size - old
		b.StartTimer()
	}
	reportBytes(b, written, grown, size)
}

// linked returns a folder with links to the files of another one.
func linked(b *testing.B, source string) string {
	b.Helper()
	dir := b.TempDir()
	entries, err := os.ReadDir(source)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range entries {
		from, to := filepath.Join(source, e.Name()), filepath.Join(dir, e.Name())
		if err := os.Link(from, to); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// newStatistics replaces a sidecar by one in which the installs have grown by up to a hundredth,
// and the ratings by a few.
func newStatistics(b *testing.B, file string, r *mathrand.Rand) {
	b.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	var sidecar map[string]any
	if err := json.Unmarshal(text, &sidecar); err != nil {
		b.Fatal(err)
	}
	statistics, _ := sidecar["statistics"].(map[string]any)
	installs, _ := statistics["install"].(float64)
	ratings, _ := statistics["ratingcount"].(float64)
	sidecar["statistics"] = map[string]any{
		"install": int64(installs*(1+r.Float64()/100)) + r.Int64N(3), "averagerating": float64(10+r.IntN(41)) / 10, "ratingcount": int64(ratings) + r.Int64N(3),
	}
	if text, err = json.Marshal(sidecar); err == nil {
		err = errors.Join(os.Remove(file), os.WriteFile(file, text, 0o644)) // it may be a link
	}
	if err != nil {
		b.Fatal(err)
	}
}

func reportBytes(b *testing.B, written, grown, size int64) {
	b.Helper()
	b.ReportMetric(float64(written)/float64(b.N), "written-B")
	b.ReportMetric(float64(grown)/float64(b.N), "floor-B")
	b.ReportMetric(float64(size), "generation-B")
	b.ReportMetric(100*float64(written)/float64(b.N)/float64(size), "%of-generation")
}

// changedBytes returns the size of the files that are new or were written since before.
func changedBytes(before, after map[string]fs.FileInfo) (size int64) {
	for file, info := range after {
		if was := before[file]; was == nil || !os.SameFile(was, info) || !was.ModTime().Equal(info.ModTime()) {
			size += info.Size()
		}
	}
	return size
}

// writtenFiles returns the files below index/ and private/ of a folder.
func writtenFiles(b *testing.B, root string) map[string]fs.FileInfo {
	b.Helper()
	files := make(map[string]fs.FileInfo)
	for _, folder := range []string{"index", "private"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files[path], err = d.Info()
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			b.Fatal(err)
		}
	}
	return files
}

// generationBytes returns the size of the current generation of a site, with its chunks.
func generationBytes(b *testing.B, root string) (size int64) {
	b.Helper()
	current, err := site.ReadCurrent(root)
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range current.Files() {
		info, err := os.Stat(filepath.Join(root, filepath.FromSlash(f.Path)))
		if err != nil {
			b.Fatal(err)
		}
		size += info.Size()
	}
	shared, err := site.ReadFiles(root, current)
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range shared.All() {
		size += f.Size
	}
	return size
}
