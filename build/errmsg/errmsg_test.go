package errmsg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"galbuild/build/porttest"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	_, open := os.Open(missing)
	_, list := os.ReadDir(missing)
	rename := os.Rename(missing, missing+"2")
	_, parse := strconv.ParseInt("x", 10, 64)
	for _, test := range []struct {
		err  error
		want string
	}{
		{open, missing + ": no such file or directory"},
		{fmt.Errorf("make site %s: %w", missing, open), "make site " + missing + ": no such file or directory"},
		{fmt.Errorf("%s: make site %s: %w", missing, missing, open), "make site " + missing + ": no such file or directory"},
		{fmt.Errorf("--since %s: %w", missing, list), "--since " + missing + ": no such file or directory"},
		{rename, missing + "2: no such file or directory"},
		{errors.Join(open, rename), missing + ": no such file or directory\n" + missing + "2: no such file or directory"},
		{fmt.Errorf("s3://x at http://h: get index/CURRENT in s3://x at http://h: denied (403)"), "get index/CURRENT in s3://x at http://h: denied (403)"},
		{fmt.Errorf("http://h:80/r: http://h:80/r: get index/CURRENT: h:80: 500"), "http://h:80/r: get index/CURRENT: 500"},
		{fmt.Errorf("a.vsix: a.vsix.json: is empty"), "a.vsix: a.vsix.json: is empty"}, // they are two files
		{fmt.Errorf("artifactory: want https://host/artifactory"), "artifactory: want https://host/artifactory"},
		{fmt.Errorf("--since old: old: no such file"), "--since old: no such file"},
		{fmt.Errorf("read x.gz: gzip: invalid header"), "read x.gz: invalid header"},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), "read: it ends too early"},
		{fmt.Errorf("read: %w", io.EOF), "read: it ends too early"},
		{&url.Error{Op: "Get", URL: "http://h/x", Err: io.EOF}, "http://h/x: the connection was closed"},
		{context.DeadlineExceeded, "it took too long"},
		{parse, `"x" is not a number in range`},
		{errors.New("no GEOFENCE: there is EOF text in it"), "no GEOFENCE: there is EOF text in it"},
	} {
		if got := Text(test.err); got != test.want {
			t.Errorf("%v: got %s, want %s", test.err, got, test.want)
		}
	}
	if err := Error(open); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v does not wrap its cause", err)
	}
	if Error(nil) != nil {
		t.Error("no error has become one")
	}
}

// TestNetwork has errors that servers cause.
func TestNetwork(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	closed := serve(t, "")
	notHTTP := serve(t, "hello\r\n\r\n")
	refused := "http://" + porttest.Address(t)
	for address, want := range map[string]string{
		secure.URL: secure.URL + ": the certificate is not trusted: certificate signed by unknown authority",
		strings.Replace(web.URL, "http", "https", 1): strings.Replace(web.URL, "http", "https", 1) + ": the server does not speak TLS",
		refused: refused + ": connection refused",
		closed:  closed + ": it ends too early",
		notHTTP: notHTTP + `: the server does not speak HTTP, it sends "hello"`,
	} {
		_, err := (&http.Transport{}).RoundTrip(httptest.NewRequest("GET", address, nil))
		if err == nil {
			t.Fatalf("%s responds", address)
		}
		if got := Text(fmt.Errorf("%s: %w", address, err)); got != want {
			t.Errorf("%v: got %s, want %s", err, got, want)
		}
	}
	if _, err := net.Listen("tcp", strings.TrimPrefix(web.URL, "http://")); err == nil || !strings.HasPrefix(Text(err), "127.0.0.1:") {
		t.Errorf("got %s", Text(err))
	}
}

// serve returns the address of a server that sends a text to whoever connects, and closes
// the connection.
func serve(t *testing.T, text string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, text)
			c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"https://me:s3cret@host/x: no":                             "https://me:xxxxx@host/x: no",
		"s3://key:s3cret@vsix and ftp://a:b@c":                     "s3://key:xxxxx@vsix and ftp://a:xxxxx@c",
		`"artifactory:https://me:s3@cret@host:80/r"`:               `"artifactory:https://me:xxxxx@host:80/r"`,
		"https://me@host/x":                                        "https://me@host/x",
		"http://host:8080/a@b: acme.hello@1.0.0":                   "http://host:8080/a@b: acme.hello@1.0.0",
		"http://[::1]:80/a@b":                                      "http://[::1]:80/a@b",
		"https://host/t/gal_" + strings.Repeat("a", 43) + "/x: no": "https://host/t/gal_***/x: no",
	} {
		if got := Text(errors.New(text)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
