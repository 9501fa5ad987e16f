package stats

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/klauspost/compress/gzip"

	"galbuild/build/atomicfile"
)

// Added is what [Folder.AddLog] has done with a log.
type Added struct {
	Log        string `json:"log"`
	Lines      int64  `json:"lines"`   // that were new
	Skipped    int64  `json:"skipped"` // of these, lines that may count but cannot be read, or are too many
	Known      int64  `json:"known"`   // bytes that were counted before
	Bytes      int64  `json:"bytes"`   // of the whole log, decompressed, up to the end of the last line
	Downloads  int64  `json:"downloads"`
	Installs   int64  `json:"installs"`
	Uninstalls int64  `json:"uninstalls"`
	File       string `json:"file,omitempty"` // in the folder; "" if nothing was new
}

// A Folder is a folder of statistics that is locked for adding logs.
type Folder struct {
	path string
	root *os.Root
	lock *flock.Flock
}

// ErrLocked is the error for a folder to which another process is adding logs.
var ErrLocked = errors.New("another process is adding logs to the folder")

// OpenFolder makes a folder of statistics if it is missing, and locks it.
func OpenFolder(dir string) (*Folder, error) {
	if err := atomicfile.MkdirAll(dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{dir, root, flock.New(dir + "/lock")}
	if ok, err := f.lock.TryLock(); err != nil || !ok {
		root.Close()
		return nil, fmt.Errorf("%s: %w", dir, cmp.Or(err, ErrLocked))
	}
	return f, nil
}

// Close unlocks the folder.
func (f *Folder) Close() error { return errors.Join(f.lock.Close(), f.root.Close()) }

// maxLogLine is the length of the longest line of a log that is read. Longer ones are skipped.
const maxLogLine = 64 << 10

// maxLogEntries limits the days and extensions of a log together. A process can hold them in
// memory.
const maxLogEntries = 500_000

// AddLog counts the requests of an access log of nginx in the format combined, which may be
// compressed with gzip, and writes the counts to the folder. It counts only what was added to the
// log since it was counted last.
func (f *Folder) AddLog(name string, r io.Reader) (Added, error) {
	known, err := f.known()
	if err != nil {
		return Added{}, err
	}
	l := newLog(name, known)
	if err := l.read(r); err != nil {
		return Added{}, fmt.Errorf("%s: %w", name, err)
	}
	if l.added.Bytes == l.added.Known {
		return l.added, nil
	}
	text, err := l.text()
	if err != nil {
		return Added{}, err
	}
	l.added.File = fmt.Sprintf("log.%x-%d%s", l.sum.Sum(nil), l.added.Bytes, fileSuffix)
	return l.added, atomicfile.WriteText(f.root, l.added.File, text)
}

// logName is the form of the names of files of logs.
var logName = regexp.MustCompile(`^log\.([0-9a-f]{64})-([0-9]{1,18})\.jsonl$`)

// known returns the lengths of all parts of logs that were counted, with their hashes.
func (f *Folder) known() (map[int64][]string, error) {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil, err
	}
	known := make(map[int64][]string)
	for _, e := range entries {
		if m := logName.FindStringSubmatch(e.Name()); m != nil {
			n, _ := strconv.ParseInt(m[2], 10, 64) // digits only
			known[n] = append(known[n], m[1])
		}
	}
	return known, nil
}

// A log is an access log while it is read.
type log struct {
	added  Added
	known  map[int64][]string
	sum    hash.Hash // of all lines
	counts map[[2]string]*Line
}

// newLog returns a log of which the parts in known were counted.
func newLog(name string, known map[int64][]string) *log {
	return &log{added: Added{Log: name}, known: known, sum: sha256.New(), counts: make(map[[2]string]*Line)}
}

