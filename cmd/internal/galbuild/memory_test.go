package galbuild

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"galbuild/publish/target"
	"galbuild/publish/target/all"
	"galbuild/publish/target/targettest"
)

// TestNewTarget adds a kind of target to the list, in one line. Commands then accept its
// addresses, its flags and its keys in a config file.
func TestNewTarget(t *testing.T) {
	p := program{kinds: append(all.Kinds(), memoryKind())}
	t.Chdir(t.TempDir())
	packExtension(t, "vsixs", "hello")
	config := `{"backends": {"memory": {"name": "a"}, "b": {"type": "memory", "name": "b"}}}`
	if err := os.WriteFile("config.json", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p.must(t, "build vsixs -o site -q")
	p.must(t, "publish site memory://a")
	for _, step := range []struct{ command, want string }{
		{"ls-remote --ids memory:a", "acme.hello\n"},
		{"ls-remote --ids -o memory:a", "acme.hello\n"},
		{"ls-remote --ids --memory a", "acme.hello\n"},
		{"ls-remote --ids -c config.json", "acme.hello\n"},
		{"publish --from memory:a -c config.json --backend b", "memory:b: "},
		{"verify memory:b", "memory:b: generation "},
		{"show acme.hello memory:b", "acme.hello"},
		{"add vsixs memory:c", "added  acme.hello@1.0.0"},
		{"remove acme.hello@1.0.0 memory:c", "removed  acme.hello@1.0.0"},
		{"rollback memory:c", "memory:c: "},
		{"prune memory:c", "memory:c: 0 objects removed"},
		{"pull memory:b -o copy", "of memory:b"},
		{"publish --help", "memory:NAME"},
		{"publish --help", "--memory=NAME"},
	} {
		if out := p.must(t, step.command); !strings.Contains(out, step.want) {
			t.Errorf("galbuild %s: got %s, want %s", step.command, out, step.want)
		}
	}
	for command, want := range map[string]string{
		"ls-remote gs://a":                              "memory:NAME",
		"ls-remote memry:a":                             `did you mean "memory"`,
		"ls-remote memory:":                             `"memory:": want memory:NAME`,
		"build vsixs -o memory:a":                       "galbuild publish SITE memory:a",
		"build vsixs --memory a":                        "build writes to a folder",
		"publish site --memory a --region r":            "--region is for targets of the kind s3 or oss, and this target is of the kind memory",
		"ls-remote -c config.json --backend b --s3-acl": "--s3-acl",
	} {
		var stderr bytes.Buffer
		if status := p.run(t.Context(), strings.Fields(command), nil, io.Discard, &stderr); status == 0 || !strings.Contains(stderr.String(), want) {
			t.Errorf("galbuild %s: status %d, got %s, want %s", command, status, &stderr, want)
		}
	}
}

// TestMemory runs the suite that all targets pass.
func TestMemory(t *testing.T) {
	targettest.Run(t, targettest.Options{Large: 1 << 20}, func(*testing.T) target.Target { return newMemory("a") })
}

// memoryKind returns the kind of targets in memory. All targets of one name are the same.
func memoryKind() target.Kind {
	targets := make(map[string]*memory)
	return target.Kind{
		Name: "memory", Form: "memory:NAME", Schemes: []string{"memory"},
		Flag:  &target.Flag{Name: "memory", Placeholder: "NAME", Help: "A target in memory."},
		Parse: func(_, rest string) target.Settings { return target.Settings{"name": strings.Trim(rest, "/")} },
		Keys:  []target.Key{{Name: "name", Required: true}},
		Open: func(s target.Settings, _ target.Env) (target.Target, error) {
			name := s["name"]
			if targets[name] == nil {
				targets[name] = newMemory(name)
			}
			return targets[name], nil
		},
	}
}

// memory is a target in memory.
type memory struct {
	name    string
	mutex   sync.Mutex
	objects map[string][]byte
}

func newMemory(name string) *memory { return &memory{name: name, objects: make(map[string][]byte)} }

func (m *memory) String() string { return "memory:" + m.name }

func (m *memory) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	b, ok := m.objects[key]
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !ok:
		return nil, fmt.Errorf("%s: %w", key, target.ErrNotExist)
	case length < 0 || offset+length > int64(len(b)):
		length = max(0, int64(len(b))-offset)
	}
	return io.NopCloser(io.NewSectionReader(bytes.NewReader(b), offset, length)), nil
}

func (m *memory) List(ctx context.Context, prefix string) iter.Seq2[target.Entry, error] {
	m.mutex.Lock()
	objects := maps.Clone(m.objects)
	m.mutex.Unlock()
	return func(yield func(target.Entry, error) bool) {
		for key, b := range objects {
			if ctx.Err() != nil {
				yield(target.Entry{}, ctx.Err())
				return
			}
			if strings.HasPrefix(key, prefix) && !yield(target.Entry{Key: key, Size: int64(len(b)), Modified: time.Now()}, nil) {
				return
			}
		}
	}
}

func (m *memory) Put(ctx context.Context, o target.Object) error {
	return m.store(ctx, o, func([]byte, bool) bool { return true })
}

func (m *memory) Copy(ctx context.Context, from string, o target.Object) error {
	r, err := m.Get(ctx, from, 0, -1)
	if err != nil {
		return err
	}
	o.Open = func() (io.ReadCloser, error) { return r, nil }
	return m.Put(ctx, o)
}

func (m *memory) Delete(ctx context.Context, keys []string) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, key := range keys {
		delete(m.objects, key)
	}
	return ctx.Err()
}

func (m *memory) Swap(ctx context.Context, old []byte, o target.Object) error {
	return m.store(ctx, o, func(now []byte, exists bool) bool { return exists == (old != nil) && bytes.Equal(now, old) })
}

// store stores an object if the present content is as expected.
func (m *memory) store(ctx context.Context, o target.Object, expected func(now []byte, exists bool) bool) error {
	r, err := o.Reader()
	if err != nil {
		return err
	}
	b, err := target.ReadAll(untilDone{r, ctx}, o.Size)
	if err != nil {
		return err
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	now, exists := m.objects[o.Key]
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !expected(now, exists):
		return fmt.Errorf("%s: %w", o.Key, target.ErrChanged)
	}
	m.objects[o.Key] = b
	return nil
}

// untilDone reads until a context is done.
type untilDone struct {
	io.ReadCloser
	ctx context.Context
}

func (r untilDone) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.ReadCloser.Read(b)
}
