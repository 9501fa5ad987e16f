package galshim

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

// TestRequestID checks which ids of requests are taken from a client, and that the response and the
// log have the same.
func TestRequestID(t *testing.T) {
	made := regexp.MustCompile(`^[0-9a-f]{16}$`)
	var lines bytes.Buffer
	trusted := openSample(t, func(c *config) {
		c.addresser = &addresser{trusted: []network{{netip.MustParsePrefix("192.0.2.1/32")}}}
		c.log = slog.New(slog.NewTextHandler(&lines, nil))
	})
	stranger := openSample(t, func(c *config) { c.addresser = &addresser{trusted: loopback} })
	for _, x := range []struct {
		from  *testGallery
		given []string
		taken bool
	}{
		{trusted, []string{"4bf92f3577b34da6a3ce929d0e0e4736"}, true},
		{trusted, []string{"Root=1-67891233-abcdef012345678912345678"}, true},
		{trusted, nil, false},
		{trusted, []string{"short"}, false},
		{trusted, []string{strings.Repeat("a", maxRequestID+1)}, false},
		{trusted, []string{"with a space"}, false},
		{trusted, []string{"line\nbreak"}, false},
		{trusted, []string{"4bf92f3577b34da6", "4bf92f3577b34da7"}, false},
		{stranger, []string{"4bf92f3577b34da6a3ce929d0e0e4736"}, false},
	} {
		lines.Reset()
		var header []string
		for _, id := range x.given {
			header = append(header, "X-Request-Id", id)
		}
		got := x.from.request("GET", "/no/such/path", "", header...).Header.Values("X-Request-Id")
		if len(got) != 1 || x.taken && got[0] != x.given[0] || !x.taken && !made.MatchString(got[0]) {
			t.Errorf("%q: the response has the ids %q", x.given, got)
		}
		if x.from == trusted && !strings.Contains(lines.String(), "id="+got[0]) && !strings.Contains(lines.String(), `id="`+got[0]+`"`) {
			t.Errorf("%q: the log has not %q: %s", x.given, got, &lines)
		}
	}
}

// TestTraceID reads traceparent headers.
func TestTraceID(t *testing.T) {
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for text, want := range map[string]string{
		"00-" + trace + "-" + parent + "-01":                   trace,
		"cc-" + trace + "-" + parent + "-01-later-version":     trace,
		"ff-" + trace + "-" + parent + "-01":                   "",
		"00-" + strings.ToUpper(trace) + "-" + parent + "-01":  "",
		"00-" + strings.Repeat("0", 32) + "-" + parent + "-01": "",
		"00-" + trace + "-" + parent:                           "",
		"00-" + trace + "_" + parent + "-01":                   "",
		"00-" + trace + "-" + parent[1:] + "x-01":              "",
		"": "",
	} {
		if got := traceID(map[string][]string{"Traceparent": {text}}); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := traceID(map[string][]string{"Traceparent": {"00-" + trace + "-" + parent + "-01", "x"}}); got != "" {
		t.Errorf("two headers: got %q", got)
	}
}

// TestQuestionLog checks how much of a query is logged, and that nothing is with --no-log-queries.
func TestQuestionLog(t *testing.T) {
	var lines bytes.Buffer
	log := slog.New(slog.NewTextHandler(&lines, nil))
	g := openSample(t, func(c *config) { c.log = log })
	var criteria []string
	for i := range 60 {
		criteria = append(criteria, fmt.Sprintf(`{"filterType":7,"value":"acme.n%d"}`, i))
	}
	check := `{"filters":[{"criteria":[` + strings.Join(criteria, ",") + `]}]}`
	long := fmt.Sprintf(`{"filters":[{"criteria":[{"filterType":10,"value":"%s\nline"}]}]}`, strings.Repeat("é", 600))
	g.request("POST", "/api/extensionquery", check)
	if want := `ids="acme.n0 acme.n1 acme.n2 acme.n3 acme.n4" idCount=60`; !strings.Contains(lines.String(), want) {
		t.Errorf("no %s in %s", want, &lines)
	}
	lines.Reset()
	g.request("POST", "/api/extensionquery", long, "User-Agent", strings.Repeat("x", 5000))
	if got := lines.String(); len(got) > 3*maxLoggedText || strings.Count(got, "…") != 2 || strings.Count(got, "\n") != 1 {
		t.Errorf("got %s", got)
	}
	lines.Reset()
	quiet := openSample(t, func(c *config) { c.log, c.noQueryLog = log, true })
	quiet.request("POST", "/api/extensionquery", check)
	if got := lines.String(); strings.Contains(got, "acme.n") || !strings.Contains(got, "hits=0") {
		t.Errorf("got %s", got)
	}
}
