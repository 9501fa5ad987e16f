package source

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
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

// A record has the headers of the response with a package. It is stored as JSON next to the
// package, or next to the part of an incomplete download.
type record struct {
	URL          string `json:"url"` // without credentials
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
	Encoding     string `json:"contentEncoding,omitempty"`

	// Size is in bytes. For a package, it is the size of its file. For a part, it is the size
	// of the complete body as sent, or -1 if it is unknown.
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
// callers then download the package again.
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

// write replaces the file at path in one step.
func (f *record) write(path string) error {
	text, err := jsondoc.Line(f)
	if err != nil {
		return err
	}
	return atomicfile.Replace(path, 0o600, func(file *os.File) error {
		_, err := file.Write(text)
		return err
	})
}

// cached returns the record of the package in the cache. It returns nil if there is none, if the
// file has another size than the record, or if the file does not start like a package.
func (d *download) cached() *record {
	f, err := readRecord(d.base + ".json")
	if err != nil {
		return nil
	}
	info, err := os.Stat(d.base + suffix)
	if err != nil || info.Size() != f.Size {
		return nil
	}
	if start, err := readStart(d.base + suffix); err != nil || !isPackage(start) {
		return nil
	}
	return f
}

// store moves a complete part into the cache. If it is not a package, it is discarded, and the
// cache stays as it was. If the download was resumed, the whole package is verified, because an
// earlier part may have been damaged after its start.
func (d *download) store(p *part, resumed bool) error {
	defer p.discard()
	if err := d.decode(p); err != nil {
		return err
	}
	start, err := readStart(p.base)
	if err != nil {
		return err
	}
	if !isPackage(start) {
		return d.notPackageError(start)
	}
	if resumed {
		if err := d.verify(p.base, start); err != nil {
			return fmt.Errorf("the file that was downloaded in parts is not a package: %w", err)
		}
	}
	return d.install(p)
}

// verify reads all of a package, or of one that is compressed with gzip.
func (d *download) verify(path string, start []byte) error {
	file, err := regularfile.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	limits := vsix.Limits{Ratio: d.MaxRatio, PackageBytes: d.MaxBytes}
	if bytes.HasPrefix(start, []byte(gzipMagic)) {
		unzipped, err := gzip.NewReader(bufio.NewReader(file))
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, limits.Decompressed(unzipped, info.Size()))
		return err
	}
	p, err := vsix.Open(file, info.Size(), limits)
	if err != nil {
		return err
	}
	return p.Walk(func(vsix.Entry, io.Reader) error { return nil })
}

// decode decompresses the part if the response was compressed with Content-Encoding. If the file
// itself is a compressed package, it stays compressed.
func (d *download) decode(p *part) error {
	switch p.Encoding {
	case "", "identity":
		return nil
	case "gzip", "x-gzip":
	default:
		return fmt.Errorf("%s sent the package with Content-Encoding %q, which is not supported",
			d.url.Host, p.Encoding)
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
	within := vsix.Limits{Ratio: d.MaxRatio}.Decompressed(from, info.Size())
	return atomicfile.Replace(p.base, atomicfile.FileMode, func(to *os.File) error {
		if _, err := d.copy(to, within, 0, func(int64) {}); err != nil {
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

func (d *download) notPackageError(start []byte) error {
	kind := http.DetectContentType(start)
	switch {
	case len(start) == 0:
		kind = "an empty response"
	case strings.HasPrefix(kind, "text/html"):
		return fmt.Errorf("%s sent an HTML page instead of a package; perhaps it requires a login",
			d.url.Host)
	case strings.HasPrefix(kind, "text/"):
		first, _, _ := bytes.Cut(bytes.TrimSpace(start), []byte("\n"))
		kind = fmt.Sprintf("%.80q", first)
	}
	return fmt.Errorf("%s sent %s instead of a package", d.url.Host, kind)
}

// install replaces the package in the cache with p. A package and its record are two files, which
// cannot be replaced in one step. Therefore install removes the old record first: if the run is
// killed between the steps, the package has no record, and is downloaded again.
func (d *download) install(p *part) error {
	path := d.base + suffix
	info, err := os.Stat(p.base)
	if err != nil {
		return err
	}
	p.Size = info.Size()
	if p.LastModified == "" && sameContent(p.base, path) {
		return p.write(d.base + ".json") // the modification time stays
	}
	if changed, err := http.ParseTime(p.LastModified); err == nil {
		if err := os.Chtimes(p.base, time.Time{}, changed); err != nil {
			return err
		}
	}
	if err := os.Remove(d.base + ".json"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(p.base, path); err != nil {
		return err
	}
	return p.write(d.base + ".json")
}

func sameContent(a, b string) bool {
	x, _, err := blob.SumFile(a)
	if err != nil {
		return false
	}
	y, _, err := blob.SumFile(b)
	return err == nil && x == y
}
