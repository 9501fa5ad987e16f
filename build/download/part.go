package download

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// A part is an incomplete download in the files base.part and base.part.json. A download is
// resumed only if its record has a validator.
type part struct {
	record
	base string
	done int64 // number of bytes in base.part
}

// part returns the part of the download. If nothing can be resumed, the part has no bytes.
func (j *job) part() *part {
	p := &part{base: j.base + ".part"}
	stored, err := readRecord(p.base + ".json")
	if err != nil || stored.validator() == "" {
		return p
	}
	if info, err := os.Lstat(p.base); err == nil && info.Mode().IsRegular() && hasSingleLink(info) {
		p.record, p.done = *stored, info.Size()
	}
	return p
}

// open opens base.part for appending. The record is written before the first byte of the part.
// Nothing is written outside of the folder, even if a link has the name of the part.
func (p *part) open() (*os.File, error) {
	if p.done == 0 {
		if err := p.write(p.base + ".json"); err != nil {
			return nil, err
		}
		return createNew(p.base)
	}
	dir, err := os.OpenRoot(filepath.Dir(p.base))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.OpenFile(filepath.Base(p.base), os.O_WRONLY|os.O_APPEND, 0)
}

func (p *part) discard() {
	os.Remove(p.base)
	os.Remove(p.base + ".json")
	p.done = 0
}

var contentRange = regexp.MustCompile(`^bytes (\d+)-\d+/(\d+|\*)$`)

// isContinuedBy reports whether a response contains the rest of p.
func (p *part) isContinuedBy(response *http.Response) bool {
	m := contentRange.FindStringSubmatch(response.Header.Get("Content-Range"))
	if p.done == 0 || m == nil || m[1] != strconv.FormatInt(p.done, 10) {
		return false
	}
	sameSize := m[2] == "*" || p.Size < 0 || m[2] == strconv.FormatInt(p.Size, 10)
	etag := response.Header.Get("ETag")
	return sameSize && (etag == "" || etag == p.ETag)
}
