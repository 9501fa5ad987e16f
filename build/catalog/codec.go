package catalog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync/atomic"

	json2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/jsondoc"
)

// header is the first line of a catalogue.
type header struct {
	Format  int `json:"galbuild"`
	Records int `json:"records,omitempty"` // number of lines with records
	Dropped int `json:"dropped,omitempty"` // number of lines with dropped versions, after them
	// Counted is the number of lines with files of statistics that were counted, after them.
	Counted int `json:"counted,omitempty"`
	// Statistics is the number of lines with the statistics of an extension, after them.
	Statistics int `json:"statistics,omitempty"`
	Derived    int `json:"derived,omitempty"` // number of lines with derived files, after them
	Chunks     int `json:"chunks,omitempty"`  // number of lines with the files of chunks, after them; 0 if extensions follow
	Settings
}

// Write writes the whole catalogue as JSON lines, without the private parts of records. It uses all
// processors. The same catalogue always has the same bytes.
func (c *Catalog) Write(w io.Writer) error {
	text, err := c.encodeBeginning(0)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	queue := make(chan chan encoded, runtime.GOMAXPROCS(0))
	go func() {
		for chunk := range slices.Chunk(c.Extensions, batchExtensions) {
			result := make(chan encoded, 1)
			queue <- result
			go func() { result <- encodeAll(chunk) }()
		}
		close(queue)
	}()
	for result := range queue { // also after an error, so that all goroutines end
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

// encodeBeginning returns the header, with this number of chunks, the records, the dropped
// versions, the files that were counted, the statistics, and the derived files.
func (c *Catalog) encodeBeginning(chunks int) ([]byte, error) {
	statistics, n, err := appendStatistics(nil, c.Extensions, c.Usage)
	if err != nil {
		return nil, err
	}
	text, err := jsondoc.Line(header{Format, len(c.Records), len(c.Dropped), len(c.Counted), n, len(c.Derived), chunks, c.Settings})
	if err != nil {
		return nil, err
	}
	for i := range c.Records {
		if text, err = jsondoc.AppendLine(text, &c.Records[i]); err != nil {
			return nil, err
		}
	}
	for i := range c.Dropped {
		if text, err = jsondoc.AppendLine(text, &c.Dropped[i]); err != nil {
			return nil, err
		}
	}
	if text, err = appendCounted(text, c.Counted); err != nil {
		return nil, err
	}
	text = append(text, statistics...)
	for i := range c.Derived {
		if text, err = jsondoc.AppendLine(text, &c.Derived[i]); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// batchExtensions is how many extensions are encoded by one goroutine.
const batchExtensions = 64

// encoded has the lines of some extensions.
type encoded struct {
	text []byte
	err  error
}

func encodeAll(extensions []Extension) (all encoded) {
	for i := range extensions {
		e := withoutStatistics(&extensions[i])
		if all.text, all.err = jsondoc.AppendLine(all.text, e); all.err != nil {
			return encoded{err: fmt.Errorf("%s: %w", e.ID(), all.err)}
		}
	}
	return all
}

// Read reads a catalogue that [Catalog.Write] has written. It uses all processors. The error for
// another format contains its number. Read refuses every value that must not be used as a path, a
// header or a size, so that its result needs no more checks. Catalogues must not be read in another
// way. Read also refuses extensions that are out of order, because [Catalog.Find] uses binary
// search.
func Read(r io.Reader) (*Catalog, error) {
	lines := newLines(r)
	c, h, err := readBeginning(lines)
	if err != nil {
		return nil, err
	}
	if h.Chunks > 0 {
		return nil, fmt.Errorf("catalogue line 1: chunks: want 0, because the extensions follow, found %d", h.Chunks)
	}
	batches, err := readBatches(lines, h.lines()+1)
	for _, b := range batches { // the error of a line is more precise than its consequences
		if lineErr := c.add(b); lineErr != nil {
			return nil, lineErr
		}
	}
	if err == nil {
		err = c.fillStatistics()
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func newLines(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, batchBytes) }

// readBeginning reads what encodeBeginning returns.
func readBeginning(lines *bufio.Reader) (*Catalog, header, error) {
	first, err := readLine(lines)
	if err != nil && err != io.EOF {
		return nil, header{}, err
	}
	h, err := readHeader(first)
	if err != nil {
		return nil, header{}, err
	}
	c := &Catalog{Settings: h.Settings}
	if c.Records, err = readRecords(lines, h.Records); err != nil {
		return nil, header{}, err
	}
	if c.Dropped, err = readDropped(lines, h.Dropped, h.Records+2); err != nil {
		return nil, header{}, err
	}
	if c.Counted, err = readCounted(lines, h.Counted, h.Records+h.Dropped+2); err != nil {
		return nil, header{}, err
	}
	before := h.Records + h.Dropped + h.Counted + 2
	if c.statistics, c.Usage, err = readStatistics(lines, h.Statistics, before); err != nil {
		return nil, header{}, err
	}
	c.Derived, err = readDerived(lines, h.Derived, before+h.Statistics)
	return c, h, err
}

// checkMain refuses the header of a catalogue without chunks.
func (h *header) checkMain() error {
	if h.Chunks == 0 {
		return errors.New("catalogue line 1: chunks: want at least 1, found 0")
	}
	return nil
}

// lines returns the number of lines that readBeginning reads.
func (h *header) lines() int {
	return 1 + h.Records + h.Dropped + h.Counted + h.Statistics + h.Derived
}

func readHeader(line []byte) (header, error) {
	var h header
	if err := json2.Unmarshal(line, &h); err != nil {
		return header{}, fmt.Errorf("catalogue header: %w", err)
	}
	if h.Format != Format {
		return header{}, fmt.Errorf("%w: catalogue format %d, this program reads %d", ErrFormat, h.Format, Format)
	}
	if err := h.Check(); err != nil {
		return header{}, fmt.Errorf("catalogue line 1: %w", err)
	}
	for _, lines := range []struct {
		key       string
		n, atMost int
	}{{"records", h.Records, maxRecords}, {"dropped", h.Dropped, maxRecords}, {"counted", h.Counted, maxRecords}, {"statistics", h.Statistics, maxRecords}, {"derived", h.Derived, maxRecords}, {"chunks", h.Chunks, MaxChunks}} {
		if lines.n < 0 || lines.n > lines.atMost {
			return header{}, fmt.Errorf("catalogue line 1: %s: want 0 to %d, found %d", lines.key, lines.atMost, lines.n)
		}
	}
	return h, nil
}

// maxRecords is the largest number of records, of dropped versions, of files that were counted, of
// lines with statistics, and of derived files.
const maxRecords = 10_000_000

// readRecords reads the lines of n records.
func readRecords(lines *bufio.Reader, n int) (all []Record, err error) {
	for number := 2; number < n+2; number++ {
		line, err := readLine(lines)
		if err != nil && err != io.EOF {
			return nil, err
		}
		var r Record
		if err = json2.Unmarshal(line, &r); err == nil {
			err = r.Check()
		}
		if i := len(all) - 1; err == nil && i >= 0 {
			err = checkIDs(all[i].ID, r.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("catalogue line %d: %w", number, err)
		}
		all = append(all, r)
	}
	return all, nil
}

// checkIDs refuses a record with this id after the record with the id previous.
func checkIDs(previous, id blob.Ref) error {
	if bytes.Compare(previous[:], id[:]) >= 0 {
		return fmt.Errorf("record %s follows %s: duplicate or out of order", id, previous)
	}
	return nil
}

// maxLine is the largest length of a line in bytes. An extension of a thousand versions
// with a thousand files each has a shorter one.
const maxLine = 256 << 20

// readLine returns the next line with its line end. The last line may have none; then the
// error is io.EOF. The line is valid until the next call.
func readLine(lines *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := lines.ReadSlice('\n')
		if err == nil && line == nil {
			return part, nil
		}
		line = append(line, part...)
		if len(line) > maxLine {
			return nil, fmt.Errorf("catalogue: a line is longer than the limit of %d bytes", maxLine)
		}
		switch err {
		case bufio.ErrBufferFull:
		case nil, io.EOF:
			return line, err
		default:
			return nil, err // drop the incomplete line
		}
	}
}

// A batch is some lines of a catalogue, decoded by one goroutine.
type batch struct {
	line       int // number of the first one
	text       []byte
	extensions []Extension
	err        error // of the line after extensions
}

// batchBytes is the smallest size of a batch in bytes, except for the last one.
const batchBytes = 256 << 10

// readBatches decodes all lines, the first of which has this number. After an invalid line it
// stops, and later batches may be missing.
func readBatches(lines *bufio.Reader, number int) ([]*batch, error) {
	var batches []*batch
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	var failed atomic.Bool
	var err error
	for err == nil && !failed.Load() {
		b := &batch{line: number}
		for len(b.text) < batchBytes && err == nil {
			var line []byte
			line, err = readLine(lines)
			b.text = append(b.text, line...)
			number++
		}
		batches = append(batches, b)
		group.Go(func() error {
			if b.decode(); b.err != nil {
				failed.Store(true)
			}
			return nil
		})
	}
	group.Wait()
	if err != nil && err != io.EOF {
		return batches, err
	}
	return batches, nil
}

// checked checks each version as soon as it is decoded, so that a line with very many
// invalid versions costs no more than its first one.
var checked = json2.WithUnmarshalers(json2.UnmarshalFromFunc(func(d *jsontext.Decoder, v *Version) error {
	type plain Version
	if err := json2.UnmarshalDecode(d, (*plain)(v)); err != nil {
		return err
	}
	if err := v.Check(); err != nil {
		return refusal{err}
	}
	return nil
}))

// A refusal is the error of a version that is valid JSON but invalid otherwise.
type refusal struct{ error }

func (b *batch) decode() {
	p := newParser()
	for line := range bytes.Lines(b.text) {
		if b.extensions, b.err = appendExtension(b.extensions, line, p); b.err != nil {
			break
		}
	}
	b.text = nil
}

// appendExtension appends the extension in a line to the ones before. After an error, it returns
// those.
func appendExtension(all []Extension, line []byte, p *parser) ([]Extension, error) {
	e, err := p.decode(line)
	if n := len(all); err == nil && n > 0 {
		err = checkOrder(&all[n-1], e)
	}
	if err != nil {
		return all, err
	}
	return append(all, *e), nil
}

func (p *parser) decode(line []byte) (*Extension, error) {
	if err := checkLine(line); err != nil {
		return nil, err
	}
	e, ok := p.parse(line)
	var err error
	if ok {
		err = e.checkEach()
	} else {
		e, err = decodeAny(line, p.texts)
	}
	if refused, ok := errors.AsType[refusal](err); ok {
		return nil, fmt.Errorf("%.200q: %w", e.ID(), refused.error)
	}
	if err != nil {
		return nil, err
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	return e, e.checkNoStatistics()
}

// checkEach refuses an invalid version.
func (e *Extension) checkEach() error {
	for i := range e.Versions {
		if err := e.Versions[i].Check(); err != nil {
			return refusal{err}
		}
	}
	return nil
}

// decodeAny decodes a line whatever its form, and checks each version. The extension is not nil.
func decodeAny(line []byte, texts *Interner) (*Extension, error) {
	e := new(Extension)
	if err := json2.Unmarshal(line, e, checked); err != nil {
		return e, err
	}
	for i := range e.Versions {
		texts.Version(&e.Versions[i])
	}
	return e, nil
}

func checkOrder(before, e *Extension) error {
	if before.Key() >= e.Key() {
		return fmt.Errorf("%s follows %s: duplicate or out of order", e.Key(), before.Key())
	}
	return nil
}

func (c *Catalog) add(b *batch) error {
	if n := len(c.Extensions); n > 0 && len(b.extensions) > 0 {
		if err := checkOrder(&c.Extensions[n-1], &b.extensions[0]); err != nil {
			return fmt.Errorf("catalogue line %d: %w", b.line, err)
		}
	}
	c.Extensions = append(c.Extensions, b.extensions...)
	if b.err != nil {
		return fmt.Errorf("catalogue line %d: %w", b.line+len(b.extensions), b.err)
	}
	return nil
}
