package galshim

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"galbuild/build/atomicfile"
	"galbuild/build/stats"
)

// Limits of counting.
const (
	countInterval = time.Second // counts are written so often
	maxCountPause = time.Minute // after failures
	maxCounted    = 200_000     // extensions and days that are counted in memory
	countBurst    = 16 << 20    // bytes that are written of a day without waiting
	countRate     = 512         // bytes a second that are written of a day after that
)

// A counter counts downloads and what editors report, and appends the counts to files in a folder,
// see package stats. A request only adds to a number in memory. Within countInterval, a goroutine
// writes and syncs what was added. So a process that is killed loses the counts of that time, and
// nothing that was written. If the disk is full or the folder cannot be written, this is logged
// once, requests are served as before, and the counts stay in memory until they can be written.
//
// A file of a day has at most countBurst bytes, and countRate more for every second. If this is not
// enough for all counts, because somebody sends very many requests, they are written less often.
type counter struct {
	dir string
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	pending map[countKey]*stats.Line
	lost    int64 // counts that were dropped, because there were too many in memory

	added chan struct{} // there is something to write
	stop  chan struct{}
	done  sync.WaitGroup

	// Used by the goroutine only:
	file    *os.File // nil if there is none
	day     string   // of file
	opened  time.Time
	size    int64 // of the complete lines in file
	failing bool  // the last attempt failed, which was logged
}

type countKey struct{ day, id string }

// newCounter returns a counter that writes to a folder. It makes the folder.
func newCounter(dir string, log *slog.Logger) *counter {
	c := &counter{
		dir: dir, log: log, now: time.Now, pending: make(map[countKey]*stats.Line),
		added: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	if err := atomicfile.MkdirAll(dir); err != nil {
		c.fail(err)
	}
	return c
}

// start writes what is counted until the counter is closed.
func (c *counter) start() { c.done.Go(c.run) }

// add counts an event of an extension. Extensions that the index does not have are not counted, so
// nobody can make up ids.
func (c *counter) add(g *generation, e stats.Event) {
	if c == nil || !e.Download && !e.Install && !e.Uninstall {
		return
	}
	if _, ok := g.ix.Find(e.ID); !ok {
		return
	}
	line := stats.Line{Day: stats.DayOf(c.now()), ID: e.ID}
	line.Add(e)
	c.keep([]*stats.Line{&line})
	select {
	case c.added <- struct{}{}:
	default:
	}
}

// keep adds lines to the counts that are still to be written.
func (c *counter) keep(lines []*stats.Line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range lines {
		key := countKey{l.Day, l.ID}
		if have := c.pending[key]; have != nil {
			have.Downloads += l.Downloads
			have.Installs += l.Installs
			have.Uninstalls += l.Uninstalls
		} else if len(c.pending) < maxCounted {
			c.pending[key] = l
		} else {
			c.lost += l.Downloads + l.Installs + l.Uninstalls
		}
	}
}

// unwritten returns how many counts are not on the disk: those of the last second, those that could
// not be written, and those that were dropped.
func (c *counter) unwritten() (n int64) {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.pending {
		n += l.Downloads + l.Installs + l.Uninstalls
	}
	return n + c.lost
}

// close writes what is left, and stops.
func (c *counter) close() {
	if c == nil {
		return
	}
	close(c.stop)
	c.done.Wait()
	if n := c.unwritten(); n > 0 {
		c.log.Warn("counts of downloads and installs are lost", "counts", n)
	}
}

func (c *counter) run() {
	defer c.closeFile()
	pause := countInterval
	for {
		select {
		case <-c.stop:
			c.write(true)
			return
		case <-c.added:
		}
		select {
		case <-c.stop:
			c.write(true)
			return
		case <-time.After(pause):
		}
		switch written := c.write(false); {
		case written:
			pause = countInterval
		case c.failing:
			pause = min(2*pause, maxCountPause)
			c.again()
		default:
			c.again()
		}
	}
}

// again lets run write again although nothing was added.
func (c *counter) again() {
	select {
	case c.added <- struct{}{}:
	default:
	}
}

// write writes all counts. It returns false if some are left. At the end, the limit of the size
// does not apply.
func (c *counter) write(end bool) bool {
	c.mu.Lock()
	taken := c.pending
	c.pending = make(map[countKey]*stats.Line)
	c.mu.Unlock()
	lines := slices.SortedFunc(maps.Values(taken), stats.CompareLines)
	for len(lines) > 0 {
		day := lines[0].Day
		n := slices.IndexFunc(lines, func(l *stats.Line) bool { return l.Day != day })
		if n < 0 {
			n = len(lines)
		}
		written, err := c.append(day, lines[:n], end)
		if err != nil {
			c.fail(err)
		}
		if !written {
			c.keep(lines)
			return false
		}
		lines = lines[n:]
	}
	if c.failing && len(taken) > 0 {
		c.failing = false
		c.log.Info("counts of downloads and installs are written again", "dir", c.dir)
	}
	return true
}

// append appends the lines of a day to its file. It returns false if they were not written.
func (c *counter) append(day string, lines []*stats.Line, end bool) (written bool, err error) {
	var text []byte
	for _, l := range lines {
		if text, err = l.Append(text); err != nil {
			return false, err
		}
	}
	if err := c.open(day); err != nil {
		return false, err
	}
	allowed := countBurst + countRate*int64(c.now().Sub(c.opened)/time.Second)
	if !end && c.size > 0 && c.size+int64(len(text)) > allowed {
		return false, nil
	}
	if _, err := c.file.Write(text); err != nil {
		c.discardRest()
		return false, err
	}
	c.size += int64(len(text))
	if err := c.file.Sync(); err != nil {
		c.fail(err) // it must not be written again
	}
	return true, nil
}

// open opens a new file for the day, unless it is open and somebody has not removed it. No file of
// another process is continued, because its last line may be incomplete.
func (c *counter) open(day string) error {
	if c.file != nil && c.day == day && c.exists() {
		return nil
	}
	c.closeFile()
	random := make([]byte, 8)
	rand.Read(random)
	name := filepath.Join(c.dir, day+"."+hex.EncodeToString(random)+".jsonl")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, atomicfile.FileMode)
	if err != nil {
		return err
	}
	c.file, c.day, c.opened, c.size = f, day, c.now(), 0
	return nil
}

