package stats

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// request returns a line of a log: a download of an extension at a minute of a day.
func request(minute int, name string) string {
	return fmt.Sprintf("192.0.2.7 - - [29/Nov/2026:10:%02d:00 +0000] \"GET /assets/acme/%s/1.0.0/Microsoft.VisualStudio.Services.VSIXPackage?install=true HTTP/1.1\" 200 9 \"-\" \"x\"\n", minute, name)
}

func newFolder(t *testing.T) *Folder {
	t.Helper()
	f, err := OpenFolder(filepath.Join(t.TempDir(), "stats"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// addLog adds a log, and checks how many downloads were new.
func (f *Folder) addLog(t *testing.T, text string, want int64) Added {
	t.Helper()
	added, err := f.AddLog("access.log", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if added.Downloads != want || added.Installs != want {
		t.Errorf("%d downloads and %d installs are new, want %d: %+v", added.Downloads, added.Installs, want, added)
	}
	return added
}

// sums returns the downloads of all files of a folder.
func (f *Folder) sums(t *testing.T) map[string]int64 {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(f.path, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]int64)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			l, err := parseLine(line)
			if err != nil {
				t.Fatal(err)
			}
			all[l.Day+" "+l.ID] += l.Downloads
		}
	}
	return all
}

// TestAddLog adds a log that grows, is compressed, and is read in other parts. Each line is counted
// once.
func TestAddLog(t *testing.T) {
	f := newFolder(t)
	first, second := request(1, "a")+request(2, "b"), request(3, "a")
	f.addLog(t, first, 2)
	f.addLog(t, first, 0)
	if added := f.addLog(t, first, 0); added.File != "" || added.Known != int64(len(first)) {
		t.Errorf("got %+v", added)
	}
	f.addLog(t, first+second[:len(second)-1], 0) // the last line is being written
	f.addLog(t, first+second, 1)
	var packed bytes.Buffer
	for _, part := range []string{first, second + request(4, "b")} { // two members, as after rotating twice
		w := gzip.NewWriter(&packed)
		fmt.Fprint(w, part)
		w.Close()
	}
	f.addLog(t, packed.String(), 1)
	if got := fmt.Sprint(f.sums(t)); got != "map[2026-11-29 acme.a:2 2026-11-29 acme.b:2]" {
		t.Errorf("got %s", got)
	}
}

// TestOtherLogs adds logs that begin with the same lines as one that was counted, as two servers
// that are asked for their health at the same time may have. None is taken for another one.
func TestOtherLogs(t *testing.T) {
	f := newFolder(t)
	same := request(1, "a")
	f.addLog(t, same+request(2, "b"), 2)
	f.addLog(t, same+request(2, "c"), 2)
	f.addLog(t, same, 1) // shorter than what was counted, so it is another log
	f.addLog(t, same+request(2, "b")+request(3, "b"), 1)
	if got := fmt.Sprint(f.sums(t)); got != "map[2026-11-29 acme.a:3 2026-11-29 acme.b:2 2026-11-29 acme.c:1]" {
		t.Errorf("got %s", got)
	}
}

// TestLongLines has lines that are too long between others.
func TestLongLines(t *testing.T) {
	f := newFolder(t)
	long := "x" + strings.Repeat("y", 3*maxLogLine) + "\n"
	added := f.addLog(t, request(1, "a")+long+request(2, "a")+long, 2)
	if added.Lines != 4 || added.Bytes != int64(2*len(request(1, "a"))+2*len(long)) {
		t.Errorf("got %+v", added)
	}
	if _, err := f.AddLog("log", strings.NewReader(strings.Repeat("z", maxSkipped+2*maxLogLine))); err == nil || !strings.Contains(err.Error(), "longer than the limit") {
		t.Errorf("a line without an end: %v", err)
	}
}

// TestWrongLogs has files that are not logs, of which nothing is written.
func TestWrongLogs(t *testing.T) {
	f := newFolder(t)
	var cut bytes.Buffer
	w := gzip.NewWriter(&cut)
	fmt.Fprint(w, strings.Repeat(request(1, "a"), 1000))
	w.Close()
	for text, want := range map[string]string{
		"hello\nworld\n": `log: line 1: want a line in nginx's format combined, found "hello"`,
		"a - - [29.11.2026] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\n": `log: line 1: want a time such as 29/Nov/2026:18:00:00 +0000, found "29.11.2026"`,
		cut.String()[:cut.Len()-9]:                                  "log: unexpected EOF",
	} {
		if _, err := f.AddLog("log", strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if got := f.sums(t); len(got) > 0 {
		t.Errorf("something was counted: %v", got)
	}
	added := f.addLog(t, request(1, "a")+"damaged VSIXPackage\n"+request(2, "a"), 2)
	if added.Skipped != 1 {
		t.Errorf("got %+v, want a skipped line", added)
	}
}

// TestFolderIsLocked opens a folder twice.
func TestFolderIsLocked(t *testing.T) {
	f := newFolder(t)
	if _, err := OpenFolder(f.path); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
}

// TestDaysAreUTC has a request in another time zone.
func TestDaysAreUTC(t *testing.T) {
	line := strings.Replace(request(1, "a"), "29/Nov/2026:10:01:00 +0000", "01/Mar/2028:00:30:00 +0200", 1)
	if day, _, counts, err := parseRequest(line); day != "2028-02-29" || !counts || err != nil {
		t.Errorf("got %s, %t, %v", day, counts, err)
	}
}

// FuzzLog reads any text as a log twice. The second time, nothing is new. Its lines can be read.
func FuzzLog(f *testing.F) {
	f.Add([]byte(request(1, "a") + "x\n" + request(2, "b")))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		first := newLog("log", nil)
		if first.read(bytes.NewReader(text)) != nil {
			return
		}
		lines, err := first.text()
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(lines) {
			if _, err := parseLine(line); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
		second := newLog("log", map[int64][]string{first.added.Bytes: {hex.EncodeToString(first.sum.Sum(nil))}})
		if err := second.read(bytes.NewReader(text)); err != nil || second.added.Known != second.added.Bytes || len(second.counts) > 0 {
			t.Errorf("the second time: %+v, %v", second.added, err)
		}
	})
}
