package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/publish/target"
)

// A server is a transport that responds by itself.
type server func(r *http.Request) *http.Response

func (s server) RoundTrip(r *http.Request) (*http.Response, error) {
	response := s(r)
	if response == nil {
		return nil, io.ErrUnexpectedEOF
	}
	response.Request, response.ProtoMajor, response.ProtoMinor = r, 1, 1
	return response, nil
}

func respond(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Etag": {`"x"`}}, Body: io.NopCloser(strings.NewReader(body))}
}

func refuse(status int, code string) *http.Response {
	return respond(status, "<Error><Code>"+code+"</Code><Message>no</Message></Error>")
}

// keys returns a bucket whose credentials are in a file, and a function that writes the file.
func keys(t *testing.T, s server) (*Bucket, func(key, token string)) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	file := filepath.Join(t.TempDir(), "credentials")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	t.Setenv("AWS_CONFIG_FILE", file+"x")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	write := func(key, token string) {
		text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = secret\naws_session_token = %s\n", key, token)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("OLD", "")
	b, err := New(Config{Bucket: "site", Prefix: "gallery", Endpoint: "https://s3.example", Transport: s, Once: true})
	if err != nil {
		t.Fatal(err)
	}
	return b, write
}

func read(ctx context.Context, b *Bucket, key string) (string, error) {
	r, err := b.Get(ctx, key, 0, -1)
	if err != nil {
		return "", err
	}
	text, err := target.ReadAll(r, 1<<20)
	return string(text), err
}

// TestRotation replaces the keys in the shared file while the bucket is used.
func TestRotation(t *testing.T) {
	valid := "OLD"
	b, write := keys(t, func(r *http.Request) *http.Response {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential="+valid+"/") {
			return refuse(http.StatusForbidden, "InvalidAccessKeyId")
		}
		return respond(http.StatusOK, "text")
	})
	for _, key := range []string{"OLD", "NEW"} {
		valid = key
		if _, err := read(t.Context(), b, "x"); (err == nil) != (key == "OLD") {
			t.Errorf("%s, with the old keys in the file: %v", key, err)
		}
		write(key, "")
		if text, err := read(t.Context(), b, "x"); text != "text" || err != nil {
			t.Errorf("%s: got %q, %v", key, text, err)
		}
	}
}

