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
//   - its files have the hashes in CURRENT;
//   - the head of the history is that of the generation, and commits to all entries, unless the
//     site has none, because it was copied with standard tools from where they are not served;
//   - the catalogue has no version that a decision keeps out, and no policy that is invalid;
//   - the index and the static responses are those that are derived from the catalogue, unless
//     another Version has rendered them, so that they cannot be derived again;
//   - each blob has the hash in its name;
//   - each path has the content of its blob.
//
// Whatever is different is a problem in the report. An error means that the site could not be
// verified.
func Verify(ctx context.Context, root string) (*Report, error) {
	v := &verifier{root: root, report: &Report{Site: root, Problems: []string{}}}
	current, head, err := site.ReadCurrentHead(root)
	if err == nil && current.IsZero() {
		_, err = site.RequireCurrent(root) // its error
	}
	if err != nil {
		return nil, err
	}
	v.report.Generation = current.Generation
	v.checkHistory(current, head)
	c, err := site.ReadCatalog(root, current)
	if err != nil {
		v.problem("catalogue: %w", err)
		return v.report, nil
	}
	v.count(c)
	for _, p := range CheckDecisions(c) {
		v.problem("%s", p)
	}
	listed := slices.Collect(Content(c))
	if err := v.checkIndex(current, c, listed); err != nil {
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

type verifier struct {
	root   string
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

// checkIndex derives the index from the catalogue again. If its content differs, each difference is
// a problem.
func (v *verifier) checkIndex(current site.Current, c *catalog.Catalog, listed []index.File) error {
	path := current.IndexPath()
	if got, _, err := blob.SumFile(v.file(path)); err != nil {
		v.problem("%s: %v", path, reason(err))
		return nil
	} else if got != current.Index {
		v.problem("%s: SHA-256 is %s, want %s as in %s", path, got, current.Index, site.CurrentPath)
		return nil
	}
	scratch, err := os.MkdirTemp("", "galbuild-verify-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	derived := sha256.New()
	want := content(c, nil, scratch)
	if err := index.Write(derived, want); err != nil {
		v.problem("catalogue: %w", err)
		return nil
	}
	switch {
	case blob.Ref(derived.Sum(nil)) == current.Index:
	case c.Render != Version:
		v.problem("%s: another version of galbuild has rendered it (rendering %d, this program has %d): build the site again, so that it can be verified", path, c.Render, Version)
	default:
		v.compareIndex(path, want, listed)
	}
	return nil
}

// compareIndex reports each difference between an index and the one that is derived from the
// catalogue.
func (v *verifier) compareIndex(path string, want index.Content, listed []index.File) {
	ix, err := index.Open(v.file(path))
	if err != nil {
		v.problem("%s: %w", path, err)
		return
	}
	defer ix.Close()
	numbers := make(map[string]int, len(want.Documents))
	for i, d := range want.Documents {
		numbers[strings.ToLower(d.ID)] = i
	}
	before := len(v.report.Problems)
	for hit, d := range ix.Documents() {
		key := strings.ToLower(d.ID)
		i, ok := numbers[key]
		got := index.Payloads{ix.Payload(hit, index.Latest), ix.Payload(hit, index.All)}
		switch {
		case !ok:
			v.problem("%s: %s is not in the catalogue", path, d.ID)
		case !reflect.DeepEqual(want.Documents[i], d), !reflect.DeepEqual(want.Payloads(i), got):
			v.problem("%s: %s is not as in the catalogue", path, d.ID)
		}
		delete(numbers, key)
	}
	for _, i := range numbers {
		v.problem("%s: %s is missing", path, want.Documents[i].ID)
	}
	for _, f := range listed {
		if got, ok := ix.File(f.Path); !ok || got != f {
			v.problem("%s: %s is not as in the catalogue", path, f.Path)
		}
	}
	if len(v.report.Problems) == before {
		v.problem("%s: its content differs from what is derived from the catalogue", path)
	}
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
	if at, err := os.Stat(v.file(ref.Path())); err == nil && at.Size() != size { // do not hash a huge file
		v.problem("%s: %d bytes, want %d as in the catalogue", ref.Path(), at.Size(), size)
		return
	}
	got, n, err := blob.SumFile(v.file(ref.Path()))
	switch {
	case err != nil:
		v.problem("%s: %v", ref.Path(), reason(err))
	case n != size:
		v.problem("%s: %d bytes, want %d as in the catalogue", ref.Path(), n, size)
	case got != ref:
		v.problem("%s: SHA-256 is %s", ref.Path(), got)
	default:
		v.mutex.Lock()
		defer v.mutex.Unlock()
		v.report.Blobs++
		v.report.Bytes += n
	}
}

// checkPaths checks that each path is a link to its blob, or a copy of it.
func (v *verifier) checkPaths(listed []index.File) {
	v.report.Files = len(listed)
	for _, f := range listed {
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
	if c.Render != Version {
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
