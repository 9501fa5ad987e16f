package download

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/net/http/httpguts"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/jsondoc"
	"galbuild/build/regularfile"
	"galbuild/build/vsix"
)

// A record has the headers of the response with a file. It is stored as JSON next to the file, or
// next to the part of an incomplete download.
type record struct {
	URL          string `json:"url"` // without credentials
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
	Encoding     string `json:"contentEncoding,omitempty"`

	// Size is in bytes. For a file, it is that of the file in the folder. For a part, it is the
	// size of the complete body as sent, or -1 if it is unknown.
	Size int64 `json:"size"`
}

func recordOf(name string, response *http.Response) record {
	return record{
		URL:          name,
		ETag:         response.Header.Get("ETag"),
		LastModified: response.Header.Get("Last-Modified"),
		Encoding:     strings.ToLower(response.Header.Get("Content-Encoding")),
		Size:         response.ContentLength,
	}
}

// validator returns the value of If-Range: the ETag, or Last-Modified if there is no ETag, or "". A
// weak ETag is not used, because it may be the same for different bytes.
func (f *record) validator() string {
	if f.ETag == "" || strings.HasPrefix(f.ETag, "W/") {
		return f.LastModified
	}
	return f.ETag
}

// maxRecordBytes is the limit of the record of a download, in bytes.
const maxRecordBytes = 1 << 20

// readRecord reads the record of a download. It returns an error if the record is damaged; the
// callers then download the file again.
func readRecord(path string) (*record, error) {
	text, err := regularfile.ReadFile(path, maxRecordBytes)
	if err != nil {
		return nil, err
	}
	f := new(record)
	if err := json.Unmarshal(text, f); err != nil {
		return nil, err
	}
	valid := httpguts.ValidHeaderFieldValue
	if f.Size < -1 || !valid(f.ETag) || !valid(f.LastModified) {
		return nil, fmt.Errorf("%s: the record of a download is damaged", path)
	}
	return f, nil
}

// write replaces the file at path in one step. It does not wait for the disk: a record that is lost
// or damaged after a power failure is ignored.
func (f *record) write(path string) error {
	text, err := jsondoc.Line(f)
	if err != nil {
		return err
	}
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return atomicfile.CopyFile(dir, filepath.Base(path), 0o600, bytes.NewReader(text))
}

// cached returns the record of the file in the folder. It returns nil if there is none, if the file
// has another size than the record, or if it does not start like a file of its kind.
func (j *job) cached() *record {
	f, err := readRecord(j.base + ".json")
	if err != nil {
		return nil
	}
	info, err := os.Stat(j.base + j.Kind.Suffix)
	if err != nil || info.Size() != f.Size {
		return nil
	}
	if start, err := readStart(j.base + j.Kind.Suffix); err != nil || !j.startsWell(start) {
		return nil
	}
	return f
}

func (j *job) startsWell(start []byte) bool { return j.Kind.Is == nil || j.Kind.Is(start) }

// store moves a complete part into the folder. If it is not what was expected, it is discarded, and
// the folder stays as it was. If the download was resumed, the whole file is verified, because an
// earlier part may have been damaged after its start.
func (j *job) store(p *part, resumed bool) error {
	defer p.discard()
	if err := j.decode(p); err != nil {
		return err
	}
	start, err := readStart(p.base)
	if err != nil {
		return err
	}
	if !j.startsWell(start) {
		return j.wrongKindError(start)
	}
	if resumed {
		if err := j.verify(p.base, start); err != nil {
			return fmt.Errorf("the file that was downloaded in parts is not a %s: %w", j.Kind.Name, err)
		}
	}
	if err := j.check(p.base); err != nil {
		return err
	}
	return j.install(p)
}

// verify reads all of a file that was downloaded in parts.
func (j *job) verify(path string, start []byte) error {
	if j.Kind.Verify == nil {
		return nil
	}
	file, err := regularfile.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return j.Kind.Verify(file, start)
}

// decode decompresses the part if the response was compressed with Content-Encoding. If the file
// itself is compressed, it stays so: some servers name the compression of an archive there, too.
func (j *job) decode(p *part) error {
	switch p.Encoding {
	case "", "identity":
		return nil
	case "gzip", "x-gzip":
	default:
		return fmt.Errorf("%s sent the %s with Content-Encoding %q, which is not supported",
			j.URL.Host, j.Kind.Name, p.Encoding)
	}
	if !j.SHA256.IsZero() && j.check(p.base) == nil {
		return nil
	}
	encoded, err := regularfile.Open(p.base)
	if err != nil {
		return err
	}
	defer encoded.Close()
	from, err := gzip.NewReader(bufio.NewReader(encoded))
	if err != nil {
		return nil // the header is wrong: some servers send it with every file
	}
	info, err := encoded.Stat()
	if err != nil {
		return err
	}
	within := vsix.Limits{Ratio: j.MaxRatio}.Decompressed(from, info.Size())
	return atomicfile.Replace(p.base, atomicfile.FileMode, func(to *os.File) error {
		if _, err := j.copy(to, within, 0, func(int64) {}); err != nil {
			return fmt.Errorf("decode the response: %w", err)
		}
		return nil
	})
}

// createNew creates a file. It first removes any file of that name, so that it never writes
// through a link.
func createNew(path string) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

func readStart(path string) ([]byte, error) {
	file, err := regularfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	start := make([]byte, 512) // the number that http.DetectContentType uses
	n, err := io.ReadFull(file, start)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return start[:n], err
}

// install replaces the file in the folder with p. A file that is stored by its address and its
// record are two files, which cannot be replaced in one step. Therefore install removes the old
// record first: if the run is killed between the steps, the file has no record, and is downloaded
// again.
func (j *job) install(p *part) error {
	path := j.base + j.Kind.Suffix
	if !j.SHA256.IsZero() {
		return os.Rename(p.base, path)
	}
	info, err := os.Stat(p.base)
	if err != nil {
		return err
	}
	p.Size = info.Size()
	if p.LastModified == "" && sameContent(p.base, path) {
		return p.write(j.base + ".json") // the modification time stays
	}
	if changed, err := http.ParseTime(p.LastModified); err == nil {
		if err := os.Chtimes(p.base, time.Time{}, changed); err != nil {
			return err
		}
	}
	if err := os.Remove(j.base + ".json"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(p.base, path); err != nil {
		return err
	}
	return p.write(j.base + ".json")
}

func sameContent(a, b string) bool {
	x, _, err := blob.SumFile(a)
	if err != nil {
		return false
	}
	y, _, err := blob.SumFile(b)
	return err == nil && x == y
}
