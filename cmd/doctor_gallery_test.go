package cmd_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/mod/sumdb/note"

	"galbuild/build/pack"
	"galbuild/build/signkey"
	"galbuild/cmd/internal/galshim"
)

// A soundGallery is a site without a fault that galshim serves. Cases put a proxy in front of it,
// which breaks one thing.
type soundGallery struct {
	site      string
	galshim   *url.URL
	trust     []note.Verifier // that have signed its head
	strangers []note.Verifier // that have not
	authority testAuthority
	proxy     *httputil.ReverseProxy
}

// newSoundGallery builds a site from the samples and a package whose id has capital letters, and
// serves it.
func newSoundGallery(t *testing.T) *soundGallery {
	t.Helper()
	dir := t.TempDir()
	vsixs, keys := filepath.Join(dir, "vsixs"), filepath.Join(dir, "keys")
	for _, folder := range []string{vsixs, keys} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, platforms := range map[string][]string{"hello": {""}, "midnight": {""}, "word-count": {"", "web"}, "system-probe": {"", "linux-x64"}} {
		for _, platform := range platforms {
			packTo(t, filepath.Join(vsixs, name+platform+".vsix"), os.DirFS(filepath.Join("..", "testdata", "samples", name)), platform)
		}
	}
	packTo(t, filepath.Join(vsixs, "mixed.vsix"), fstest.MapFS{
		"package.json": {Data: []byte(`{"name":"Mixed","publisher":"Acme","version":"1.0.0","engines":{"vscode":"^1.80.0"},"main":"main.js","activationEvents":[]}`)},
		"main.js":      {Data: []byte("// " + strings.Repeat("a package with enough bytes for a range; ", 200))},
	}, "")
	g := &soundGallery{site: filepath.Join(dir, "site"), authority: newTestAuthority(t)}
	g.trust, g.strangers = publicKey(t, keys, "our.pub", "RWS5v9GEsVGpzVZym7z7YnqtJyHosWiueLfmN9Z1R6uYgBj2Eeq5kx5k"), publicKey(t, keys, "stranger.pub", "RWSA0YwZzP/WPfneoC8S5jebGs5mU1EQW8WtL9x2iAA2BHfvnfo3UZB+")
	mustBuild(t, vsixs, "-o", g.site, "--sign-key", writeText(t, keys, "our.key", secretKeyText), "-q")
	g.galshim = runGalshim(t, g.site)
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections) // galshim would wait for them at its end
	g.proxy = &httputil.ReverseProxy{Rewrite: g.rewrite, Transport: transport}
	return g
}

// secretKeyText is a minisign key without a password, whose public key is our.pub.
const secretKeyText = `untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAub/RhLFRqc1eppzcO6ZWsegE3zihx56DQ0u2VnJbceUi4X64FtVfbVZym7z7YnqtJyHosWiueLfmN9Z1R6uYgBj2Eeq5kx5kAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
`

func publicKey(t *testing.T, dir, name, key string) []note.Verifier {
	t.Helper()
	file := writeText(t, dir, name, "untrusted comment: minisign public key\n"+key+"\n")
	verifiers, err := signkey.ReadVerifiers([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	return verifiers
}

func writeText(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func packTo(t *testing.T, file string, from fs.FS, platform string) {
	t.Helper()
	var archive bytes.Buffer
	if err := pack.Write(&archive, from, pack.Options{Platform: platform, Time: time.Unix(1767225600, 0)}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, archive.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A logReader finds the address at which galshim listens in its log.
type logReader struct {
	mutex sync.Mutex
	text  bytes.Buffer
	found chan string // nil when it was found
}

var listening = regexp.MustCompile(`msg=listening .*addr=(\S+)`)

func (l *logReader) Write(b []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.found != nil {
		l.text.Write(b)
		if m := listening.FindSubmatch(l.text.Bytes()); m != nil {
			l.found <- string(m[1])
			l.found = nil
		}
	}
	return len(b), nil
}

// runGalshim serves a site in this process until the test ends.
func runGalshim(t *testing.T, site string) *url.URL {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	found, ended := make(chan string, 1), make(chan int, 1)
	log := &logReader{found: found}
	go func() {
		ended <- galshim.Main(ctx, []string{"--index", site, "--listen", "127.0.0.1:0"}, io.Discard, log)
	}()
	t.Cleanup(func() { stop(); <-ended })
	select {
	case address := <-found:
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return u
	case status := <-ended:
		ended <- status
		t.Fatalf("galshim ended with status %d", status)
	}
	return nil
}

// rewrite passes a request to galshim as nginx does. A case can set other headers before.
func (g *soundGallery) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host = "http", g.galshim.Host
	scheme := "http"
	if r.In.TLS != nil {
		scheme = "https"
	}
	for name, value := range map[string]string{"X-Forwarded-Host": r.In.Host, "X-Forwarded-Proto": scheme, "X-Forwarded-Prefix": r.In.Header.Get("X-Prefix")} {
		if set := r.In.Header.Get("Test-" + name); set != "" {
			value = set
		}
		r.Out.Header.Set(name, value)
	}
}

// ServeHTTP serves the gallery as nginx and galshim do: nginx has the files of the index.
func (g *soundGallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/index/") || strings.HasPrefix(r.URL.Path, "/blobs/") {
		http.ServeFile(w, r, filepath.Join(g.site, filepath.FromSlash(r.URL.Path)))
		return
	}
	g.proxy.ServeHTTP(w, r)
}

// A breaking is a proxy that breaks something.
type breaking func(next http.Handler) http.Handler

// edit returns a proxy that changes the responses to the requests that match.
func edit(match func(*http.Request, string) bool, change func(*answer)) breaking {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent, err := io.ReadAll(r.Body)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			r.Body = io.NopCloser(bytes.NewReader(sent))
			if !match(r, string(sent)) {
				next.ServeHTTP(w, r)
				return
			}
			recorder := httptest.NewRecorder()
			next.ServeHTTP(recorder, r)
			a := &answer{status: recorder.Code, header: recorder.Header(), request: r}
			a.read(recorder.Body.Bytes())
			change(a)
			a.write(w)
		})
	}
}

