// Package targettest tests what every [target.Target] must do.
//
//	func TestTarget(t *testing.T) {
//		targettest.Run(t, targettest.Options{}, func(t *testing.T) target.Target { … })
//	}
package targettest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/publish/target"
)

// Options adjust the suite to a target.
type Options struct {
	// Page is the number of entries in one page of the target's lists. The suite stores a few
	// more. 0 means that the target has no pages; then the suite stores 20.
	Page int
	// Large is the size of the large object, in bytes. 0 means 64 MiB. Tests of real services
	// and long tests use 1 GiB.
	Large int64
}

// Run runs the suite. It calls new for each test; new returns an empty target and registers
// its cleanup.
func Run(t *testing.T, o Options, new func(t *testing.T) target.Target) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, o Options, p target.Target)
	}{
		{"PutGet", testPutGet},
		{"NotExist", testNotExist},
		{"Keys", testKeys},
		{"Replace", testReplace},
		{"List", testList},
		{"Copy", testCopy},
		{"Delete", testDelete},
		{"Swap", testSwap},
		{"SwapRace", testSwapRace},
		{"Large", testLarge},
		{"Cancel", testCancel},
		{"WrongContent", testWrongContent},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, o, new(t)) })
	}
}

func object(key, text string) target.Object {
	return target.Bytes(key, "text/plain; charset=utf-8", target.Immutable, []byte(text))
}

func put(t *testing.T, p target.Target, key, text string) {
	t.Helper()
	if err := p.Put(t.Context(), object(key, text)); err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
}

// get returns length bytes of an object from offset on, or all of them with a length of -1.
func get(t *testing.T, p target.Target, key string, offset, length int64) string {
	t.Helper()
	r, err := p.Get(t.Context(), key, offset, length)
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	return string(b)
}

func list(t *testing.T, p target.Target, prefix string) []string {
	t.Helper()
	keys := []string{}
	for e, err := range p.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("list %q: %v", prefix, err)
		}
		keys = append(keys, fmt.Sprintf("%s %d", e.Key, e.Size))
	}
	slices.Sort(keys)
	return keys
}

func testPutGet(t *testing.T, _ Options, p target.Target) {
	put(t, p, "a/b.txt", "0123456789")
	put(t, p, "empty", "")
	for _, x := range []struct {
		key            string
		offset, length int64
		want           string
	}{
		{"a/b.txt", 0, -1, "0123456789"}, {"a/b.txt", 0, 10, "0123456789"}, {"a/b.txt", 3, 4, "3456"},
		{"a/b.txt", 9, 1, "9"}, {"a/b.txt", 5, -1, "56789"}, {"a/b.txt", 8, 100, "89"}, {"empty", 0, -1, ""},
	} {
		if got := get(t, p, x.key, x.offset, x.length); got != x.want {
			t.Errorf("get %s %d %d: got %q, want %q", x.key, x.offset, x.length, got, x.want)
		}
	}
	if s := p.String(); s == "" || strings.ContainsAny(s, "\n\t") {
		t.Errorf("String returns %q", s)
	}
}

