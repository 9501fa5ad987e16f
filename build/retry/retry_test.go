package retry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galbuild/build/porttest"
)

func newClient(t *testing.T, c Config) *Client {
	t.Helper()
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// get sends a GET and reads the response. It fails for a status other than 200.
func get(t *testing.T, c *Client, address string) (string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer s3cret")
	response, err := c.Send(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
		if IsTemporaryStatus(response) {
			err = Temporary(err, response)
		}
	}
	return string(text), err
}

// want checks the text of an error and whether it is temporary.
func want(t *testing.T, err error, text string, isTemporary bool) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) || IsTemporary(err) != isTemporary {
		t.Errorf("got %v (temporary: %v), want %q (temporary: %v)", err, IsTemporary(err), text, isTemporary)
	}
}

// TestStatus checks which statuses are retried, and after which pause.
func TestStatus(t *testing.T) {
	const never = -1 * time.Second
	for _, x := range []struct {
		status     int
		retryAfter string
		retries    int
		pause      time.Duration // the shortest
	}{
		{400, "", 0, never}, {401, "", 0, never}, {404, "", 0, never}, {407, "", 0, never}, {409, "7", 0, never},
		{501, "", 0, never},
		{500, "", 0, firstPause}, {502, "", 1, 2 * firstPause}, {503, "", 2, 4 * firstPause}, {429, "", 3, 8 * firstPause},
		{507, "", 7, 128 * firstPause}, {500, "", Retries, never}, {429, "0", Retries, never},
		{429, "0", 5, 0}, {503, "7", 0, 7 * time.Second}, {429, "300", 0, 5 * time.Minute}, {500, "7", 0, firstPause},
		{429, "301", 0, never}, {429, "86400", 0, never}, {503, "9300000000", 0, never}, {503, "soon", 0, firstPause},
		{503, time.Now().Add(-time.Hour).UTC().Format(time.RFC1123), 0, 0},
		{503, time.Now().Add(time.Hour).UTC().Format(time.RFC1123), 0, never},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if x.retryAfter != "" {
				w.Header().Set("Retry-After", x.retryAfter)
			}
			w.WriteHeader(x.status)
		}))
		_, failure := get(t, newClient(t, Config{}), s.URL)
		s.Close()
		if failure == nil {
			t.Fatalf("%+v: no error", x)
		}
		pause, err := Pause(x.retries, failure)
		if (err != nil) != (x.pause == never) || err == nil && (pause < x.pause || pause > x.pause*3/2) {
			t.Errorf("%+v: got %s, %v", x, pause, err)
		}
	}
}

// TestPauses checks that all pauses together take about a minute.
func TestPauses(t *testing.T) {
	all := time.Duration(0)
	for retries := range Retries {
		pause, err := Pause(retries, Temporary(io.ErrUnexpectedEOF, nil))
		if err != nil || pause > longPause*3/2 {
			t.Fatal(pause, err)
		}
		all += pause
	}
	if all < 45*time.Second || all > 80*time.Second {
		t.Errorf("all pauses take %s", all)
	}
	if _, err := Pause(0, io.ErrUnexpectedEOF); err == nil {
		t.Error("an error without a mark is retried")
	}
}

// TestBroken breaks connections before and within the response.
func TestBroken(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/within" {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	}))
	defer s.Close()
	for _, path := range []string{"/before", "/within"} {
		_, err := get(t, newClient(t, Config{}), s.URL+path)
		want(t, err, "the connection was closed", true)
		if strings.Contains(err.Error(), path) {
			t.Errorf("the error contains the URL: %v", err)
		}
	}
}

// failing is a transport whose requests all fail.
type failing struct{ error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.error }

