package collect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/collect/lock"
	"galbuild/build/upstream"
)

// A registry lists the packages of a storage, each of which needs the next ones.
type registry struct {
	*storage
	extensions map[string]*upstream.Extension
	count      int // of the extensions
}

// depth is how long the chains of dependencies are. There are as many as it takes.
const depth = 100

func newRegistry(t *testing.T, count int) *registry {
	r := &registry{newStorage(t), map[string]*upstream.Extension{}, count}
	for i := range count {
		id := fmt.Sprintf("acme.e%03d", i)
		release := upstream.Release{Version: "1.0.0", Package: upstream.File{Size: -1}}
		if needed := i + count/depth; needed < count {
			release.Dependencies = []string{fmt.Sprintf("acme.e%03d", needed)}
		}
		if i%10 == 1 { // of the others, the upstream states the hash
			release.Package.URL = r.add(id, "1.0.0", "").Address
		} else {
			p := r.add(id, "1.0.0", "")
			release.Package = upstream.File{URL: p.Address, SHA256: p.SHA256, Size: p.Size}
		}
		r.extensions[id] = &upstream.Extension{ID: id, Releases: []upstream.Release{release}}
	}
	return r
}

func (r *registry) Name() string { return r.URL }

func (r *registry) Extension(_ context.Context, id string) (*upstream.Extension, error) {
	if e := r.extensions[id]; e != nil {
		copied := *e
		copied.Releases = slices.Clone(e.Releases)
		return &copied, nil
	}
	return nil, upstream.ErrNotFound
}

func (r *registry) Complete(context.Context, *upstream.Extension, *upstream.Release) error {
	return nil
}

func (r *registry) List(context.Context, upstream.Listing) ([]string, error) {
	return nil, upstream.ErrUnsupported
}

func (r *registry) Changes(context.Context, string) (*upstream.Changes, error) {
	return nil, upstream.ErrUnsupported
}

// roots returns requests for the extensions that no other one needs.
func (r *registry) roots() (all []Request) {
	for i := range r.count / depth {
		all = append(all, Request{ID: fmt.Sprintf("acme.e%03d", i), Source: "list.txt"})
	}
	return all
}

// collect plans and fetches a collection.
func (r *registry) collect(ctx context.Context, t *testing.T, dir string, c FetchConfig) (*Fetched, error) {
	t.Helper()
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	old, err := ReadLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := MakePlan(t.Context(), r.roots(), Config{Upstreams: []upstream.Upstream{r}, Lock: old, Now: fetchedAt})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Entries) != r.count || len(plan.Missing) > 0 {
		t.Fatalf("%d packages are planned, %v are missing", len(plan.Entries), plan.Missing)
	}
	return f.Fetch(ctx, plan, &lock.Lock{Requests: LockRequests(r.roots())}, c)
}

// wantOnce checks that each package was requested once, except for those whose transfers were
// interrupted, of which there are as many as downloads at once.
func (r *registry) wantOnce(t *testing.T, interruptions int) {
	t.Helper()
	times, more := map[string]int{}, 0
	for _, request := range r.requests {
		path, rest, _ := strings.Cut(request, " ")
		if times[path]++; times[path] > 1 && rest == "" {
			more++
		}
	}
	if len(times) != r.count || more > interruptions*defaultJobs {
		t.Errorf("%d packages were requested, and %d of them again", len(times), more)
	}
	r.requests = nil
}

// TestDeep collects three extensions that need 297 others. Tests with the tag e2e collect more.
func TestDeep(t *testing.T) { testDeep(t, 300) }

// testDeep collects extensions of which each needs others. It is interrupted three times, and goes
// on. The same lock gives the same folder elsewhere.
func testDeep(t *testing.T, count int) {
	r, dir, elsewhere := newRegistry(t, count), t.TempDir(), t.TempDir()
	interruptions := []int{count / 20, count / 5 * 2, count / 10 * 9} // after as many packages
	for _, at := range interruptions {
		ctx, cancel := context.WithCancel(t.Context())
		c := config(t)
		c.Progress = func(p FetchProgress) {
			if p.Done >= at {
				cancel()
			}
		}
		if _, err := r.collect(ctx, t, dir, c); !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted after %d packages: %v", at, err)
		}
		if l, err := ReadLock(dir); err != nil || l != nil {
			t.Fatalf("an interrupted run has written a lock: %v", err)
		}
	}
	result, err := r.collect(t.Context(), t, dir, config(t))
	if err != nil || len(result.Failed) > 0 || len(result.Lock.Entries) != count {
		t.Fatalf("%v, failed: %+v", err, result)
	}
	r.wantOnce(t, len(interruptions))

	if result, err = r.collect(t.Context(), t, dir, config(t)); err != nil || len(result.Packages) > 0 || len(r.requests) > 0 {
		t.Errorf("collected again: %v, %d packages and %d requests", err, len(result.Packages), len(r.requests))
	}
	l, err := ReadLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	result = in(t, elsewhere, func(f *Folder) (*Fetched, error) { return f.FetchLocked(t.Context(), l, config(t)) })
	wantFailed(t, result)
	r.wantOnce(t, 0)
	if a, b := hashes(filesIn(t, dir)), hashes(filesIn(t, elsewhere)); !maps.Equal(a, b) || len(a) != 2*count+1 {
		t.Errorf("the folders of %d and %d files differ", len(a), len(b))
	}
}

// hashes returns the hashes of files.
func hashes(files map[string]string) map[string]blob.Ref {
	all := map[string]blob.Ref{}
	for name, text := range files {
		all[name] = blob.Sum([]byte(text))
	}
	return all
}
