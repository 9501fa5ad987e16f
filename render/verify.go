package render

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/errmsg"
	"galbuild/build/history"
	"galbuild/build/policy"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/index"
)

// Report is the result of [Verify], as --json prints it.
type Report struct {
	Site       string   `json:"site"`
	Generation string   `json:"generation"`
	Extensions int      `json:"extensions"`
	Versions   int      `json:"versions"`
	Files      int      `json:"files"` // paths that the site serves
	Blobs      int      `json:"blobs"` // blobs without a problem
	Bytes      int64    `json:"bytes"` // bytes of these blobs
	Problems   []string `json:"problems"`
}

// Verify checks that in the current generation of the site at root
//
//   - its files have the hashes in CURRENT, and its chunks have those in the main file of the
//     catalogue;
//   - the head of the history is that of the generation, and commits to all entries, unless the
//     site has none, because it was copied with standard tools from where they are not served;
//   - the catalogue has no version that a decision keeps out, and no policy that is invalid;
//   - the chunks, the index and the static responses are those that are derived from the catalogue,
//     unless another Version has rendered them, so that they cannot be derived again;
//   - each blob has the hash in its name;
//   - each path has the content of its blob.
//
// If a change of the site was interrupted, its pages and static responses may be those of another
// generation until the next change. They are not verified then.
//
// Whatever is different is a problem in the report. An error means that the site could not be
// verified.
func Verify(ctx context.Context, root string) (*Report, error) {
	v := &verifier{root: root, dirty: site.IsDirty(root), report: &Report{Site: root, Problems: []string{}}}
	current, head, err := site.ReadCurrentHead(root)
	if err == nil && current.IsZero() {
		_, err = site.RequireCurrent(root) // its error
	}
	if err != nil {
		return nil, err
	}
	v.report.Generation = current.Generation
	v.checkHistory(current, head)
	c, chunks, err := v.readCatalog(ctx, current)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return v.report, nil
	}
	v.count(c)
	for _, p := range CheckDecisions(c) {
		v.problem("%s", p)
	}
	listed := slices.Collect(Content(c))
	if err := v.checkIndex(ctx, current, c, chunks, listed); err != nil {
		return nil, err
	}
	if err := v.checkBlobs(ctx, listed); err != nil {
		return nil, err
	}
	v.checkPaths(listed)
	v.checkResponses(c)
	slices.Sort(v.report.Problems)
	return v.report, nil
}

// checkHistory checks the whole history, or only its head in a site without entries: one that was
// unpacked from a tarball, or copied from where they are not served.
func (v *verifier) checkHistory(current site.Current, last site.Head) {
	files := site.FilesIn(v.root)
	head, err := site.ReadHead(files, current, last)
	if _, missing := os.Stat(v.file(history.EntryDir)); err == nil && !errors.Is(missing, fs.ErrNotExist) {
		err = site.CheckHistory(files, head)
	}
	if err != nil {
		v.problem("%w", err)
	}
}

// readCatalog returns the catalogue and the files of its chunks, which it has hashed. Each file
// that is damaged is a problem. If it is the main file or a chunk of the catalogue, readCatalog
// returns no catalogue, and if it is a chunk of the index, no files.
func (v *verifier) readCatalog(ctx context.Context, current site.Current) (*catalog.Catalog, []catalog.ChunkFiles, error) {
	chunks, err := site.ReadChunks(v.root, current)
	if err != nil {
		v.problem("catalogue: %w", err)
		return nil, nil, nil
	}
	before := len(v.report.Problems)
	lines, err := v.checkChunks(ctx, chunks)
	if !lines || err != nil {
		return nil, nil, err
	}
	if len(v.report.Problems) > before {
		chunks = nil
	}
	c, err := site.ReadCatalog(v.root, current)
	if err != nil {
		v.problem("catalogue: %w", err)
	}
	return c, chunks, nil
}