// exists reports whether the open file is still in the folder.
func (c *counter) exists() bool {
	named, err := os.Lstat(c.file.Name())
	if err != nil {
		return false
	}
	opened, err := c.file.Stat()
	return err == nil && os.SameFile(named, opened)
}

// discardRest removes what a failed write has left of its lines. If that fails, the file is not
// used any more, because a line after an incomplete one would be lost.
func (c *counter) discardRest() {
	if err := c.file.Truncate(c.size); err != nil {
		c.closeFile()
	}
}

func (c *counter) closeFile() {
	if c.file == nil {
		return
	}
	if err := c.file.Close(); err != nil {
		c.fail(err)
	}
	if c.size == 0 {
		_ = os.Remove(c.file.Name()) // nothing was counted in it
	}
	c.file = nil
}

// fail logs that counts cannot be written, once until they can.
func (c *counter) fail(err error) {
	if !c.failing {
		c.log.Warn("counts of downloads and installs cannot be written, and stay in memory; this is logged only once", "dir", c.dir, "err", err)
	}
	c.failing = true
}

// countDownload counts a response with the whole package, or a redirect to it.
func (s *server) countDownload(w *reply, r *http.Request, g *generation) {
	w.kind = kindPackage
	if w.status != http.StatusOK && w.status != http.StatusFound || r.Method != http.MethodGet || s.accelRedirect != "" && r.Header.Get("Range") != "" {
		return
	}
	s.metrics.download(g, r.PathValue("publisher")+"."+r.PathValue("name"))
	if s.counter == nil {
		return
	}
	s.counter.add(g, stats.Download(r.PathValue("publisher"), r.PathValue("name"), r.URL.Query()))
}

// report counts what an editor reports: that an extension was installed or uninstalled.
func (s *server) report(w *reply, r *http.Request, g *generation) error {
	id, kind := r.PathValue("id"), r.PathValue("type")
	if id == "" {
		id, kind = fmt.Sprintf("%s.%s", r.PathValue("publisher"), r.PathValue("name")), r.URL.Query().Get("statType")
	}
	s.counter.add(g, stats.Report(id, kind))
	w.WriteHeader(http.StatusNoContent)
	return nil
}
