package blob

import (
	"path"
	"sync"
)

// Numbers of folders that stay open. The folders of a version are used for a short time. Those of
// blobs/ are used all the time.
const (
	maxParents = 64
	maxFolders = 64
	maxShards  = 256
)

// A cache has open folders by their paths in the site. Its methods are safe for concurrent use.
type cache struct {
	limit int // number of entries above which unused ones are closed
	open  func(dir string) (*folder, error)

	mutex   sync.Mutex
	entries map[string]*entry
}

type entry struct {
	once    sync.Once
	folder  *folder
	err     error
	users   int
	removed bool // no longer in the cache
}

func newCache(limit int, open func(string) (*folder, error)) *cache {
	return &cache{limit: limit, open: open, entries: make(map[string]*entry)}
}

// use calls do with an open folder.
func (c *cache) use(path string, do func(*folder) error) error {
	e := c.acquire(path)
	defer c.release(e)
	e.once.Do(func() { e.folder, e.err = c.open(path) })
	if e.err != nil {
		c.remove(path, e)
		return e.err
	}
	return do(e.folder)
}

func (c *cache) acquire(path string) *entry {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	e, ok := c.entries[path]
	if !ok {
		if len(c.entries) >= c.limit {
			c.evict()
		}
		e = new(entry)
		c.entries[path] = e
	}
	e.users++
	return e
}

func (c *cache) release(e *entry) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if e.users--; e.users == 0 && e.removed && e.err == nil {
		e.folder.Close()
	}
}

func (c *cache) remove(path string, e *entry) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.entries[path] == e {
		delete(c.entries, path)
	}
	e.removed = true
}

// close closes every entry: at once, or when its last user releases it.
func (c *cache) close() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.evict()
	for path, e := range c.entries {
		e.removed = true
		delete(c.entries, path)
	}
}

// evict closes unused entries. The caller holds the mutex.
func (c *cache) evict() {
	for path, e := range c.entries {
		if e.users == 0 {
			e.folder.Close()
			delete(c.entries, path)
		}
	}
}

// openFolder opens a folder of the site, and makes it and its parents if they are missing.
func (s *Store) openFolder(dir string) (at *folder, err error) {
	if dir == "." {
		return topFolder(s.site)
	}
	err = s.parents.use(path.Dir(dir), func(parent *folder) error {
		at, err = parent.child(path.Base(dir))
		return err
	})
	return at, err
}

// withFolder calls do with the folder of a file of the site, and with the name of the file.
func (s *Store) withFolder(file string, do func(at *folder, name string) error) error {
	return s.folders.use(path.Dir(file), func(at *folder) error { return do(at, path.Base(file)) })
}

// withShard is withFolder for the file of a blob.
func (s *Store) withShard(r Ref, do func(at *folder, name string) error) error {
	return s.shards.use(r.shard(), func(at *folder) error { return do(at, r.String()) })
}

// closeFolders closes all folders.
func (s *Store) closeFolders() {
	s.folders.close()
	s.shards.close()
	s.parents.close()
}
