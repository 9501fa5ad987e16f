package catalog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"

	json2 "github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"
)

// header is the first line of a catalogue.
type header struct {
	Format int `json:"galbuild"`
	Settings
}

// Write writes the catalogue as JSON lines, encoded by all processors. The same
// catalogue always gives the same bytes.
func (c *Catalog) Write(w io.Writer) error {
	text, err := encode(nil, header{Format, c.Settings})
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	queue := make(chan chan encoded, runtime.GOMAXPROCS(0))
	go func() {
		for some := range slices.Chunk(c.Extensions, batchExtensions) {
			result := make(chan encoded, 1)
			queue <- result
			go func() { result <- encodeAll(some) }()
		}
		close(queue)
	}()
	for result := range queue { // to its end: the others wait for that
		part := <-result
		if err == nil {
			err = part.err
		}
		if err == nil {
			_, err = w.Write(part.text)
		}
	}
	return err
}

// batchExtensions is how many extensions are encoded by one goroutine.
const batchExtensions = 64

// encoded are some lines of a catalogue.
type encoded struct {
	text []byte
	err  error
}

func encodeAll(extensions []Extension) (all encoded) {
	for i := range extensions {
		e := &extensions[i]
		if all.text, all.err = encode(all.text, e); all.err != nil {
			return encoded{err: fmt.Errorf("%s: %w", e.ID(), all.err)}
		}
	}
	return all
}

// encode appends a line.
func encode(text []byte, v any) ([]byte, error) {
	line := bytes.NewBuffer(text)
	enc := json.NewEncoder(line)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return line.Bytes(), err
}

// Read reads what Write wrote, by all processors. It refuses other formats by
// number, and extensions that are out of order: a reader may search by bisection.
func Read(r io.Reader) (*Catalog, error) {
	lines := bufio.NewReaderSize(r, batchBytes)
	first, err := lines.ReadBytes('\n')
	if err != nil && err != io.EOF {
		return nil, err
	}
	var h header
	if err := json.Unmarshal(first, &h); err != nil {
		return nil, fmt.Errorf("catalogue header: %w", err)
	}
	if h.Format != Format {
		return nil, fmt.Errorf("catalogue format %d, this program reads %d", h.Format, Format)
	}
	batches, err := readBatches(lines)
	if err != nil {
		return nil, err
	}
	c := &Catalog{Settings: h.Settings}
	for _, b := range batches {
		if err := c.add(b); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// A batch is some lines of a catalogue, decoded by one goroutine.
type batch struct {
	line       int // number of the first one
	text       []byte
	extensions []Extension
	err        error // of the line behind extensions
}

// batchBytes is what a batch has at least, but for the last one: enough for
// handing it over to cost nothing, and little to hold.
const batchBytes = 256 << 10

func readBatches(lines *bufio.Reader) ([]*batch, error) {
	var batches []*batch
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	texts := NewInterner()
	var err error
	for number := 2; err == nil; {
		b := &batch{line: number}
		for len(b.text) < batchBytes && err == nil {
			var line []byte
			line, err = lines.ReadBytes('\n')
			b.text = append(b.text, line...)
			number++
		}
		batches = append(batches, b)
		group.Go(func() error {
			b.decode(texts)
			return nil
		})
	}
	group.Wait()
	if err != io.EOF {
		return nil, err
	}
	return batches, nil
}

func (b *batch) decode(texts *Interner) {
	for line := range bytes.Lines(b.text) {
		var e Extension
		if b.err = json2.Unmarshal(line, &e); b.err != nil {
			break
		}
		for i := range e.Versions {
			texts.Version(&e.Versions[i])
		}
		b.extensions = append(b.extensions, e)
	}
	b.text = nil
}

func (c *Catalog) add(b *batch) error {
	for i := range b.extensions {
		if err := c.addExtension(&b.extensions[i]); err != nil {
			return fmt.Errorf("catalogue line %d: %w", b.line+i, err)
		}
	}
	if b.err != nil {
		return fmt.Errorf("catalogue line %d: %w", b.line+len(b.extensions), b.err)
	}
	return nil
}

func (c *Catalog) addExtension(e *Extension) error {
	if n := len(c.Extensions); n > 0 && c.Extensions[n-1].Key() >= e.Key() {
		return fmt.Errorf("%s stands behind %s", e.Key(), c.Extensions[n-1].Key())
	}
	if len(e.Versions) == 0 {
		return fmt.Errorf("%s has no version", e.Key())
	}
	c.Extensions = append(c.Extensions, *e)
	return nil
}
