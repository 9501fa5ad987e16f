package pack

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zip"
	"golang.org/x/sync/errgroup"
)

// level is zlib's default, which vsce uses; one more costs twice the time for 3 %.
const level = 6

// aheadBytes is the size of the largest file that is compressed in memory, ahead of
// its turn. Larger ones are when it is theirs, and go straight to the archive.
const aheadBytes = 16 << 20

// Write writes the package, unless the plan is Refused, and tells progress, which
// may be nil, how many bytes of how many it has packed. An error leaves w with part
// of a package.
func (p *Plan) Write(ctx context.Context, w io.Writer, progress func(done, total int64)) error {
	if err := p.refusal(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var group errgroup.Group
	defer group.Wait()
	defer cancel()
	z := zip.NewWriter(w)
	tell := count(p.Files, progress)
	for turn := range p.ahead(ctx, &group) {
		e := <-turn
		if err := e.write(z, p, tell); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return z.Close()
}

// count returns what is to be told of bytes that are done.
func count(files []File, progress func(done, total int64)) (tell func(bytes int64)) {
	if progress == nil {
		return func(int64) {}
	}
	var done atomic.Int64
	var total int64
	for _, f := range files {
		total += f.Size
	}
	return func(bytes int64) { progress(done.Add(bytes), total) }
}

// ahead compresses the files side by side, a few more than are written already, and
// gives them in their order.
func (p *Plan) ahead(ctx context.Context, group *errgroup.Group) <-chan chan entry {
	queue := make(chan chan entry, runtime.GOMAXPROCS(0))
	compressors := &sync.Pool{New: newCompressor}
	group.Go(func() error {
		defer close(queue)
		for _, f := range p.Files {
			turn := make(chan entry, 1)
			select {
			case queue <- turn:
			case <-ctx.Done():
				return nil
			}
			group.Go(func() error {
				turn <- p.compress(f, compressors)
				return nil
			})
		}
		return nil
	})
	return queue
}

func newCompressor() any {
	c, err := flate.NewWriter(nil, level)
	if err != nil {
		panic(err) // of no other level
	}
	return c
}

// An entry is a file on its way into the archive.
type entry struct {
	file File
	body []byte // compressed; nil if that is to be done
	size int64  // of what it is made of
	sum  uint32
	err  error
}

func (p *Plan) compress(f File, compressors *sync.Pool) (e entry) {
	e.file = f
	if f.Size > aheadBytes {
		return e
	}
	content, err := f.open(p.dir)
	if err != nil {
		e.err = err
		return e
	}
	defer content.Close()
	c := compressors.Get().(*flate.Writer)
	defer compressors.Put(c)
	var body bytes.Buffer
	c.Reset(&body)
	sum := crc32.NewIEEE()
	if e.size, e.err = io.Copy(io.MultiWriter(c, sum), content); e.err == nil {
		e.err = c.Close()
	}
	e.body, e.sum = body.Bytes(), sum.Sum32()
	return e
}

// write adds the entry to the archive.
func (e entry) write(z *zip.Writer, p *Plan, tell func(int64)) error {
	err := e.err
	switch {
	case err != nil:
	case e.body == nil:
		err = e.stream(z, p, tell)
	default:
		h := header(e.file, p.modified)
		h.Flags, h.CRC32 = utf8Names, e.sum
		h.CompressedSize64, h.UncompressedSize64 = uint64(len(e.body)), uint64(e.size)
		var w io.Writer
		if w, err = z.CreateRaw(h); err == nil {
			_, err = w.Write(e.body)
		}
		tell(e.size)
	}
	if err != nil {
		return fmt.Errorf("pack %q: %w", e.file.Entry, err)
	}
	return nil
}

// stream compresses the file into the archive.
func (e entry) stream(z *zip.Writer, p *Plan, tell func(int64)) error {
	content, err := e.file.open(p.dir)
	if err != nil {
		return err
	}
	defer content.Close()
	h := header(e.file, p.modified)
	h.Flags = utf8Names
	w, err := z.CreateHeader(h)
	if err == nil {
		_, err = io.Copy(w, told{content, tell})
	}
	return err
}

// told tells how much of a reader has been read.
type told struct {
	io.Reader
	tell func(int64)
}

func (r told) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.tell(int64(n))
	return n, err
}

// utf8Names is the flag of an entry whose name is in UTF-8.
const utf8Names = 0x800

// The times that an entry can have: DOS counts from 1980, Info-ZIP's timestamp up
// to 32 bits of seconds.
var (
	firstTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Unix(math.MaxUint32, 0).UTC()
)

// zipTime returns the time of an entry that is nearest to t.
func zipTime(t time.Time) time.Time {
	switch {
	case t.Before(firstTime):
		return firstTime
	case t.After(lastTime):
		return lastTime
	}
	return t
}

func header(f File, modified time.Time) *zip.FileHeader {
	h := &zip.FileHeader{Name: f.Entry, Method: zip.Deflate, ReaderVersion: 20}
	h.SetMode(f.Mode)
	//lint:ignore SA1019 CreateRaw takes no other date
	h.SetModTime(modified)
	// Info-ZIP's extended timestamp: the date above has no time zone and two seconds.
	h.Extra = binary.LittleEndian.AppendUint32([]byte{'U', 'T', 5, 0, 1}, uint32(modified.Unix()))
	return h
}

// open returns what is packed of the file.
func (f File) open(dir fs.FS) (io.ReadCloser, error) {
	if f.content != nil {
		return io.NopCloser(bytes.NewReader(f.content)), nil
	}
	return dir.Open(f.Source)
}
