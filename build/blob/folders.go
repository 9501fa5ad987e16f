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
	manyParents = 64
	manyLeaves  = 64
	manyShards  = 256
)

// A cache has open folders by path. Its methods are safe for concurrent use.
type cache[T io.Closer] struct {
	most int // number of entries above which unused ones are closed
	open func(path string) (T, error)

	mutex sync.Mutex
	all   map[string]*entry[T]
}

type entry[T io.Closer] struct {
	once  sync.Once
	value T
	err   error
	users int
	gone  bool // no longer in the cache
}

func newCache[T io.Closer](most int, open func(string) (T, error)) *cache[T] {
	return &cache[T]{most: most, open: open, all: make(map[string]*entry[T])}
}

// use calls do with the open value for path.
func (c *cache[T]) use(path string, do func(T) error) error {
	e := c.acquire(path)
	defer c.release(e)
	e.once.Do(func() { e.value, e.err = c.open(path) })
	if e.err != nil {
		c.forget(path, e)
		return e.err
	}
	return do(e.value)
}

func (c *cache[T]) acquire(path string) *entry[T] {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	e, ok := c.all[path]
	if !ok {
		if len(c.all) >= c.most {
			c.evict()
		}
		e = new(entry[T])
		c.all[path] = e
	}
	e.users++
	return e
}

func (c *cache[T]) release(e *entry[T]) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if e.users--; e.users == 0 && e.gone && e.err == nil {
		e.value.Close()
	}
}

func (c *cache[T]) forget(path string, e *entry[T]) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.all[path] == e {
		delete(c.all, path)
	}
	e.gone = true
}

// close closes every entry: at once, or when its last user releases it.
func (c *cache[T]) close() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.evict()
	for path, e := range c.all {
		e.gone = true
		delete(c.all, path)
	}
}

// evict closes unused entries. The caller holds the mutex.
func (c *cache[T]) evict() {
	for path, e := range c.all {
		if e.users == 0 {
			e.value.Close()
			delete(c.all, path)
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

// openLeaf opens a folder of the site for writing files into it.
func (s *Store) openLeaf(dir string) (l *leaf, err error) {
	if dir == "." {
		return newLeaf(s.site, s.site, ".", ".")
	}
	err = s.parents.use(path.Dir(dir), func(parent *os.Root) error {
		if err := atomicfile.Mkdir(parent, path.Base(dir)); err != nil {
			return err
		}
		l, err = newLeaf(s.site, parent, path.Base(dir), dir)
		return err
	})
	return l, err
}

// in calls do with the folder of a file of the site, and with the name of the file.
func (s *Store) in(file string, do func(at *leaf, name string) error) error {
	return s.leaves.use(path.Dir(file), func(at *leaf) error { return do(at, path.Base(file)) })
}

// inShard is in for the file of a blob.
func (s *Store) inShard(r Ref, do func(at *leaf, name string) error) error {
	file := r.Path()
	return s.shards.use(path.Dir(file), func(at *leaf) error { return do(at, path.Base(file)) })
}

// closeFolders closes all folders.
func (s *Store) closeFolders() {
	s.leaves.close()
	s.shards.close()
	s.parents.close()
}
