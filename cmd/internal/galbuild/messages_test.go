package galbuild

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestMessages checks that log records look like galbuild's other messages, and that a name
// cannot begin a line of its own. Tokens in addresses are masked.
func TestMessages(t *testing.T) {
	for _, test := range []struct {
		verbose bool
		want    string
	}{
		{false, "galbuild: warning: tried again (source: https://h/x\\u000agalbuild: y, wait: 1s, error: no route)\ngalbuild: warning: plain\n"},
		{true, "galbuild: read package (bytes: 5)\n" +
			"galbuild: warning: tried again (source: https://h/x\\u000agalbuild: y, wait: 1s, error: no route)\ngalbuild: warning: plain\n"},
	} {
		var b bytes.Buffer
		log := slog.New(messages{to: &b, verbose: test.verbose})
		log.Debug("read package", "bytes", 5)
		log.With("source", "https://h/x\ngalbuild: y").WithGroup("g").Warn("tried again", "wait", time.Second, "error", errors.New("no route"))
		log.Warn("plain")
		log.Warn("read", "from", "https://h/t/gal_"+strings.Repeat("x", 43)+"/x")
		test.want += "galbuild: warning: read (from: https://h/t/gal_***/x)\n"
		if b.String() != test.want {
			t.Errorf("verbose %v: got\n%s\nwant\n%s", test.verbose, &b, test.want)
		}
	}
}
