//go:build e2e

package s3_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/cors"

	"galbuild/publish/target"
	"galbuild/publish/target/internal/resttest"
	"galbuild/publish/target/s3"
	"galbuild/publish/target/s3/s3test"
	"galbuild/publish/target/targettest"
)

// fresh returns a new bucket of the server.
func fresh(t *testing.T, server *s3test.Server, c s3.Config) *s3.Target {
	t.Helper()
	c.Bucket, c.AccessKey, c.SecretKey = server.Bucket(t), server.AccessKey, server.SecretKey
	return open(t, c)
}

func suite(t *testing.T, options targettest.Options, server *s3test.Server, c s3.Config) {
	targettest.Run(t, options, func(t *testing.T) target.Target { return fresh(t, server, c) })
}

// TestTarget runs the suite in several configurations at the same time, because they often wait.
func TestTarget(t *testing.T) {
	server := s3test.Start(t)
	for name, x := range map[string]struct {
		options targettest.Options
		config  s3.Config
	}{
		"large":  {targettest.Options{Page: 1000, Large: 1 << 30}, s3.Config{Endpoint: server.URL}},
		"prefix": {config: s3.Config{Endpoint: server.URL, Prefix: "/a folder/of+it/"}},
		"locked": {config: s3.Config{Endpoint: server.URL, Conditional: s3.Never}},
		"faults": {config: s3.Config{Endpoint: s3test.Faults(t, server.URL, 5)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(t, x.options, server, x.config)
		})
	}
}

// TestReal runs the suite against the buckets that the environment names, in a separate folder.
func TestReal(t *testing.T) {
	for variable, preset := range map[string]func(s3.Config) (s3.Config, error){
		"GALBUILD_TEST_S3":  func(c s3.Config) (s3.Config, error) { return c, nil },
		"GALBUILD_TEST_OSS": s3.OSS,
	} {
		folder := os.Getenv(variable)
		if folder == "" {
			continue
		}
		t.Run(variable, func(t *testing.T) {
			bucket, prefix, _ := strings.Cut(folder, "/")
			targettest.Run(t, targettest.Options{Page: 1000, Large: 1 << 30}, func(t *testing.T) target.Target {
				c, err := preset(s3.Config{Bucket: bucket, Prefix: path.Join(prefix, rand.Text())})
				if err != nil {
					t.Fatal(err)
				}
				return temporary(t, c)
			})
		})
	}
}

// temporary returns a target that is emptied after the test.
func temporary(t *testing.T, c s3.Config) *s3.Target {
	at := open(t, c)
	t.Cleanup(func() { resttest.Empty(t, at) })
	return at
}

// certificate returns a self-signed certificate for a host and its subdomains.
func certificate(t *testing.T, host string) (cert, key string) {
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{host, "*." + host}, IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// An oss is a transport that imitates Aliyun OSS: it refuses the requests that OSS refuses, and
// sends the others to another server.
type oss struct {
	t    *testing.T
	host string
	base http.RoundTripper
}

func (o *oss) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case !strings.HasSuffix(r.URL.Hostname(), "."+o.host):
		return refusal(r, http.StatusForbidden, "SecondLevelDomainForbidden"), nil
	case r.Method == http.MethodPut && (r.Header.Get("If-Match") != "" || r.Header.Get("If-None-Match") != ""), r.URL.Query().Has("cors"):
		return refusal(r, http.StatusNotImplemented, "NotImplemented"), nil
	case strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-"):
		return refusal(r, http.StatusBadRequest, "InvalidArgument"), nil
	case r.Method == http.MethodPut && r.ContentLength > 0 && r.Header.Get("Content-Md5") == "":
		o.t.Errorf("%s %s: without Content-MD5", r.Method, r.URL)
	case !strings.Contains(r.Header.Get("Authorization"), "/cn-hangzhou/s3/aws4_request"):
		o.t.Errorf("%s %s: signed with %s", r.Method, r.URL, r.Header.Get("Authorization"))
	}
	return o.base.RoundTrip(r)
}

