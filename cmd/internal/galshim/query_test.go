package galshim

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// ids returns the names of the extensions in the first result of a response.
func ids(t *testing.T, response string) string {
	t.Helper()
	var a struct {
		Results []struct {
			Extensions []struct {
				ExtensionName string
			}
		}
	}
	if err := json.Unmarshal([]byte(response), &a); err != nil || len(a.Results) == 0 {
		t.Fatalf("no response: %v: %.200s", err, response)
	}
	var names []string
	for _, e := range a.Results[0].Extensions {
		names = append(names, e.ExtensionName)
	}
	return strings.Join(names, " ")
}

// byName returns the body of a query for a single extension.
func byName(name string) string {
	return fmt.Sprintf(`{"filters":[{"criteria":[{"filterType":7,"value":%q}],"pageNumber":1,"pageSize":1}],"flags":950}`, name)
}

// TestBytesAfterBody sends what editors send for text that is not ASCII: Content-Length counts
// UTF-16 units, so the end of the JSON comes after the end of the body. The query gets a response,
// and the rest is not read as the next request.
func TestBytesAfterBody(t *testing.T) {
	srv := httptest.NewServer(openSample(t))
	defer srv.Close()
	body := `{"filters":[{"criteria":[{"filterType":10,"value":"Número 1"},{"filterType":8,"value":"Microsoft.VisualStudio.Code"}],"pageNumber":1,"pageSize":50}],"assetTypes":[],"flags":950}`
	units := len([]rune(body))
	if units == len(body) {
		t.Fatal("the body is ASCII")
	}
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /api/extensionquery HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", units, body)
	stream := bufio.NewReader(conn)
	resp, err := http.ReadResponse(stream, nil)
	if err != nil {
		t.Fatal(err)
	}
	response := text(t, resp)
	if resp.StatusCode != http.StatusOK || ids(t, response) != "n1" {
		t.Errorf("got %d %.300s, want n1", resp.StatusCode, response)
	}
	if !resp.Close {
		t.Error("the connection stays open")
	}
	if rest, err := io.ReadAll(stream); err != nil || len(rest) > 0 {
		t.Errorf("after the response: %q, %v, want the end", rest, err)
	}
}

// TestKeepAlive checks that a connection stays open after a valid request.
func TestKeepAlive(t *testing.T) {
	srv := httptest.NewServer(openSample(t))
	defer srv.Close()
	for _, body := range []io.Reader{strings.NewReader(byName("acme.hello")), io.MultiReader(strings.NewReader(byName("acme.hello")))} {
		resp, err := http.Post(srv.URL+"/api/extensionquery", "application/json", body) // the second is chunked
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(t, text(t, resp)); got != "Hello" || resp.Close {
			t.Errorf("got %q, close %t, want Hello and the connection kept", got, resp.Close)
		}
	}
}

// TestBodies sends bodies that are empty, too long or not a query.
func TestBodies(t *testing.T) {
	srv := httptest.NewServer(openSample(t))
	defer srv.Close()
	long := strings.Repeat(" ", maxBody)
	for _, x := range []struct {
		name   string
		body   string
		status int
		closes bool
	}{
		{"nothing", "", 200, false},
		{"blanks", " \n ", 200, false},
		{"the longest", "{}" + long[2:], 200, false},
		{"one byte more", "{}" + long[1:], 413, true},
		{"more after the JSON", byName("acme.hello") + "}]", 200, true},
		{"a string", `"x"`, 400, true},
		{"a form", "a=b", 400, true},
	} {
		for _, chunked := range []bool{false, true} {
			var body io.Reader = strings.NewReader(x.body)
			if chunked {
				body = io.MultiReader(body)
			}
			resp, err := http.Post(srv.URL+"/api/extensionquery", "application/json", body)
			if err != nil {
				t.Errorf("%s: %v", x.name, err)
				continue
			}
			if response := text(t, resp); resp.StatusCode != x.status || resp.Close != x.closes || !json.Valid([]byte(response)) {
				t.Errorf("%s, chunked %t: got %d, close %t, %.200s, want %d, %t", x.name, chunked, resp.StatusCode, resp.Close, response, x.status, x.closes)
			}
		}
	}
}

