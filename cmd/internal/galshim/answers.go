package galshim

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// answers keeps the compressed answers of a generation. Editors ask the same
// questions over and over: the popular list whenever the view opens, a category,
// the first page of a word. Stitching such an answer costs less than looking it
// up; compressing it costs ten times more. The zero value is empty.
type answers struct {
	mu    sync.RWMutex
	known map[string]answer
	size  int
}

// answer is one compressed answer.
type answer struct {
	packed []byte
	hits   int // extensions in it
}

// Limits of what is kept: when it is full, it starts anew.
const (
	maxAnswers  = 16 << 20 // bytes, of questions and answers
	maxQuestion = 8 << 10  // update checks are everyone's own
)

func (a *answers) get(question []byte) (answer, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	known, ok := a.known[string(question)]
	return known, ok
}

func (a *answers) put(question []byte, known answer) {
	size := len(question) + len(known.packed)
	if len(question) > maxQuestion || size > maxAnswers/16 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil || a.size+size > maxAnswers {
		a.known, a.size = make(map[string]answer), 0
	}
	if _, ok := a.known[string(question)]; !ok {
		a.known[string(question)] = known
		a.size += size
	}
}

// pack returns b compressed.
func (s *server) pack(b []byte) []byte {
	var packed bytes.Buffer
	packed.Grow(len(b) / 6)
	z, ok := s.packers.Get().(*gzip.Writer)
	if !ok {
		z = gzip.NewWriter(nil)
	}
	defer s.packers.Put(z)
	z.Reset(&packed)
	z.Write(b) // to memory: it cannot fail
	z.Close()
	return packed.Bytes()
}

// acceptsGzip tells whether the client decodes gzip: it says so, and not with a
// weight of zero.
func acceptsGzip(h http.Header) bool {
	for coding := range strings.SplitSeq(h.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		weight, weighted := strings.CutPrefix(strings.TrimSpace(params), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		return !weighted || err == nil && q > 0
	}
	return false
}