func testNotExist(t *testing.T, _ Options, p target.Target) {
	put(t, p, "folder/file", "x")
	for _, key := range []string{"none", "folder", "folder/none", "fold"} {
		r, err := p.Get(t.Context(), key, 0, -1)
		if !errors.Is(err, target.ErrNotExist) {
			t.Errorf("get %q: got %v, want ErrNotExist", key, err)
		}
		if err == nil {
			r.Close()
		}
	}
	if got := list(t, p, "nothing/"); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

// keys are examples of all kinds of paths that a site may have.
var keys = []string{
	"plain", "UPPER.and.lower", "with space", "plus+plus", "at@sign", "per%cent", "per%20cent", "question?mark", "hash#sign", "amp&ersand=x",
	"quote'quote", `quote"quote`, "paren(s)[b]{c}", "semi;colon,comma:colon", "tilde~!$*", "ünï/cödé", "日本語/ファイル", "emoji🙂", "dots...dots", ".hidden",
	"a/very/deep/" + "folder/of/folders/in/folders", "assets/acme/hello/1.0.0+build.5@linux-x64/Microsoft.VisualStudio.Services.VSIXPackage",
	"long/" + longName,
}

const longName = "0123456789abcdefghijklmnopqrstuvwxyz-0123456789abcdefghijklmnopqrstuvwxyz-0123456789abcdefghijklmnopqrstuvwxyz-0123456789"

func testKeys(t *testing.T, _ Options, p target.Target) {
	want := []string{}
	for i, key := range keys {
		put(t, p, key, fmt.Sprint(i))
		want = append(want, fmt.Sprintf("%s %d", key, len(fmt.Sprint(i))))
	}
	for i, key := range keys {
		if got := get(t, p, key, 0, -1); got != fmt.Sprint(i) {
			t.Errorf("get %q: got %q, want %q", key, got, fmt.Sprint(i))
		}
	}
	slices.Sort(want)
	if got := list(t, p, ""); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for i, key := range keys {
		if err := p.Copy(t.Context(), key, object("copies/"+key, fmt.Sprint(i))); err != nil {
			t.Errorf("copy %q: %v", key, err)
		} else if got := get(t, p, "copies/"+key, 0, -1); got != fmt.Sprint(i) {
			t.Errorf("the copy of %q is %q", key, got)
		}
	}
	if err := p.Delete(t.Context(), keys); err != nil {
		t.Fatal(err)
	}
	if got := list(t, p, ""); len(got) != len(keys) {
		t.Errorf("%d objects are left, want the %d copies", len(got), len(keys))
	}
}

func testReplace(t *testing.T, _ Options, p target.Target) {
	for _, text := range []string{"first", "second, and longer", "3"} {
		put(t, p, "x", text)
		if got := get(t, p, "x", 0, -1); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
}

func testList(t *testing.T, o Options, p target.Target) {
	n := 20
	if o.Page > 0 {
		n = o.Page + 5
	}
	want := []string{}
	var group sync.WaitGroup
	limit := make(chan bool, 16)
	for i := range n {
		want = append(want, fmt.Sprintf("many/%d/%05d 1", i%3, i))
		limit <- true
		group.Go(func() {
			defer func() { <-limit }()
			if err := p.Put(t.Context(), object(fmt.Sprintf("many/%d/%05d", i%3, i), "x")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	put(t, p, "manyother", "x")
	put(t, p, "few/0", "xx")
	slices.Sort(want)
	if got := list(t, p, "many/"); !slices.Equal(got, want) {
		t.Errorf("got %d entries, want %d", len(got), len(want))
	}
	if got := list(t, p, "few/"); !slices.Equal(got, []string{"few/0 2"}) {
		t.Errorf("got %q", got)
	}
	for e, err := range p.List(t.Context(), "few/") {
		if age := time.Since(e.Modified); err != nil || age < -time.Hour || age > time.Hour {
			t.Errorf("got %v ago, %v", age, err)
		}
	}
	for range p.List(t.Context(), "many/") {
		break // the target must allow callers to stop early
	}
}

func testCopy(t *testing.T, _ Options, p target.Target) {
	put(t, p, "from", "some text")
	o := object("to/it", "some text")
	o.Open = func() (io.ReadCloser, error) {
		return nil, errors.New("the target must not read content that it can copy")
	}
	if err := p.Copy(t.Context(), "from", o); err != nil {
		t.Fatal(err)
	}
	put(t, p, "from", "another text")
	if got := get(t, p, "to/it", 0, -1); got != "some text" {
		t.Errorf("the copy is %q", got)
	}
	if err := p.Copy(t.Context(), "from", object("to/it", "another text")); err != nil {
		t.Fatal(err)
	}
	if got := get(t, p, "to/it", 0, -1); got != "another text" {
		t.Errorf("the second copy is %q", got)
	}
	same := object("from", "another text")
	same.MediaType = "application/octet-stream"
	if err := p.Copy(t.Context(), "from", same); err != nil {
		t.Errorf("copy to its own key, for other headers: %v", err)
	}
	if got := get(t, p, "from", 0, -1); got != "another text" {
		t.Errorf("after a copy to its own key: got %q", got)
	}
	if err := p.Copy(t.Context(), "none", o); !errors.Is(err, target.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

func testDelete(t *testing.T, _ Options, p target.Target) {
	put(t, p, "a/1", "x")
	put(t, p, "a/2", "x")
	put(t, p, "b", "x")
	if err := p.Delete(t.Context(), []string{"a/1", "none", "a/none", "b"}); err != nil {
		t.Fatal(err)
	}
	if got := list(t, p, ""); !slices.Equal(got, []string{"a/2 1"}) {
		t.Errorf("got %q", got)
	}
	if err := p.Delete(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func testSwap(t *testing.T, _ Options, p target.Target) {
	swap := func(old, new string, want error) {
		t.Helper()
		was := []byte(old)
		if old == "" {
			was = nil
		}
		if err := p.Swap(t.Context(), was, object("index/CURRENT", new)); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("from %q to %q: got %v, want %v", old, new, err, want)
		}
	}
	swap("none", "one", target.ErrChanged)
	swap("", "one", nil)
	swap("", "two", target.ErrChanged)
	swap("another", "two", target.ErrChanged)
	swap("one", "two", nil)
	swap("one", "three", target.ErrChanged)
	if got := get(t, p, "index/CURRENT", 0, -1); got != "two" {
		t.Errorf("got %q, want %q", got, "two")
	}
	for _, key := range list(t, p, "index/") {
		if !strings.HasPrefix(key, "index/CURRENT ") {
			t.Errorf("%q is left over", key)
		}
	}
}

// testSwapRace increments a number from several goroutines.
func testSwapRace(t *testing.T, _ Options, p target.Target) {
	const goroutines, each = 6, 4
	put(t, p, "number", "0")
	var lost atomic.Int64
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for done := 0; done < each; {
				old := get(t, p, "number", 0, -1)
				n := 0
				fmt.Sscan(old, &n)
				switch err := p.Swap(t.Context(), []byte(old), object("number", fmt.Sprint(n+1))); {
				case err == nil:
					done++
				case errors.Is(err, target.ErrChanged):
					lost.Add(1)
					time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	if got := get(t, p, "number", 0, -1); got != fmt.Sprint(goroutines*each) {
		t.Errorf("got %s, want %d: an increment was lost", got, goroutines*each)
	}
	t.Logf("%d of %d attempts came too late", lost.Load(), lost.Load()+goroutines*each)
}

// noise returns a reader of n bytes that do not compress. They are the same each time.
func noise(n int64) io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{7}), n) }

// oneLarge is held by testLarge, since the heap that it measures is that of all tests.
var oneLarge sync.Mutex

// testLarge checks that a large object is streamed and not held in memory.
func testLarge(t *testing.T, o Options, p target.Target) {
	oneLarge.Lock()
	defer oneLarge.Unlock()
	size := o.Large
	if size == 0 {
		size = 64 << 20
	}
	h := sha256.New()
	if _, err := io.Copy(h, noise(size)); err != nil {
		t.Fatal(err)
	}
	ref := blob.Ref(h.Sum(nil))
	large := target.Object{
		Key: "large", Size: size, SHA256: ref, MediaType: "application/octet-stream",
		Open: func() (io.ReadCloser, error) { return io.NopCloser(noise(size)), nil },
	}
	before := heap()
	if err := p.Put(t.Context(), large); err != nil {
		t.Fatal(err)
	}
	if err := p.Copy(t.Context(), "large", target.Object{Key: "copy", Size: size, SHA256: ref, Open: large.Open}); err != nil {
		t.Fatal(err)
	}
	r, err := p.Get(t.Context(), "copy", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	h.Reset()
	if n, err := io.Copy(h, r); err != nil || n != size || blob.Ref(h.Sum(nil)) != ref {
		t.Errorf("got %d bytes of SHA-256 %x, %v, want %d of %s", n, h.Sum(nil), err, size, ref)
	}
	if grown := heap() - before; grown > 48<<20 {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func testCancel(t *testing.T, _ Options, p target.Target) {
	put(t, p, "x", "text")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Put(ctx, object("y", "text")); !errors.Is(err, context.Canceled) {
		t.Errorf("put: got %v", err)
	}
	if r, err := p.Get(ctx, "x", 0, -1); err == nil {
		_, err = io.ReadAll(r)
		r.Close()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("get: got %v", err)
		}
	}
	for _, err := range p.List(ctx, "") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("list: got %v", err)
		}
	}
	ctx, cancel = context.WithCancel(t.Context())
	endless := target.Object{Key: "endless", Size: 1 << 40, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(canceller{rand.NewChaCha8([32]byte{}), cancel}), nil
	}}
	if err := p.Put(ctx, endless); !errors.Is(err, context.Canceled) {
		t.Errorf("put in the middle: got %v", err)
	}
	if got := list(t, p, ""); !slices.Equal(got, []string{"x 4"}) {
		t.Errorf("left: %q", got)
	}
}

// A canceller is a reader that cancels a context when it is read.
type canceller struct {
	io.Reader
	cancel func()
}

func (c canceller) Read(b []byte) (int, error) {
	c.cancel()
	return c.Reader.Read(b)
}

// testWrongContent puts content that does not match the object's size and hash. This happens
// if a file changes during its upload.
func testWrongContent(t *testing.T, _ Options, p target.Target) {
	for name, text := range map[string]string{"different": "xxxx", "short": "tex", "long": "text and more"} {
		o := object("wrong", "text")
		o.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader([]byte(text))), nil }
		if err := p.Put(t.Context(), o); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
	if got := list(t, p, ""); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
}
