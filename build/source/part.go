package source

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// A part is a body that is not all here yet, in base.part and base.part.json.
// Only one that a server can tell from other versions is gone on with.
type part struct {
	record
	base string
	done int64 // bytes in base.part
}

// part returns what is here of the download.
func (d *download) part() *part {
	p := &part{base: d.base + ".part"}
	known, err := readRecord(p.base + ".json")
	if err != nil || known.validator() == "" {
		return p
	}
	if info, err := os.Lstat(p.base); err == nil && info.Mode().IsRegular() && hasSingleLink(info) {
		p.record, p.done = *known, info.Size()
	}
	return p
}

// open returns base.part to be appended to. What it is a part of is written
// down before it has a byte. Nothing is written outside of its folder, whatever links
// somebody plants there.
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

// isContinuedBy tells whether an response is the rest of p.
func (p *part) isContinuedBy(response *http.Response) bool {
	m := contentRange.FindStringSubmatch(response.Header.Get("Content-Range"))
	if p.done == 0 || m == nil || m[1] != strconv.FormatInt(p.done, 10) {
		return false
	}
	sameSize := m[2] == "*" || p.Size < 0 || m[2] == strconv.FormatInt(p.Size, 10)
	etag := response.Header.Get("ETag")
	return sameSize && (etag == "" || etag == p.ETag)
}