// TestGzip checks that responses and text files are compressed, and nothing else, for clients that
// accept it.
func TestGzip(t *testing.T) {
	g := openSample(t)
	const script = "/files/acme/hello/1.2.3@web/extension/main.js"
	for _, x := range []struct {
		method, target, accept string
		gzip                   bool
	}{
		{"POST", "/api/extensionquery", "gzip", true},
		{"POST", "/api/extensionquery", "deflate, gzip;q=0.5, br", true},
		{"POST", "/api/extensionquery", "gzip;q=0", false},
		{"POST", "/api/extensionquery", "br, zstd", false},
		{"POST", "/api/extensionquery", "", false},
		{"GET", "/api/vscode/acme/hello/latest", "gzip", true},
		{"GET", "/manifest.json", "gzip, zstd", true},
		{"GET", script, "gzip", true},
		{"GET", script, "zstd", false},
		{"GET", "/assets/acme/hello/1.2.3/" + pkg, "gzip", false},
		{"GET", "/assets/acme/hello/1.2.3/" + iconType, "gzip", false},
	} {
		resp := g.request(x.method, x.target, "", "Accept-Encoding", x.accept)
		zipped := resp.Header.Get("Content-Encoding") == "gzip"
		if resp.StatusCode != 200 || zipped != x.gzip {
			t.Errorf("%s %s for %q: %d, gzip %t, want %t", x.method, x.target, x.accept, resp.StatusCode, zipped, x.gzip)
		}
		if !zipped {
			continue
		}
		z, err := gzip.NewReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(z)
		if want := text(t, g.request(x.method, x.target, "")); err != nil || string(got) != want {
			t.Errorf("%s %s: decompressed, it is not the plain response: %v", x.method, x.target, err)
		}
		if tag := resp.Header.Get("ETag"); tag != "" && !strings.HasPrefix(tag, `W/"`) {
			t.Errorf("%s %s: entity tag %s is that of the plain bytes", x.method, x.target, tag)
		}
	}
}

// TestGzipConditions requests a file with the entity tag of its compressed response, and a range of
// it, which is never compressed.
func TestGzipConditions(t *testing.T) {
	g := openSample(t)
	const script = "/files/acme/hello/1.2.3@web/extension/main.js"
	tag := g.request("GET", script, "", "Accept-Encoding", "gzip").Header.Get("ETag")
	if resp := g.request("GET", script, "", "Accept-Encoding", "gzip", "If-None-Match", tag); resp.StatusCode != http.StatusNotModified {
		t.Errorf("If-None-Match: %s: %d, want 304", tag, resp.StatusCode)
	}
	resp := g.request("GET", script, "", "Accept-Encoding", "gzip", "Range", "bytes=0-1999")
	if body := text(t, resp); resp.StatusCode != http.StatusPartialContent || len(body) != 2000 || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("range: %d, %d bytes, %q", resp.StatusCode, len(body), resp.Header.Get("Content-Encoding"))
	}
}

// TestGzipLongBase has a base URL that is longer than the width reserved for it in compressed
// fragments.
func TestGzipLongBase(t *testing.T) {
	g := openSample(t, func(c *config) { c.addresser.fixed = "https://" + strings.Repeat("long.", 20) + "example" })
	resp := g.request("POST", "/api/extensionquery", "", "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if want := text(t, g.request("POST", "/api/extensionquery", "")); err != nil || string(got) != want || !strings.Contains(want, "long.long.") {
		t.Errorf("decompressed, it is not the plain response: %v", err)
	}
}

// TestCompressors sends files uncompressed while too many are being compressed.
func TestCompressors(t *testing.T) {
	g := openSample(t)
	for range maxCompressors {
		if !g.mayCompress() {
			t.Fatal("too few compressors")
		}
	}
	for _, path := range []string{"/files/acme/hello/1.2.3@web/extension/main.js", "/api/vscode/acme/hello/latest"} {
		resp := g.request("GET", path, "", "Accept-Encoding", "gzip")
		vary := strings.Join(resp.Header.Values("Vary"), ", ")
		if resp.StatusCode != 200 || resp.Header.Get("Content-Encoding") != "" || !strings.Contains(vary, "Accept-Encoding") {
			t.Errorf("%s: status %d, content encoding %q, Vary %q", path, resp.StatusCode, resp.Header.Get("Content-Encoding"), vary)
		}
	}
	<-g.compressing
	if resp := g.request("GET", "/api/vscode/acme/hello/latest", "", "Accept-Encoding", "gzip"); resp.Header.Get("Content-Encoding") != "gzip" || len(g.compressing) != maxCompressors-1 {
		t.Errorf("content encoding %q, %d compressors taken", resp.Header.Get("Content-Encoding"), len(g.compressing))
	}
}

// TestClientDisconnects checks that a client that disconnects is not logged as a server error.
func TestClientDisconnects(t *testing.T) {
	g := openSample(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", "/api/extensionquery", strings.NewReader(emptyPOST)))
	if w.Code != statusClientGone {
		t.Errorf("status %d, want %d", w.Code, statusClientGone)
	}
}