// checkChunks hashes the files of all chunks. It reports whether those of the catalogue are sound.
func (v *verifier) checkChunks(ctx context.Context, chunks []catalog.ChunkFiles) (lines bool, err error) {
	var damaged atomic.Bool // of the catalogue
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for path, f := range catalog.AllChunkFiles(chunks) {
		group.Go(func() error {
			if !v.checkFile(path, f.SHA256, f.Size) && path == catalog.LinesPath(f.SHA256) {
				damaged.Store(true)
			}
			return ctx.Err()
		})
	}
	err = group.Wait()
	return !damaged.Load(), err
}

type verifier struct {
	root   string
	dirty  bool // pages and static responses may be those of another generation
	mutex  sync.Mutex
	report *Report
}

func (v *verifier) problem(format string, args ...any) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.report.Problems = append(v.report.Problems, errmsg.Text(fmt.Errorf(format, args...)))
}

func (v *verifier) file(path string) string { return filepath.Join(v.root, filepath.FromSlash(path)) }

func (v *verifier) count(c *catalog.Catalog) {
	v.report.Extensions = len(c.Extensions)
	for i := range c.Extensions {
		v.report.Versions += len(c.Extensions[i].Versions)
	}
}

// CheckDecisions returns a problem for each version of a catalogue that a decision keeps out, and
// one for a policy that is invalid.
func CheckDecisions(c *catalog.Catalog) (problems []string) {
	if c.Policy != "" {
		if _, err := policy.Parse("policy", []byte(c.Policy)); err != nil {
			problems = append(problems, fmt.Sprintf("catalogue: %v", err))
		}
	}
	set := decision.Of(c)
	for key, v := range c.Served() {
		if out := set.Out(key, v.Package.Ref); len(out) > 0 {
			problems = append(problems, fmt.Sprintf("%s is in the catalogue, although %s is %s", key, out[0].Subject, out[0].Kind))
		}
	}
	return problems
}

