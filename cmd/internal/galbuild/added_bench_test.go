//go:build unix

package galbuild

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/site"
)

// BenchmarkOneAdded adds one package at a time to a site, and measures a build of it, a publish to
// a folder, a pull of the index, which downloads what a galshim does that follows the site, and an
// export of the changes. It reports how many bytes each of them writes (written-B): below index/
// and private/, or as a tarball and its listing. generation-B is the size of the new generation,
// and floor-B by how much it is larger than the one before: no format can write less.
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
				for file, info := range writtenFiles(b, of.to) {
					if was := before[file]; was == nil || !os.SameFile(was, info) || !was.ModTime().Equal(info.ModTime()) {
						written += info.Size()
					}
				}
				size = generationBytes(b, path("site"))
				grown += size - old
				b.StartTimer()
			}
			b.ReportMetric(float64(written)/float64(b.N), "written-B")
			b.ReportMetric(float64(grown)/float64(b.N), "floor-B")
			b.ReportMetric(float64(size), "generation-B")
		})
	}
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
	chunks, err := site.ReadChunks(root, current)
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range catalog.AllChunkFiles(chunks) {
		size += f.Size
	}
	return size
}