// read reads all lines. What it reads before the end of a part that was counted already is not
// counted again.
func (l *log) read(r io.Reader) error {
	lines := bufio.NewReaderSize(r, maxLogLine)
	if magic, _ := lines.Peek(2); string(magic) == "\x1f\x8b" {
		unpacked, err := gzip.NewReader(lines)
		if err != nil {
			return err
		}
		lines = bufio.NewReaderSize(unpacked, maxLogLine)
	}
	readable, bad := false, error(nil)
	for {
		line, long, err := nextLine(lines, l.sum)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		l.added.Lines++
		if l.added.Bytes += long; int64(len(line)) == long {
			if err := l.count(line, readable); err == nil {
				readable = true
			} else if bad == nil {
				bad = fmt.Errorf("line %d: %w", l.added.Lines, err)
			}
		}
		if sums := l.known[l.added.Bytes]; len(sums) > 0 && slices.Contains(sums, hex.EncodeToString(l.sum.Sum(nil))) {
			l.added = Added{Log: l.added.Log, Known: l.added.Bytes, Bytes: l.added.Bytes}
			clear(l.counts)
		}
	}
	if !readable && bad != nil {
		return bad
	}
	return nil
}

// nextLine returns the next line with its newline, and its length. Of a line that is too long, it
// returns the beginning. An incomplete line at the end is not returned, because the rest may follow
// later. It adds the line to the hash.
func nextLine(lines *bufio.Reader, sum io.Writer) (line []byte, length int64, err error) {
	line, err = lines.ReadSlice('\n')
	if err == nil {
		sum.Write(line)
		return line, int64(len(line)), nil
	}
	var rest []byte
	for begin := bytes.Clone(line); ; line, err = lines.ReadSlice('\n') {
		switch err {
		case bufio.ErrBufferFull:
			rest = append(rest, line...)
			if len(rest) > maxSkipped {
				return nil, 0, fmt.Errorf("a line is longer than the limit of %d bytes", maxSkipped)
			}
		case nil:
			rest = append(rest, line...)
			sum.Write(rest)
			return begin, int64(len(rest)), nil
		default:
			return nil, 0, err
		}
	}
}

// maxSkipped is the length of the longest line that is skipped.
const maxSkipped = 16 << 20

// count counts the request of a line. The error is for a line in another format. If counting is
// known to work, lines that cannot count are not looked at.
func (l *log) count(line []byte, quick bool) error {
	if quick && !bytes.Contains(line, []byte("VSIXPackage")) && !bytes.Contains(line, []byte("vspackage")) && !bytes.Contains(line, []byte("statType")) {
		return nil
	}
	day, event, counts, err := parseRequest(string(line))
	if err != nil {
		if quick {
			l.added.Skipped++
			return nil
		}
		return err
	}
	if !counts {
		return nil
	}
	key := [2]string{day, event.ID}
	at := l.counts[key]
	if at == nil {
		if len(l.counts) == maxLogEntries {
			l.added.Skipped++
			return nil
		}
		at = &Line{Day: day, ID: event.ID}
		l.counts[key] = at
	}
	at.Add(event)
	one := Line{}
	one.Add(event)
	l.added.Downloads += one.Downloads
	l.added.Installs += one.Installs
	l.added.Uninstalls += one.Uninstalls
	return nil
}

// combined is a line in nginx's format combined, up to the status. nginx escapes quotation marks.
var combined = regexp.MustCompile(`^\S+ \S+ .*? ?\[([^\]]+)\] "([^"]*)" ([0-9]{3}) `)

// parseRequest returns the day and the event of a line.
func parseRequest(line string) (day string, e Event, counts bool, err error) {
	m := combined.FindStringSubmatch(line)
	if m == nil {
		return "", Event{}, false, fmt.Errorf("want a line in nginx's format combined, found %.100q", strings.TrimRight(line, "\r\n"))
	}
	at, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[1])
	if err != nil {
		return "", Event{}, false, fmt.Errorf("want a time such as 29/Nov/2026:18:00:00 +0000, found %.100q", m[1])
	}
	method, rest, _ := strings.Cut(m[2], " ")
	address, _, _ := strings.Cut(rest, " ")
	status, _ := strconv.Atoi(m[3])
	e, counts = NewEvent(method, address, status)
	return DayOf(at), e, counts, nil
}

// text returns the lines of a file, sorted.
func (l *log) text() (text []byte, err error) {
	all := make([]*Line, 0, len(l.counts))
	for _, line := range l.counts {
		all = append(all, line)
	}
	slices.SortFunc(all, CompareLines)
	for _, line := range all {
		if text, err = line.Append(text); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// CompareLines compares by day and id.
func CompareLines(a, b *Line) int {
	return cmp.Or(strings.Compare(a.Day, b.Day), strings.Compare(a.ID, b.ID))
}
