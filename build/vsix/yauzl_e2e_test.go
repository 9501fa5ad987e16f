//go:build e2e

package vsix

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

// TestYauzl reads packages with the unzip library of the installed editor: those of the
// other tests, and damaged copies. Every package that galbuild accepts must unpack to the
// same names and bytes in the editor.
func TestYauzl(t *testing.T) {
	samples := unusualArchives()
	for _, all := range []map[string]sample{ambiguousArchives(), wrongEnds64()} {
		for name, s := range all {
			samples["ambiguous: "+name] = s.archive
		}
	}
	good := pack(t, []entry{packageJSON, {name: "extension/a.js", content: strings.Repeat("let a; ", 50)}, {name: "extension.vsixmanifest", content: "<PackageManifest/>"}})
	samples["good"] = good
	random := rand.New(rand.NewPCG(10, 10))
	for i := range 1000 {
		samples[fmt.Sprintf("damaged %d", i)] = damage(random, good)
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range samples {
			if !yield(name) {
				return
			}
		}
	})
	var both, refused, galbuildOnly int
	for i, result := range runYauzl(t, samples, names) {
		got, err := hashes(samples[names[i]])
		switch {
		case err != nil && result.Error != "":
			refused++
		case err != nil:
			galbuildOnly++
		case result.Error != "":
			t.Errorf("%s: accepted, but the editor fails with %s", names[i], result.Error)
		case !slices.Equal(got, result.clean()):
			t.Errorf("%s: read as %v, but the editor unpacks %v", names[i], got, result.Entries)
		default:
			both++
		}
	}
	t.Logf("%d archives: %d are read equally, %d refused by both, %d refused by galbuild only", len(names), both, refused, galbuildOnly)
	if both < 10 || refused < 10 || galbuildOnly < 10 {
		t.Error("want each outcome at least ten times")
	}
}

// damage changes some bytes, most of them in the directory.
func damage(random *rand.Rand, good []byte) []byte {
	b := bytes.Clone(good)
	for range 1 + random.IntN(4) {
		at := random.IntN(len(b))
		if random.IntN(5) > 0 {
			at = len(b) - 1 - random.IntN(min(250, len(b)))
		}
		b[at] = []byte{0, 1, 8, 127, 128, 255, byte(random.UintN(256))}[random.IntN(7)]
	}
	return b
}

// A yauzlResult is what yauzl.js prints for an archive.
type yauzlResult struct {
	Error   string
	Entries [][2]string
}

func (r *yauzlResult) clean() []string {
	all := []string{}
	for _, e := range r.Entries {
		all = append(all, path.Clean(e[0])+" "+e[1])
	}
	return all
}

func runYauzl(t *testing.T, samples map[string][]byte, names []string) []yauzlResult {
	t.Helper()
	tools := toolchain.Tools(t)
	dir := t.TempDir()
	args := []string{"yauzl.js", filepath.Join(tools.CodeServer, "lib/vscode/node_modules/yauzl")}
	for i, name := range names {
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, samples[name], 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	command := exec.Command(tools.Node, args...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	results := make([]yauzlResult, len(names))
	for i := range results {
		if err := decoder.Decode(&results[i]); err != nil {
			t.Fatal(err)
		}
	}
	return results
}

func hashes(archive []byte) ([]string, error) {
	p, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
	if err != nil {
		return nil, err
	}
	all := []string{}
	err = p.Walk(func(e Entry, r io.Reader) error {
		hash := sha256.New()
		_, err := io.Copy(hash, r)
		all = append(all, e.Name+" "+hex.EncodeToString(hash.Sum(nil)))
		return err
	})
	return all, err
}