// checkIndex derives the index and all chunks from the catalogue again. Each difference is a
// problem. If there are no chunks, because one is damaged, it checks only the hash of the index.
func (v *verifier) checkIndex(ctx context.Context, current site.Current, c *catalog.Catalog, chunks []catalog.ChunkFiles, listed []index.File) error {
	path := current.IndexPath()
	if got, _, err := blob.SumFile(v.file(path)); err != nil {
		v.problem("%s: %v", path, reason(err))
		return nil
	} else if got != current.Index {
		v.problem("%s: SHA-256 is %s, want %s as in %s", path, got, current.Index, site.CurrentPath)
		return nil
	}
	if chunks == nil {
		return nil
	}
	scratch, err := os.MkdirTemp("", "galbuild-verify-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	want := newDerivation(c, func(string, []byte) error { return nil })
	want.scratch = scratch
	all, err := want.run(ctx)
	sum := sha256.New()
	if err == nil {
		err = index.Write(sum, all.content)
	}
	if err != nil {
		v.problem("catalogue: %w", err)
		return ctx.Err()
	}
	switch {
	case blob.Ref(sum.Sum(nil)) == current.Index && reflect.DeepEqual(all.files, chunks):
	case c.Render != Version:
		v.problem("%s: another version of galbuild has rendered it (rendering %d, this program has %d): build the site again, so that it can be verified", path, c.Render, Version)
	default:
		v.compareIndex(path, want, all, listed)
	}
	return nil
}

// compareIndex reports each difference between an index and the one that is derived from the
// catalogue.
func (v *verifier) compareIndex(path string, want *derivation, all *derived, listed []index.File) {
	ix, err := index.Open(v.file(path), index.ChunksIn(v.file(catalog.ChunkDir)))
	if err != nil {
		v.problem("%s: %w", path, err)
		return
	}
	defer ix.Close()
	numbers := make(map[string]int, len(all.content.Documents))
	for i, d := range all.content.Documents {
		numbers[strings.ToLower(d.ID)] = i
	}
	before := len(v.report.Problems)
	for hit, d := range ix.Documents() {
		key := strings.ToLower(d.ID)
		i, ok := numbers[key]
		switch {
		case !ok:
			v.problem("%s: %s is not in the catalogue", path, d.ID)
		case !reflect.DeepEqual(all.content.Documents[i], d), !want.hasPayloads(ix, hit, key):
			v.problem("%s: %s is not as in the catalogue", path, d.ID)
		}
		delete(numbers, key)
	}
	for _, i := range numbers {
		v.problem("%s: %s is missing", path, all.content.Documents[i].ID)
	}
	for _, f := range listed {
		if got, ok, err := ix.File(f.Path); err != nil || !ok || got != f {
			v.problem("%s: %s is not as in the catalogue", path, f.Path)
		}
	}
	if len(v.report.Problems) == before {
		v.problem("%s: its content differs from what is derived from the catalogue", path)
	}
}

// hasPayloads reports whether a document of an index has the payloads of the extension with this
// Key.
func (d *derivation) hasPayloads(ix *index.Index, hit index.Hit, key string) bool {
	latest, err := ix.Payload(hit, index.Latest)
	if err != nil {
		return false
	}
	all, err := ix.Payload(hit, index.All)
	if err != nil {
		return false
	}
	return reflect.DeepEqual(d.renderer.Payloads(present(d.catalog.Find(key), d.policy)), index.Payloads{latest, all})
}

// checkBlobs hashes each blob that is listed.
func (v *verifier) checkBlobs(ctx context.Context, listed []index.File) error {
	sizes := make(map[blob.Ref]int64)
	for _, f := range listed {
		sizes[f.SHA256] = f.Size
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for ref, size := range sizes {
		group.Go(func() error {
			v.checkBlob(ref, size)
			return ctx.Err()
		})
	}
	return group.Wait()
}

func (v *verifier) checkBlob(ref blob.Ref, size int64) {
	if !v.checkFile(ref.Path(), ref, size) {
		return
	}
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.report.Blobs++
	v.report.Bytes += size
}

// checkFile hashes a file. If it does not have this hash and size, as the catalogue says, that is a
// problem.
func (v *verifier) checkFile(path string, want blob.Ref, size int64) (sound bool) {
	if at, err := os.Stat(v.file(path)); err == nil && at.Size() != size { // do not hash a huge file
		v.problem("%s: %d bytes, want %d as in the catalogue", path, at.Size(), size)
		return false
	}
	switch got, n, err := blob.SumFile(v.file(path)); {
	case err != nil:
		v.problem("%s: %v", path, reason(err))
	case n != size:
		v.problem("%s: %d bytes, want %d as in the catalogue", path, n, size)
	case got != want:
		v.problem("%s: SHA-256 is %s", path, got)
	default:
		return true
	}
	return false
}

// checkPaths checks that each path is a link to its blob, or a copy of it.
func (v *verifier) checkPaths(listed []index.File) {
	v.report.Files = len(listed)
	for _, f := range listed {
		if v.dirty && catalog.IsDerived(f.Path) {
			continue
		}
		ref := blob.Ref(f.SHA256)
		at, err := os.Stat(v.file(f.Path))
		if err != nil {
			v.problem("%s: %v", f.Path, reason(err))
			continue
		}
		if stored, err := os.Stat(v.file(ref.Path())); err == nil && os.SameFile(at, stored) {
			continue // checkBlobs has reported the problems of the blob
		}
		if got, _, err := blob.SumFile(v.file(f.Path)); err != nil {
			v.problem("%s: %v", f.Path, reason(err))
		} else if got != ref {
			v.problem("%s: SHA-256 is %s, want %s as in the catalogue", f.Path, got, ref)
		}
	}
}

// checkResponses compares the static responses with those that are derived from the catalogue.
func (v *verifier) checkResponses(c *catalog.Catalog) {
	if c.Render != Version || v.dirty {
		return
	}
	for f := range Responses(c) {
		v.report.Files++
		got, err := regularfile.ReadFile(v.file(f.Path), int64(len(f.Text)))
		if err != nil && !errors.Is(err, regularfile.ErrLong) {
			v.problem("%s: %v", f.Path, reason(err))
		} else if string(got) != string(f.Text) {
			v.problem("%s: differs from what is derived from the catalogue", f.Path)
		}
	}
}

// reason removes the path from an error whose message already contains it.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
