package modules

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

// TestRandom makes random packages, in several versions and linked as pnpm does, and checks
// that each finds its own dependencies.
func TestRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	laidOut := 0
	for n := range 100 {
		files := linkedAtRandom(random)
		root := files["package.json"].Data
		folders, findings, err := Folders(Dir{FS: files, Path: "."}, root, Options{Manager: Pnpm})
		if err != nil {
			t.Fatal(err)
		}
		if len(findings) > 0 {
			continue // a layout without links is not possible
		}
		laidOut++
		c := testCase{kind: "pnpm", archive: archiveOf(files)}
		c.checkRuns(t, folders)
		if t.Failed() {
			t.Fatalf("in the layout %d: %q", n, formatFolders(folders))
		}
	}
	if laidOut < 80 {
		t.Errorf("%d of 100 trees have a layout", laidOut)
	}
}

// linkedAtRandom returns an extension that depends on some of eight packages, each in three
// versions.
func linkedAtRandom(random *rand.Rand) fstest.MapFS {
	files := fstest.MapFS{}
	addDependencies := func(from, folder string) {
		specs := map[string]string{}
		for range random.IntN(3) {
			name, version := fmt.Sprintf("p%d", random.IntN(8)), random.IntN(3)
			if _, twice := specs[name]; twice {
				continue
			}
			specs[name] = fmt.Sprint(version)
			files[folder+name] = &fstest.MapFile{
				Data: fmt.Appendf(nil, "%s%s@%d/node_modules/%s", from, name, version, name), Mode: fs.ModeSymlink,
			}
		}
		text, _ := json.Marshal(map[string]any{"dependencies": specs})
		files[folder] = &fstest.MapFile{Data: text}
	}
	addDependencies(".pnpm/", "node_modules/")
	files["package.json"] = files["node_modules/"]
	delete(files, "node_modules/")
	for name := range 8 {
		for version := range 3 {
			id, own := fmt.Sprintf("p%d@%d", name, version), fmt.Sprintf("p%d", name)
			folder := "node_modules/.pnpm/" + id + "/node_modules/"
			addDependencies("../../", folder)
			text := files[folder]
			delete(files, folder)
			delete(files, folder+own) // a dependency on itself
			files[folder+own+"/package.json"] = text
		}
	}
	return files
}

// archiveOf returns an archive from which testCase.files makes the same files.
func archiveOf(files fstest.MapFS) *txtar.Archive {
	archive := &txtar.Archive{}
	links := ""
	for name, f := range files {
		if f.Mode&fs.ModeSymlink != 0 {
			links += name + " -> " + string(f.Data) + "\n"
			continue
		}
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: f.Data})
	}
	archive.Files = append(archive.Files, txtar.File{Name: "links", Data: []byte(links)})
	return archive
}