// TestHints checks the hints of connection errors.
func TestHints(t *testing.T) {
	nowhere := &net.DNSError{Name: "nowhere", IsNotFound: true}
	for _, x := range []struct {
		address   string
		err       error
		want      string
		temporary bool
	}{
		{"https://host", nowhere, `there is no host "nowhere"; behind a proxy, set HTTPS_PROXY`, true},
		{"http://host", nowhere, `there is no host "nowhere"; behind a proxy, set HTTP_PROXY`, true},
		{"https://host", &net.OpError{Op: "dial", Err: nowhere}, "behind a proxy", false},
		{"https://host", &net.OpError{Op: "dial", Err: errors.New("connection refused")}, "connection refused", false},
		{"https://host", &net.OpError{Op: "read", Err: errors.New("connection reset")}, "connection reset", true},
		{"https://host", &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}, "is the clock of this machine right?", false},
		{"https://host", io.ErrUnexpectedEOF, "the connection was closed", true},
	} {
		_, err := get(t, newClient(t, Config{Transport: failing{x.err}}), x.address)
		want(t, err, x.want, x.temporary)
	}
}

// TestUnreachable connects to a host that refuses connections: before it has responded, the
// address is wrong, and afterwards it may be restarting.
func TestUnreachable(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Listener.Close()
	var err error
	if s.Listener, err = net.Listen("tcp", porttest.Address(t)); err != nil {
		t.Fatal(err)
	}
	s.Start()
	c := newClient(t, Config{})
	_, err = get(t, c, s.URL)
	want(t, err, "404", false)
	s.Close()
	_, err = get(t, c, s.URL)
	want(t, err, "connection refused", true)
	_, err = get(t, c, "http://"+porttest.Address(t))
	want(t, err, "connection refused", false)
}

// through returns a client that uses a proxy.
func through(t *testing.T, proxy string) *Client {
	t.Helper()
	transport, err := NewTransport("")
	if err != nil {
		t.Fatal(err)
	}
	transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: proxy})
	return newClient(t, Config{Transport: transport})
}

// TestProxy has proxies that refuse connections.
func TestProxy(t *testing.T) {
	dead := through(t, porttest.Address(t))
	for scheme, variable := range map[string]string{"http": "HTTP_PROXY", "https": "HTTPS_PROXY"} {
		_, err := get(t, dead, scheme+"://gallery.example/x")
		want(t, err, "connection refused; the proxy in "+variable+" cannot be reached: correct the variable, or name the host in NO_PROXY", false)
	}
	for status, x := range map[int]struct {
		want      string
		temporary bool
	}{
		407: {"the proxy refuses the connection (407 Proxy Authentication Required); write the credentials", false},
		403: {"the proxy refuses the connection (403 Forbidden)", false},
		503: {"Service Unavailable", true},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		_, err := get(t, through(t, s.Listener.Addr().String()), "https://gallery.example/x")
		want(t, err, x.want, x.temporary)
		s.Close()
	}
}

// TestPlain connects with TLS to a server that does not speak it.
func TestPlain(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	_, err := get(t, newClient(t, Config{}), strings.Replace(s.URL, "http:", "https:", 1))
	want(t, err, "is it http:// rather than https://?", false)
}

// TestCA trusts a private authority with Config.CA, and names the flag in the error without it.
func TestCA(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, newClient(t, Config{CA: ca}), s.URL); err != nil {
		t.Error(err)
	}
	_, err := get(t, newClient(t, Config{}), s.URL)
	want(t, err, "with --ca FILE, or in SSL_CERT_FILE", false)
	if err := os.WriteFile(ca, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{CA: ca}); err == nil {
		t.Error("a file without certificates is accepted")
	}
}