func refusal(r *http.Request, status int, code string) *http.Response {
	if r.Body != nil {
		r.Body.Close()
	}
	return &http.Response{
		Request: r, StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader("<Error><Code>" + code + "</Code></Error>")),
	}
}

// dialing sends every request to one address, whatever its host.
func dialing(address string) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return transport
}

// TestOSS checks the host, the style and the signatures of requests to OSS.
func TestOSS(t *testing.T) {
	const host = "s3.oss-cn-hangzhou.aliyuncs.com"
	server := s3test.Start(t, "--virtual-domain", host, "--region", "cn-hangzhou")
	c, err := s3.OSS(s3.Config{Region: "oss-cn-hangzhou", Endpoint: "http://" + host})
	if err != nil {
		t.Fatal(err)
	}
	c.Transport = &oss{t, host, dialing(server.Host)}
	suite(t, targettest.Options{Page: 1000}, server, c)

	err = fresh(t, server, c).CORS(t.Context())
	if err == nil || !strings.Contains(err.Error(), "console") {
		t.Errorf("CORS: got %v", err)
	}
}

// TestUnsupported swaps on a server that refuses conditions.
func TestUnsupported(t *testing.T) {
	const host = "s3.oss-cn-hangzhou.aliyuncs.com"
	server := s3test.Start(t, "--virtual-domain", host, "--region", "cn-hangzhou")
	at := fresh(t, server, s3.Config{
		Endpoint: "http://" + host, Region: "cn-hangzhou", Style: s3.VirtualHost, Transport: &oss{t, host, dialing(server.Host)},
	})
	if err := at.Swap(t.Context(), nil, object("x", "1")); err != nil {
		t.Error(err)
	}
	if err := at.Swap(t.Context(), nil, object("x", "2")); !errors.Is(err, target.ErrChanged) {
		t.Errorf("got %v", err)
	}
}

// TestTLS connects to a server whose certificate is trusted only with the CA file.
func TestTLS(t *testing.T) {
	cert, key := certificate(t, "localhost")
	plain := s3test.Start(t)
	server := s3test.Start(t, "--cert", cert, "--key", key)
	_, port, _ := net.SplitHostPort(server.Host)
	if err := fresh(t, server, s3.Config{Endpoint: "localhost:" + port, CAFile: cert}).Put(t.Context(), object("x", "text")); err != nil {
		t.Error(err)
	}
	for name, x := range map[string]struct {
		c    s3.Config
		want string
	}{
		"unknown authority": {s3.Config{Endpoint: "https://localhost:" + port}, "with --ca FILE"},
		"TLS":               {s3.Config{Endpoint: "http://localhost:" + port}, "write the endpoint as https://"},
		"no TLS":            {s3.Config{Endpoint: "https://" + plain.Host}, "write the endpoint as http://"},
		"no server":         {s3.Config{Endpoint: "http://127.0.0.1:1"}, "check the endpoint"},
	} {
		x.c.Bucket, x.c.AccessKey, x.c.SecretKey = "bucket", "key", "secret"
		at := open(t, x.c)
		start := time.Now()
		if err := at.Put(t.Context(), object("x", "text")); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: got %v, want %q", name, err, x.want)
		}
		if took := time.Since(start); took > 30*time.Second { // the pauses of retries take 45 s at least
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// TestRefused checks the errors of requests that a real server does not allow.
func TestRefused(t *testing.T) {
	server := s3test.Start(t)
	bucket := server.Bucket(t)
	good := s3.Config{Endpoint: server.URL, Bucket: bucket, AccessKey: server.AccessKey, SecretKey: server.SecretKey}
	for name, x := range map[string]struct {
		change func(c *s3.Config)
		want   string
	}{
		"bucket":    {func(c *s3.Config) { c.Bucket = "another" }, "there is no bucket another at"},
		"key":       {func(c *s3.Config) { c.AccessKey = "nobody" }, "access key"},
		"secret":    {func(c *s3.Config) { c.SecretKey = "wrong-secret" }, "check the secret key"},
		"anonymous": {func(c *s3.Config) { c.Anonymous = true }, "s3:PutObject"},
	} {
		c := good
		x.change(&c)
		at := open(t, c)
		err := at.Put(t.Context(), object("x", "text"))
		if err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), server.SecretKey) || strings.Contains(err.Error(), "wrong-secret") {
			t.Errorf("%s: got %v, want %q", name, err, x.want)
		}
	}
}

