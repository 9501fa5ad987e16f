package index

import (
	"bufio"
	"os"

	"galbuild/index/segment"
)

// A spool is a temporary file for a section that is too large to be held.
type spool struct {
	file *os.File
	buf  *bufio.Writer
	size uint64
}

func newSpool(folder string) (*spool, error) {
	f, err := os.CreateTemp(folder, "section-")
	if err != nil {
		return nil, err
	}
	return &spool{file: f, buf: bufio.NewWriterSize(f, 1<<18)}, nil
}

func (s *spool) add(b []byte) error {
	s.size += uint64(len(b))
	_, err := s.buf.Write(b)
	return err
}

// addTo makes what was added a section. Nothing can be added after it.
func (s *spool) addTo(w *segment.Writer, tag string) error {
	w.AddFrom(tag, s.file, int64(s.size))
	return s.buf.Flush()
}

func (s *spool) discard() {
	s.file.Close()
	os.Remove(s.file.Name())
}
