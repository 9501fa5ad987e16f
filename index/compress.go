package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"galbuild/index/internal/mmap"
	"galbuild/index/segment"
)

// frameSize is how many bytes of an index each frame of its file has, except for the last one.
// Smaller frames would need more bytes, because later sections repeat words of earlier ones.
const frameSize = 16 << 20

// Limits of an index. The indexes of real galleries expand to three times their size.
const (
	maxSize   = 4 << 30  // bytes, uncompressed
	maxRatio  = 32       // uncompressed to compressed
	ratioFrom = 64 << 20 // bytes, uncompressed, up to which the ratio is not checked
)

// framesAtOnce is how many frames are compressed at the same time. Each takes 50 MiB of memory.
const framesAtOnce = 2

// A compressor compresses what is written to it. Its output depends on nothing but its input.
type compressor struct {
	to      io.Writer
	encoder *zstd.Encoder
	frame   []byte        // the next frame, uncompressed
	queue   []chan []byte // frames that are being compressed
}

func newCompressor(to io.Writer) (*compressor, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(framesAtOnce), zstd.WithEncoderLevel(zstd.SpeedBetterCompression),
		zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true)) // the index has a checksum
	return &compressor{to: to, encoder: encoder}, err
}

// Write implements [io.Writer].
func (c *compressor) Write(b []byte) (n int, err error) {
	for n < len(b) {
		part := b[n:min(len(b), n+frameSize-len(c.frame))]
		c.frame = append(c.frame, part...)
		n += len(part)
		if len(c.frame) == frameSize {
			if err := c.next(framesAtOnce - 1); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// Close writes the rest.
func (c *compressor) Close() error {
	return errors.Join(c.next(0), c.encoder.Close())
}

// next starts to compress the frame, and then writes frames until at most wait of them are left.
func (c *compressor) next(wait int) error {
	if frame := c.frame; len(frame) > 0 {
		done := make(chan []byte, 1)
		go func() { done <- c.encoder.EncodeAll(frame, nil) }()
		c.queue, c.frame = append(c.queue, done), nil
	}
	for len(c.queue) > wait {
		b := <-c.queue[0]
		c.queue = c.queue[1:]
		if _, err := c.to.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// A frame is a frame of an index.
type frame struct {
	compressed []byte
	size       int // uncompressed
}

// splitFrames returns the frames that a file consists of, and their uncompressed size in total. It
// reads only headers.
func splitFrames(file []byte) (all []frame, size int64, err error) {
	for rest := file; len(rest) > 0; {
		f, err := firstFrame(rest)
		if err != nil {
			return nil, 0, fmt.Errorf("%w: offset %d: %w", segment.ErrCorrupt, len(file)-len(rest), err)
		}
		all, rest = append(all, f), rest[len(f.compressed):]
		size += int64(f.size)
	}
	if most := min(max(ratioFrom, maxRatio*int64(len(file))), maxSize, math.MaxInt); size > most {
		return nil, 0, fmt.Errorf("%w: %d compressed bytes expand to %d, more than the limit of %d", segment.ErrCorrupt, len(file), size, most)
	}
	return all, size, nil
}

// firstFrame returns the frame at the beginning of b. It refuses frames that a compressor does not
// write.
func firstFrame(b []byte) (frame, error) {
	var h zstd.Header
	if err := h.Decode(b); err != nil {
		return frame{}, fmt.Errorf("not a frame of Zstandard: %w", err)
	}
	if h.Skippable || !h.SingleSegment || !h.HasFCS || h.HasCheckSum || h.DictionaryID != 0 || h.FrameContentSize > frameSize {
		return frame{}, errors.New("not a frame of an index")
	}
	at := h.HeaderSize
	for last := false; !last; {
		if len(b)-at < 3 {
			return frame{}, errors.New("the frame is truncated")
		}
		// A block begins with a bit that marks the last one, its type and its size.
		block := int(binary.LittleEndian.Uint16(b[at:])) | int(b[at+2])<<16
		const repeated = 1 // the type of a block of one byte, which expands to that size
		size := block >> 3
		if block>>1&3 == repeated {
			size = 1
		}
		if size > len(b)-at-3 {
			return frame{}, errors.New("the frame is truncated")
		}
		at, last = at+3+size, block&1 == 1
	}
	return frame{b[:at], int(h.FrameContentSize)}, nil
}

// decompress returns what was written to a compressor. Its memory is not in the Go heap, and is
// taken only after all limits have been checked.
func decompress(file []byte) (*mmap.File, error) {
	frames, size, err := splitFrames(file)
	if err != nil {
		return nil, err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)), zstd.WithDecoderMaxMemory(frameSize))
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	memory, err := mmap.Memory(int(size))
	if err != nil {
		return nil, err
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	to := memory.Bytes
	for _, f := range frames {
		part := to[:0:f.size]
		to = to[f.size:]
		group.Go(func() error { return withoutFault(func() error { return f.decompress(decoder, part) }) })
	}
	if err := group.Wait(); err != nil {
		_ = memory.Close() // the first error is the one to show
		return nil, err
	}
	return memory, nil
}

// decompress decompresses a frame into a slice, whose capacity is the size of the frame. The
// decoder refuses frames of another size.
func (f frame) decompress(decoder *zstd.Decoder, to []byte) error {
	if _, err := decoder.DecodeAll(f.compressed, to); err != nil {
		return fmt.Errorf("%w: %w", segment.ErrCorrupt, err)
	}
	return nil
}