// TestSessionEnds requests the credentials of a role again when the server refuses them before they
// have expired. The request is sent again if they are new, and only then.
func TestSessionEnds(t *testing.T) {
	const session = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>` +
		`<AccessKeyId>KEY%d</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration>` +
		`</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`
	var issued, roles, requests int // the session that the service issues, and counts of requests
	valid := 0
	b, write := keys(t, func(r *http.Request) *http.Response {
		if strings.HasPrefix(r.URL.Host, "sts.") {
			roles++
			return respond(http.StatusOK, fmt.Sprintf(session, issued, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
		}
		requests++
		if !strings.Contains(r.Header.Get("Authorization"), fmt.Sprintf("Credential=KEY%d/", valid)) {
			return refuse(http.StatusBadRequest, "ExpiredToken")
		}
		return respond(http.StatusOK, "text")
	})
	write("", "") // no keys in the file
	t.Setenv("AWS_EC2_METADATA_DISABLED", "")
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", os.Getenv("AWS_SHARED_CREDENTIALS_FILE"))
	t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/x")
	b, err := New(b.Config())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		issued, valid   int
		roles, requests int
		failure         string
	}{
		{1, 1, 1, 1, ""}, {2, 1, 0, 1, ""}, {2, 2, 1, 2, ""}, {2, 3, 1, 1, "the session has expired"}, {3, 3, 1, 2, ""},
	} {
		issued, valid, roles, requests = x.issued, x.valid, 0, 0
		text, err := read(t.Context(), b, "x")
		if roles != x.roles || requests != x.requests || (text == "text") != (x.failure == "") || err != nil && !strings.Contains(err.Error(), x.failure) {
			t.Errorf("%+v: %d sessions, %d requests, %q, %v", x, roles, requests, text, err)
		}
	}
}

// TestOnce checks that requests are sent once, unless the server requires another form.
func TestOnce(t *testing.T) {
	requests := 0
	var broken, moved bool
	b, _ := keys(t, func(r *http.Request) *http.Response {
		requests++
		switch {
		case moved && !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/s3/"):
			return respond(http.StatusBadRequest, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>")
		case broken:
			response := respond(http.StatusOK, "te")
			response.Header.Set("Content-Length", "4")
			return response
		}
		return refuse(http.StatusServiceUnavailable, "SlowDown")
	})
	if _, err := read(t.Context(), b, "x"); err == nil || requests != 1 {
		t.Errorf("busy: %d requests, %v", requests, err)
	}
	broken, requests = true, 0
	if _, err := read(t.Context(), b, "x"); !errors.Is(err, io.EOF) || requests != 1 {
		t.Errorf("broken: %d requests, %v", requests, err)
	}
	moved, requests = true, 0
	if _, err := read(t.Context(), b, "x"); requests != 2 {
		t.Errorf("in another region: %d requests, %v", requests, err)
	}
}

// TestFailures checks that the errors of a bucket that cannot be read name the object, the bucket
// and what to do, and that they are the same each time, because galshim logs a new one only.
func TestFailures(t *testing.T) {
	skewed := refuse(http.StatusForbidden, "RequestTimeTooSkewed")
	skewed.Header.Set("Date", time.Now().Add(-3*time.Hour).UTC().Format(http.TimeFormat))
	for want, response := range map[string]*http.Response{
		"403 AccessDenied; the credentials need s3:GetObject": refuse(http.StatusForbidden, "AccessDenied"),
		"there is no bucket site":                             refuse(http.StatusNotFound, "NoSuchBucket"),
		"the session has expired":                             refuse(http.StatusBadRequest, "ExpiredToken"),
		"this one is 3h0m0s ahead":                            skewed,
		"not found":                                           respond(http.StatusNotFound, ""),
		"Access Denied.":                                      respond(http.StatusForbidden, ""),
		"502 Bad Gateway":                                     respond(http.StatusBadGateway, "<html>"),
	} {
		b, _ := keys(t, func(*http.Request) *http.Response { return response })
		_, err := read(t.Context(), b, "index/CURRENT")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "get index/CURRENT in s3://site/gallery at https://s3.example: ") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestPresign checks the parts of an address that do not depend on the clock. The end-to-end tests
// download from one.
func TestPresign(t *testing.T) {
	b, write := keys(t, func(*http.Request) *http.Response { return nil })
	write("NEW", "token")
	address, err := b.Presign(t.Context(), "a b/c+d", target.Presign{Expires: 5 * time.Minute, MediaType: "application/vsix", Disposition: "attachment; filename=a b.vsix"})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host != "s3.example" || u.EscapedPath() != "/site/gallery/a%20b/c%2Bd" {
		t.Errorf("got %s, %v", address, err)
	}
	for name, want := range map[string]string{
		"X-Amz-Expires": "300", "response-content-type": "application/vsix", "response-content-disposition": "attachment; filename=a b.vsix",
		"X-Amz-Security-Token": "token", "X-Amz-SignedHeaders": "host", "response-cache-control": "",
	} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, err := b.Presign(t.Context(), "x", target.Presign{}); err == nil {
		t.Error("an address that is never valid")
	}
	public, err := New(Config{Bucket: "site", Region: "eu-west-1", Anonymous: true})
	if err != nil {
		t.Fatal(err)
	}
	if address, err := public.Presign(t.Context(), "x", target.Presign{Expires: time.Minute}); address != "https://site.s3.eu-west-1.amazonaws.com/x" || err != nil {
		t.Errorf("a public bucket: got %s, %v", address, err)
	}
}