// TestRedirect checks that no redirect leads from https to http, or takes the credentials to
// another host.
func TestRedirect(t *testing.T) {
	var received []string
	plain := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		received = append(received, r.Header.Get("Authorization"))
	}))
	defer plain.Close()
	mux := http.NewServeMux()
	mux.Handle("/same", http.RedirectHandler("/end", http.StatusFound))
	mux.HandleFunc("/end", func(_ http.ResponseWriter, r *http.Request) {
		received = append(received, r.Header.Get("Authorization"))
	})
	mux.Handle("/other", http.RedirectHandler(plain.URL, http.StatusFound)) // the same name, another port
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	s, secure := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	defer s.Close()
	defer secure.Close()
	c := newClient(t, Config{Transport: secure.Client().Transport})
	for _, path := range []string{"/same", "/other"} {
		if _, err := get(t, c, s.URL+path); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"Bearer s3cret", ""}; !slices.Equal(received, want) {
		t.Errorf("the hosts received %q, want %q", received, want)
	}
	_, err := get(t, c, secure.URL+"/other")
	want(t, err, " redirects from https to http, which is not followed", false)
	_, err = get(t, c, s.URL+"/loop")
	want(t, err, " redirects more than 10 times", false)
}

var errBody = errors.New("the disk is gone")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBody }
func (broken) Close() error             { return nil }

// TestBody sends a body that cannot be read.
func TestBody(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer s.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL, broken{})
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = 10
	_, err = newClient(t, Config{}).Send(request)
	want(t, err, errBody.Error(), false)
	if _, ok := errors.AsType[BodyError](err); !ok {
		t.Errorf("got %T", err)
	}
}

// TestWait checks that a pause ends with its context.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := Wait(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		if err := Wait(t.Context(), time.Minute); err != nil {
			t.Error(err)
		}
	})
}

// silent is a transport that never responds, or stops in the middle of the body.
type silent struct{ half bool }

func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.half {
		body := io.MultiReader(strings.NewReader("half"), readerFunc(func([]byte) (int, error) {
			<-r.Context().Done()
			return 0, r.Context().Err()
		}))
		return &http.Response{StatusCode: 200, Request: r, Body: io.NopCloser(body)}, nil
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// TestStalled transfers no data for too long, which is retried once. The time in which a caller
// does not read the response does not count.
func TestStalled(t *testing.T) {
	for _, half := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			_, err := get(t, newClient(t, Config{Transport: silent{half}}), "http://host")
			want(t, err, "no data was transferred for 2m0s", true)
			if took := time.Since(start); took != stallTimeout {
				t.Errorf("half a response %v: after %s", half, took)
			}
			if _, failed := Pause(0, err); failed != nil {
				t.Errorf("half a response %v: not retried", half)
			}
			if _, failed := Pause(stallRetries, err); failed == nil {
				t.Errorf("half a response %v: retried more than once", half)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://host", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := newClient(t, Config{Transport: silent{true}, Stall: time.Second}).Send(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		time.Sleep(time.Hour)
		if n, err := response.Body.Read(make([]byte, 10)); n != 4 {
			t.Errorf("read %d bytes, %v", n, err)
		}
		time.Sleep(time.Hour)
		start := time.Now()
		_, err = response.Body.Read(make([]byte, 10))
		want(t, err, "no data was transferred for 1s", true)
		if took := time.Since(start); took != time.Second {
			t.Errorf("after %s", took)
		}
	})
}

// TestWithStall checks that a transport fails if a server sends no header, or no more of the body.
func TestWithStall(t *testing.T) {
	for _, path := range []string{"/header", "/body"} {
		synctest.Test(t, func(t *testing.T) {
			transport := WithStall(stalled{path == "/body"}, 30*time.Second)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://host"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			response, err := transport.RoundTrip(request)
			if err == nil {
				time.Sleep(time.Hour) // a slow reader is not a stall
				start = time.Now()
				_, err = io.ReadAll(response.Body)
				response.Body.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "no data was transferred for 30s") || time.Since(start) != 30*time.Second {
				t.Errorf("%s: got %v after %s", path, err, time.Since(start))
			}
		})
	}
}

// stalled is a transport that never responds, or only with a header.
type stalled struct{ header bool }

func (s stalled) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.header {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(stalledBody{r.Context()})}, nil
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

type stalledBody struct{ context.Context }

func (b stalledBody) Read([]byte) (int, error) {
	<-b.Done()
	return 0, b.Err()
}
