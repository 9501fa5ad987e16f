package inbox

import (
	"io"

	"galbuild/publish"
)

// A meter reports how much of packages was transferred.
type meter struct {
	report func(publish.Progress) // may be nil
	at     publish.Progress
	before int64 // bytes of the packages before this one
}

func newMeter(report func(publish.Progress), stage string, packages int, bytes int64) *meter {
	return &meter{report: report, at: publish.Progress{Stage: stage, Total: packages, SentOf: bytes}}
}

// reader returns a reader of a package that reports what is read.
func (m *meter) reader(r io.Reader) io.Reader {
	m.at.Sent = m.before // an earlier attempt may have read a part
	return io.TeeReader(r, m)
}

// next is called after a package of a size.
func (m *meter) next(size int64) {
	m.before += size
	m.at.Done++
}

// Write counts bytes. It implements [io.Writer].
func (m *meter) Write(b []byte) (int, error) {
	m.at.Sent += int64(len(b))
	if m.report != nil {
		m.report(m.at)
	}
	return len(b), nil
}
