package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"galbuild/build/regular"
	"galbuild/build/vsix"
)

// facts are what a server said of a package, kept as JSON beside it.
type record struct {
	URL          string `json:"url"` // as shown
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
	Encoding     string `json:"contentEncoding,omitempty"`
	Size         int64  `json:"size"` // of a package, the file's; of a part, the whole body's as sent, -1 if not known
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

// validator returns what tells these bytes from any others, or "". A weak ETag
// does not: it may stand for other bytes that mean the same.
func (f *record) validator() string {
	if f.ETag == "" || strings.HasPrefix(f.ETag, "W/") {
		return f.LastModified
	}
	return f.ETag
}

// maxRecordBytes bounds the record of a download, in bytes.
const maxRecordBytes = 1 << 20

// readRecord reads the record of a download. A damaged record is an error, and the package
// is downloaded as if there were none.
func readRecord(path string) (*record, error) {
	text, err := regular.ReadFile(path, maxRecordBytes)
	if err != nil {
		return nil, err
	}
	f := new(record)
	if err := json.Unmarshal(text, f); err != nil {
		return nil, err
	}
	if f.Size < -1 || !httpguts.ValidHeaderFieldValue(f.ETag) || !httpguts.ValidHeaderFieldValue(f.LastModified) {
		return nil, fmt.Errorf("%s: damaged record of a download", path)
	}
	return f, nil
}

// write replaces path in one step.
func (f *record) write(path string) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "record-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(append(text, '\n'))
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// kept returns what is known of the package in the folder, or nil if there is
// none or its file is not the one that is known, or not a package.
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

// keep makes a part that is all here the package. A part that is none is
// discarded, and what was kept before stays. Of a package that was put together from the part
// of an earlier try, every byte is verified: the start says nothing about where it was damaged.
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
			return fmt.Errorf("what was downloaded in parts is not a package: %w", err)
		}
	}
	return d.install(p)
}

// verify reads a package, or one that is compressed with gzip, from its start to its end.
func (d *download) verify(path string, start []byte) error {
	file, err := regular.Open(path)
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
		_, err = io.Copy(io.Discard, limits.Unpacked(unzipped, info.Size()))
		return err
	}
	p, err := vsix.Open(file, info.Size(), limits)
	if err != nil {
		return err
	}
	return p.Walk(func(vsix.Entry, io.Reader) error { return nil })
}

// decode undoes the encoding of the transfer. A package that is compressed by
// itself stays so.
func (d *download) decode(p *part) error {
	switch p.Encoding {
	case "", "identity":
		return nil
	case "gzip", "x-gzip":
	default:
		return fmt.Errorf("%s sends it encoded as %q, which is not understood", d.url.Host, p.Encoding)
	}
	encoded, err := regular.Open(p.base)
	if err != nil {
		return err
	}
	defer encoded.Close()
	from, err := gzip.NewReader(bufio.NewReader(encoded))
	if err != nil {
		return nil // mislabelled, as some servers do with every file
	}
	to, err := createNew(d.base + ".decoded")
	if err != nil {
		return err
	}
	defer os.Remove(to.Name())
	defer to.Close()
	info, err := encoded.Stat()
	if err != nil {
		return err
	}
	within := vsix.Limits{Ratio: d.MaxRatio}.Unpacked(from, info.Size())
	if _, err := d.copy(to, within, 0, func(int64) {}); err != nil {
		return fmt.Errorf("decode what came: %w", err)
	}
	return errors.Join(to.Sync(), to.Close(), os.Rename(to.Name(), p.base))
}

// createNew creates a file. It first removes whatever has that name, so that nothing is
// written through a link.
func createNew(path string) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

func readStart(path string) ([]byte, error) {
	file, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	start := make([]byte, 512) // as many as http.DetectContentType looks at
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
		kind = "nothing"
	case strings.HasPrefix(kind, "text/html"):
		return fmt.Errorf("%s answers with an HTML page instead of a package; perhaps it wants somebody to log in", d.url.Host)
	case strings.HasPrefix(kind, "text/"):
		first, _, _ := bytes.Cut(bytes.TrimSpace(start), []byte("\n"))
		kind = fmt.Sprintf("%.80q", first)
	}
	return fmt.Errorf("%s answers with %s instead of a package", d.url.Host, kind)
}

// install puts p in the place of the package. The old facts go first: a run that
// is killed in between leaves a package of which nothing is known, which is then
// asked for anew, and never one that passes for another.
func (d *download) install(p *part) error {
	path := d.base + suffix
	info, err := os.Stat(p.base)
	if err != nil {
		return err
	}
	p.Size = info.Size()
	if p.LastModified == "" && sameContent(p.base, path) {
		return p.write(d.base + ".json") // and its time stays
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
	x, err := hashFile(a)
	if err != nil {
		return false
	}
	y, err := hashFile(b)
	return err == nil && bytes.Equal(x, y)
}

func hashFile(path string) ([]byte, error) {
	file, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return nil, err
	}
	return hash.Sum(nil), nil
}