// An answer is a response that is changed. Its body is not compressed.
type answer struct {
	request    *http.Request
	status     int
	header     http.Header
	body       []byte
	compressed bool
}

func (a *answer) read(body []byte) {
	a.body, a.compressed = body, a.header.Get("Content-Encoding") == "gzip"
	if a.compressed {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			a.body, err = io.ReadAll(z)
		}
		if err != nil {
			panic(err)
		}
	}
}

func (a *answer) write(w http.ResponseWriter) {
	body := a.body
	if a.compressed {
		body = gzipped(body)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.request.Method != http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	w.Write(body)
}

func gzipped(body []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(body)
	z.Close()
	return b.Bytes()
}

// replace replaces a text of the body, which must have it.
func (a *answer) replace(old, replacement string) {
	if !bytes.Contains(a.body, []byte(old)) {
		panic(fmt.Sprintf("%s: no %s in %s", a.request.URL, old, a.body))
	}
	a.body = bytes.ReplaceAll(a.body, []byte(old), []byte(replacement))
}

// refuse responds to the requests that match, and passes no more than others on.
func refuse(match func(*http.Request, string) bool, status int, mediaType, body string, header ...string) breaking {
	return edit(match, func(a *answer) {
		a.status, a.body, a.compressed = status, []byte(body), false
		for _, name := range []string{"Content-Encoding", "Etag", "Accept-Ranges", "Content-Range"} {
			a.header.Del(name)
		}
		a.header.Set("Content-Type", mediaType)
		for i := 0; i < len(header); i += 2 {
			a.header.Set(header[i], header[i+1])
		}
	})
}

// pass returns a proxy that changes requests before the gallery gets them.
func pass(change func(*http.Request)) breaking {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			change(r)
			next.ServeHTTP(w, r)
		})
	}
}

// rewriteBody is pass for the bodies of queries.
func rewriteBody(pattern, replacement string) breaking {
	re := regexp.MustCompile(pattern)
	return pass(func(r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		body = re.ReplaceAll(body, []byte(replacement))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	})
}

// overHTTP10 sends responses as HTTP/1.0.
func overHTTP10(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		next.ServeHTTP(recorder, r)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		result := recorder.Result()
		fmt.Fprintf(conn, "HTTP/1.0 %d %s\r\n", result.StatusCode, http.StatusText(result.StatusCode))
		result.Header.Write(conn)
		io.WriteString(conn, "\r\n")
		io.Copy(conn, result.Body)
	})
}

// cutOff sends half of the body of responses that match.
func cutOff(match func(*http.Request, string) bool) breaking {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !match(r, "") || r.Method == http.MethodHead {
				next.ServeHTTP(w, r)
				return
			}
			recorder := httptest.NewRecorder()
			next.ServeHTTP(recorder, r)
			body := recorder.Body.Bytes()
			for name, values := range recorder.Header() {
				w.Header()[name] = values
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.WriteHeader(recorder.Code)
			w.Write(body[:len(body)/2])
		})
	}
}

// A testAuthority is an authority, with an intermediate one that it has certified.
type testAuthority struct {
	root, intermediate *x509.Certificate
	key                *ecdsa.PrivateKey // of all, which is enough for tests
	file               string            // the root, as PEM
	issuer             *httptest.Server  // has the certificate of the intermediate authority
}

// atIssuer stands for the address of the certificate of the intermediate authority.
const atIssuer = "issuer"

func newTestAuthority(t *testing.T) testAuthority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := testAuthority{key: key}
	ca := x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(1000 * time.Hour)}
	root, intermediate := ca, ca
	root.SerialNumber, root.Subject = big.NewInt(1), pkix.Name{CommonName: "Acme Root"}
	intermediate.SerialNumber, intermediate.Subject = big.NewInt(2), pkix.Name{CommonName: "Acme Intermediate"}
	a.root = a.sign(t, &root, &root)
	a.intermediate = a.sign(t, &intermediate, a.root)
	a.issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(a.intermediate.Raw) }))
	t.Cleanup(a.issuer.Close)
	a.file = writeText(t, t.TempDir(), "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})))
	return a
}

func (a testAuthority) sign(t *testing.T, c, parent *x509.Certificate) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// certificate returns a certificate for 127.0.0.1, which a case can spoil.
func (a testAuthority) certificate(t *testing.T, spoil func(leaf *x509.Certificate, sent *tls.Certificate)) *tls.Config {
	t.Helper()
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "gallery"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(900 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	sent := tls.Certificate{PrivateKey: a.key, Certificate: [][]byte{nil, a.intermediate.Raw}}
	if spoil != nil {
		spoil(leaf, &sent)
	}
	if slices.Contains(leaf.IssuingCertificateURL, atIssuer) {
		leaf.IssuingCertificateURL = []string{a.issuer.URL}
	}
	parent := a.intermediate
	if leaf.Subject.CommonName == "self-signed" {
		parent = leaf
	}
	sent.Certificate[0] = a.sign(t, leaf, parent).Raw
	return &tls.Config{Certificates: []tls.Certificate{sent}}
}
