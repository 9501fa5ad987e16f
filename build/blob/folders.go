package blob

import (
	"io"
	"os"
	"path"
	"sync"

	"galbuild/build/atomicfile"
)

// Numbers of folders that stay open. The folders of a version are used for a short time. Those of
// blobs/ are used all the time.
const (
	maxParents = 64
	maxFolders = 64
	maxShards  = 256
)

// A cache has open folders by path. Its methods are safe for concurrent use.
type cache[T io.Closer] struct {
	limit int // number of entries above which unused ones are closed
	open  func(path string) (T, error)

	mutex   sync.Mutex
	entries map[string]*entry[T]
}

type entry[T io.Closer] struct {
	once    sync.Once
	value   T
	err     error
	users   int
	removed bool // no longer in the cache
}

func newCache[T io.Closer](limit int, open func(string) (T, error)) *cache[T] {
	return &cache[T]{limit: limit, open: open, entries: make(map[string]*entry[T])}
}

// use calls do with the open value for path.
func (c *cache[T]) use(path string, do func(T) error) error {
	e := c.acquire(path)
	defer c.release(e)
	e.once.Do(func() { e.value, e.err = c.open(path) })
	if e.err != nil {
		c.remove(path, e)
		return e.err
	}
	return do(e.value)
}

func (c *cache[T]) acquire(path string) *entry[T] {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	e, ok := c.entries[path]
	if !ok {
		if len(c.entries) >= c.limit {
			c.evict()
		}
		e = new(entry[T])
		c.entries[path] = e
	}
	e.users++
	return e
}

func (c *cache[T]) release(e *entry[T]) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if e.users--; e.users == 0 && e.removed && e.err == nil {
		e.value.Close()
	}
}

func (c *cache[T]) remove(path string, e *entry[T]) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.entries[path] == e {
		delete(c.entries, path)
	}
	e.removed = true
}

// close closes every entry: at once, or when its last user releases it.
func (c *cache[T]) close() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.evict()
	for path, e := range c.entries {
		e.removed = true
		delete(c.entries, path)
	}
}

// evict closes unused entries. The caller holds the mutex.
func (c *cache[T]) evict() {
	for path, e := range c.entries {
		if e.users == 0 {
			e.value.Close()
			delete(c.entries, path)
		}
	}
}

// openParent opens a folder of the site, and makes it and its parents if they are missing.
func (s *Store) openParent(dir string) (at *os.Root, err error) {
	if dir == "." {
		return s.site.OpenRoot(".")
	}
	err = s.parents.use(path.Dir(dir), func(parent *os.Root) error {
		at, err = atomicfile.Child(parent, path.Base(dir))
		return err
	})
	return at, err
}

// openFolder opens a folder of the site for writing files into it.
func (s *Store) openFolder(dir string) (f *folder, err error) {
	if dir == "." {
		return newFolder(s.site, s.site, ".", ".")
	}
	err = s.parents.use(path.Dir(dir), func(parent *os.Root) error {
		if err := atomicfile.Mkdir(parent, path.Base(dir)); err != nil {
			return err
		}
		f, err = newFolder(s.site, parent, path.Base(dir), dir)
		return err
	})
	return f, err
}

// withFolder calls do with the folder of a file of the site, and with the name of the file.
func (s *Store) withFolder(file string, do func(at *folder, name string) error) error {
	return s.folders.use(path.Dir(file), func(at *folder) error { return do(at, path.Base(file)) })
}

// withShard is withFolder for the file of a blob.
func (s *Store) withShard(r Ref, do func(at *folder, name string) error) error {
	file := r.Path()
	return s.shards.use(path.Dir(file), func(at *folder) error { return do(at, path.Base(file)) })
}

// closeFolders closes all folders.
func (s *Store) closeFolders() {
	s.folders.close()
	s.shards.close()
	s.parents.close()
}