func bucketOf(p *s3.Target) string {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(p.String(), "s3://"), " ")
	return bucket
}

// TestHeaders checks the media type, Cache-Control and Content-Disposition of objects that were
// put, put in parts, copied, copied in parts and swapped.
func TestHeaders(t *testing.T) {
	server := s3test.Start(t, "--copy-object-threshold", fmt.Sprint(11<<20))
	at := fresh(t, server, s3.Config{Endpoint: server.URL})
	at.SetLimits(11<<20, 5<<20)
	download := func(key, text string) target.Object {
		o := object(key, text)
		o.Disposition = target.Attachment
		return o
	}
	text := strings.Repeat("0123456789", 4<<20)
	for _, err := range []error{
		at.Put(t.Context(), download("put", "text")),
		at.Put(t.Context(), download("parts", text)),
		at.Put(t.Context(), target.Bytes("other", "image/png", target.Revalidate, []byte("text"))),
		at.Copy(t.Context(), "other", download("copied", "text")),
		at.Copy(t.Context(), "parts", download("copied parts", text)),
		at.Swap(t.Context(), nil, download("swapped", "text")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := at.Copy(t.Context(), "other", download("other", "text")); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"put", "parts", "copied", "copied parts", "swapped", "other"} {
		is, err := server.Client.StatObject(t.Context(), bucketOf(at), key, minio.StatObjectOptions{})
		if err != nil || is.ContentType != "text/plain; charset=utf-8" || is.Metadata.Get("Cache-Control") != target.Immutable ||
			is.Metadata.Get("Content-Disposition") != target.Attachment {
			t.Errorf("%s: got %v %v, %v", key, is.ContentType, is.Metadata, err)
		}
	}
	r, err := at.Get(t.Context(), "copied parts", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := target.ReadAll(r, int64(len(text))); err != nil || string(b) != text {
		t.Errorf("the copy in parts has %d bytes, %v", len(b), err)
	}
}

// TestWrongParts checks that a multipart upload whose content does not match its hash is aborted.
func TestWrongParts(t *testing.T) {
	server := s3test.Start(t)
	at := fresh(t, server, s3.Config{Endpoint: server.URL})
	o := object("parts", strings.Repeat("0123456789", 4<<20))
	o.SHA256[0]++
	if err := at.Put(t.Context(), o); err == nil || !strings.Contains(err.Error(), "its SHA-256 was") {
		t.Errorf("got %v", err)
	}
	for e, err := range at.List(t.Context(), "") {
		t.Errorf("left: %v, %v", e, err)
	}
	for u := range server.Client.ListIncompleteUploads(t.Context(), bucketOf(at), "", true) {
		t.Errorf("left: an upload of %s, %v", u.Key, u.Err)
	}
}

// TestRequests counts the requests of each operation.
func TestRequests(t *testing.T) {
	server := s3test.Start(t)
	counter := &s3test.Counter{}
	at := fresh(t, server, s3.Config{Endpoint: server.URL, Transport: counter})
	ctx := t.Context()
	many := make([]string, 1500)
	for i := range many {
		many[i] = fmt.Sprintf("many/%d", i)
	}
	for _, x := range []struct {
		name string
		want int
		do   func() error
	}{
		{"put", 1, func() error { return at.Put(ctx, object("x", "text")) }},
		{"copy", 1, func() error { return at.Copy(ctx, "x", object("y", "text")) }},
		{"get", 1, func() error {
			r, err := at.Get(ctx, "x", 1, 2)
			if err != nil {
				return err
			}
			_, err = target.ReadAll(r, 2)
			return err
		}},
		{"list", 1, func() error {
			for _, err := range at.List(ctx, "") {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"delete one", 1, func() error { return at.Delete(ctx, []string{"x"}) }},
		{"delete 1500", 2, func() error { return at.Delete(ctx, many) }},
		{"delete none", 0, func() error { return at.Delete(ctx, nil) }},
		{"first swap, with the test of If-None-Match", 4, func() error { return at.Swap(ctx, nil, object("CURRENT", "1")) }},
		{"second swap, with the test of If-Match", 3, func() error { return at.Swap(ctx, []byte("1"), object("CURRENT", "2")) }},
		{"swap", 2, func() error { return at.Swap(ctx, []byte("2"), object("CURRENT", "3")) }},
	} {
		if err := x.do(); err != nil {
			t.Errorf("%s: %v", x.name, err)
		}
		if by, all := counter.Take(); all != x.want {
			t.Errorf("%s: got %v requests, want %d", x.name, by, x.want)
		}
	}
}

// A lossy transport loses the response to the first conditional PUT of key. Other processes
// continue meanwhile.
type lossy struct {
	key       string
	done      atomic.Bool
	meanwhile func()
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	conditional := r.Header.Get("If-Match") != "" || r.Header.Get("If-None-Match") != ""
	response, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && r.Method == http.MethodPut && conditional && path.Base(r.URL.Path) == l.key && !l.done.Swap(true) {
		response.Body.Close()
		l.meanwhile()
		return nil, io.ErrUnexpectedEOF
	}
	return response, err
}

// TestLostResponse swaps an object, loses the response, and finds the object of another process
// that has swapped it since.
func TestLostResponse(t *testing.T) {
	server := s3test.Start(t)
	bucket := server.Bucket(t)
	config := s3.Config{Endpoint: server.URL, Bucket: bucket, AccessKey: server.AccessKey, SecretKey: server.SecretKey}
	other := open(t, config)
	for key, others := range map[string]int{"alone": 0, "one": 1, "several": 5} {
		for old, text := range map[string]string{"": "1", "1": "2"} {
			config.Transport = &lossy{key: key + old, meanwhile: func() {
				for i := range others {
					was, next := fmt.Sprint(text, i), fmt.Sprint(text, i+1)
					if i == 0 {
						was = text
					}
					if err := other.Swap(context.Background(), []byte(was), object(key+old, next)); err != nil {
						t.Error(err)
					}
				}
			}}
			at := open(t, config)
			var was []byte
			if old != "" {
				was = []byte(old)
				if err := other.Put(t.Context(), object(key+old, old)); err != nil {
					t.Fatal(err)
				}
			}
			if err := at.Swap(t.Context(), was, object(key+old, text)); err != nil {
				t.Errorf("%s from %q: %v", key, old, err)
			}
		}
	}
}

// TestCORS adds the policy to another rule, twice, and sends the request of a browser.
func TestCORS(t *testing.T) {
	server := s3test.Start(t)
	at := fresh(t, server, s3.Config{Endpoint: server.URL})
	bucket, client := bucketOf(at), server.Client
	other := cors.Rule{ID: "other", AllowedOrigin: []string{"https://app.example.com"}, AllowedMethod: []string{"PUT"}}
	if err := client.SetBucketCors(t.Context(), bucket, cors.NewConfig([]cors.Rule{other})); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := at.CORS(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	config, err := client.GetBucketCors(t.Context(), bucket)
	if err != nil || len(config.CORSRules) != 2 || config.CORSRules[0].ID != "other" {
		t.Errorf("got %+v, %v", config, err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, server.URL+"/"+bucket+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://editor.example.com")
	request.Header.Set("Access-Control-Request-Method", http.MethodGet)
	request.Header.Set("Access-Control-Request-Headers", "x-market-client-id")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("got %s %v", response.Status, response.Header)
	}
}
