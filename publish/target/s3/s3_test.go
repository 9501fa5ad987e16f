package s3_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"galbuild/publish/target"
	"galbuild/publish/target/s3"
	"galbuild/publish/target/s3/s3test"
)

func object(key, text string) target.Object {
	return target.Bytes(key, "text/plain; charset=utf-8", target.Immutable, []byte(text))
}

// clearEnvironment removes all sources of credentials from the environment.
func clearEnvironment(t *testing.T) {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "OSS_") || strings.HasPrefix(name, "ALIBABA_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", t.TempDir())
}

func open(t *testing.T, c s3.Config) *s3.Target {
	t.Helper()
	at, err := s3.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A fake is a transport that responds by itself. A nil response is a broken connection.
type fake func(r *http.Request) *http.Response

func (a fake) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	response := a(r)
	if response == nil {
		return nil, errors.New("unreachable")
	}
	response.Request, response.ProtoMajor, response.ProtoMinor = r, 1, 1
	return response, nil
}

func respond(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Etag": {`"x"`}}, Body: io.NopCloser(strings.NewReader(body))}
}

// TestAddress checks the URL and the access key of a PUT.
func TestAddress(t *testing.T) {
	clearEnvironment(t)
	oss := func(c s3.Config) s3.Config {
		c, err := s3.OSS(c)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, x := range []struct {
		c                  s3.Config
		url, name, signing string
	}{
		{s3.Config{Bucket: "site", Region: "eu-west-1"}, "https://site.s3.eu-west-1.amazonaws.com/a%20b/c%2Bd", "s3://site", "/eu-west-1/s3/"},
		{s3.Config{Bucket: "site", Region: "eu-west-1", Prefix: "/a/b/"}, "https://site.s3.eu-west-1.amazonaws.com/a/b/a%20b/c%2Bd", "s3://site/a/b", "/eu-west-1/s3/"},
		{s3.Config{Bucket: "site", Region: "eu-west-1", Style: s3.Path}, "https://s3.eu-west-1.amazonaws.com/site/a%20b/c%2Bd", "s3://site", "/eu-west-1/s3/"},
		{s3.Config{Bucket: "my.site", Region: "cn-north-1"}, "https://s3.cn-north-1.amazonaws.com.cn/my.site/a%20b/c%2Bd", "s3://my.site", "/cn-north-1/s3/"},
		{s3.Config{Bucket: "site", Endpoint: "minio.example.com:9000"}, "https://minio.example.com:9000/site/a%20b/c%2Bd", "s3://site at https://minio.example.com:9000", "/us-east-1/s3/"},
		{s3.Config{Bucket: "site", Endpoint: "http://minio.example.com", Style: s3.VirtualHost}, "http://site.minio.example.com/a%20b/c%2Bd", "s3://site at http://minio.example.com", "/us-east-1/s3/"},
		{s3.Config{Bucket: "site", Endpoint: "https://example.com/storage/v1/s3/"}, "https://example.com/storage/v1/s3/site/a%20b/c%2Bd", "s3://site at https://example.com/storage/v1/s3", "/us-east-1/s3/"},
		{oss(s3.Config{Bucket: "site", Region: "oss-cn-hangzhou"}), "https://site.s3.oss-cn-hangzhou.aliyuncs.com/a%20b/c%2Bd", "oss://site", "/cn-hangzhou/s3/"},
		{oss(s3.Config{Bucket: "site", Prefix: "p", Endpoint: "oss-cn-beijing-internal.aliyuncs.com"}), "https://site.oss-cn-beijing-internal.aliyuncs.com/p/a%20b/c%2Bd", "oss://site/p", "/cn-beijing/s3/"},
		{s3.Config{Bucket: "site", Endpoint: "https://s3.oss-eu-central-1.aliyuncs.com"}, "https://site.s3.oss-eu-central-1.aliyuncs.com/a%20b/c%2Bd", "oss://site", "/eu-central-1/s3/"},
	} {
		var r *http.Request
		x.c.AccessKey, x.c.SecretKey = "key", "secret"
		x.c.Transport = fake(func(request *http.Request) *http.Response { r = request; return respond(http.StatusOK, "") })
		at := open(t, x.c)
		o := object("a b/c+d", "text")
		if err := at.Put(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if got := r.URL.String(); got != x.url {
			t.Errorf("got %s, want %s", got, x.url)
		}
		if got := at.String(); got != x.name {
			t.Errorf("got %s, want %s", got, x.name)
		}
		if got := r.Header.Get("Authorization"); !strings.Contains(got, x.signing) {
			t.Errorf("%s: got %s, want %s", x.url, got, x.signing)
		}
		if want := signature(r, "secret"); !strings.HasSuffix(r.Header.Get("Authorization"), "Signature="+want) {
			t.Errorf("%s: got %s, want signature %s", x.url, r.Header.Get("Authorization"), want)
		}
		if got := r.Header.Get("X-Amz-Content-Sha256"); got != o.SHA256.String() {
			t.Errorf("%s: got SHA-256 %s", x.url, got)
		}
	}
}

// TestShared checks that settings of AWS's shared configuration file are used after those of the
// configuration and the environment.
func TestShared(t *testing.T) {
	const text = "[default]\nregion = eu-west-1\n[profile team]\nregion = eu-west-2\nendpoint_url = https://any.example.com\nservices = ours\ns3 =\n  addressing_style = virtual\n" +
		"[services ours]\ns3 =\n  endpoint_url = https://s3.example.com\n  other = x\n[profile plain]\nendpoint_url = http://any.example.com\nca_bundle = /nosuch\n[profile incomplete]\nservices = none\n"
	for _, x := range []struct {
		c            s3.Config
		variables    map[string]string
		url, signing string
	}{
		{url: "https://site.s3.eu-west-1.amazonaws.com/x", signing: "/eu-west-1/s3/"},
		{c: s3.Config{Region: "eu-north-1"}, url: "https://site.s3.eu-north-1.amazonaws.com/x", signing: "/eu-north-1/s3/"},
		{variables: map[string]string{"AWS_REGION": "eu-central-1"}, url: "https://site.s3.eu-central-1.amazonaws.com/x", signing: "/eu-central-1/s3/"},
		{variables: map[string]string{"AWS_PROFILE": "team"}, url: "https://site.s3.example.com/x", signing: "/eu-west-2/s3/"},
		{c: s3.Config{Style: s3.Path}, variables: map[string]string{"AWS_PROFILE": "team"}, url: "https://s3.example.com/site/x", signing: "/eu-west-2/s3/"},
		{c: s3.Config{Endpoint: "https://mine.example.com"}, variables: map[string]string{"AWS_PROFILE": "team"}, url: "https://site.mine.example.com/x", signing: "/eu-west-2/s3/"},
		{variables: map[string]string{"AWS_PROFILE": "team", "AWS_ENDPOINT_URL": "http://env.example.com"}, url: "http://site.env.example.com/x", signing: "/eu-west-2/s3/"},
		{variables: map[string]string{"AWS_PROFILE": "team", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, url: "https://site.s3.eu-west-2.amazonaws.com/x", signing: "/eu-west-2/s3/"},
		{variables: map[string]string{"AWS_PROFILE": "incomplete", "AWS_REGION": "eu-west-3"}, url: "https://site.s3.eu-west-3.amazonaws.com/x", signing: "/eu-west-3/s3/"},
		{c: s3.Config{Endpoint: "https://s3.oss-eu-central-1.aliyuncs.com"}, variables: map[string]string{"AWS_REGION": "us-east-1"}, url: "https://site.s3.oss-eu-central-1.aliyuncs.com/x", signing: "/eu-central-1/s3/"},
		{c: s3.Config{Profile: "plain"}, url: "http://any.example.com/site/x", signing: "/us-east-1/s3/"},
	} {
		clearEnvironment(t)
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("AWS_CONFIG_FILE", file)
		t.Setenv("AWS_ACCESS_KEY_ID", "key")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
		for name, value := range x.variables {
			t.Setenv(name, value)
		}
		var r *http.Request
		x.c.Bucket, x.c.AccessKey, x.c.SecretKey = "site", "key", "secret"
		x.c.Transport = fake(func(request *http.Request) *http.Response { r = request; return respond(http.StatusOK, "") })
		if err := open(t, x.c).Put(t.Context(), object("x", "text")); err != nil {
			t.Fatal(err)
		}
		if got := r.URL.String(); got != x.url || !strings.Contains(r.Header.Get("Authorization"), x.signing) {
			t.Errorf("%v: got %s %s, want %s %s", x.variables, got, r.Header.Get("Authorization"), x.url, x.signing)
		}
	}
	clearEnvironment(t)
	t.Setenv("AWS_CONFIG_FILE", t.TempDir())
	if _, err := s3.New(s3.Config{Bucket: "site"}); err == nil || !strings.Contains(err.Error(), "s3: read ") {
		t.Errorf("a folder: got %v", err)
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "config"))
	if err := os.WriteFile(os.Getenv("AWS_CONFIG_FILE"), []byte("[default]\nca_bundle = /nosuch\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s3.New(s3.Config{Bucket: "site"}); err == nil || !strings.Contains(err.Error(), "CA file") {
		t.Errorf("a CA bundle that does not exist: got %v", err)
	}
}

// signature returns the signature that a server expects of a request with this secret key.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
func signature(r *http.Request, secret string) string {
	found := regexp.MustCompile(`Credential=[^/]*/(\d{8})/([^/]*)/s3/aws4_request, ?SignedHeaders=([^,]*)`).FindStringSubmatch(r.Header.Get("Authorization"))
	if found == nil {
		return "none: the request is not signed"
	}
	day, region, names := found[1], found[2], strings.Split(found[3], ";")
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n" + r.URL.RawQuery + "\n"
	for _, name := range names {
		value := r.Header.Get(name)
		if name == "host" {
			value = cmp.Or(r.Host, r.URL.Host)
		}
		canonical += name + ":" + value + "\n"
	}
	canonical += "\n" + found[3] + "\n" + r.Header.Get("X-Amz-Content-Sha256")
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := mac(mac(mac(mac([]byte("AWS4"+secret), day), region), "s3"), "aws4_request")
	scope := day + "/" + region + "/s3/aws4_request"
	return hex.EncodeToString(mac(key, fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s\n%x", r.Header.Get("X-Amz-Date"), scope, sha256.Sum256([]byte(canonical)))))
}

func TestConfig(t *testing.T) {
	clearEnvironment(t)
	for _, x := range []struct {
		c    s3.Config
		want string
	}{
		{s3.Config{}, "is not the name of a bucket"},
		{s3.Config{Bucket: "a/b"}, "is not the name of a bucket"},
		{s3.Config{Bucket: "site", Endpoint: "ftp://example.com"}, "not an http or https address"},
		{s3.Config{Bucket: "site", Endpoint: "https://example.com/site/"}, "has the bucket in its path"},
		{s3.Config{Bucket: "site", Endpoint: "https://example.com/site/gallery"}, "has the bucket in its path"},
		{s3.Config{Bucket: "site", Endpoint: "https://me:hunter2@example.com"}, "must not contain credentials"},
		{s3.Config{Bucket: "site", Endpoint: "https://me:hunter2@exa mple.com"}, "endpoint: the address cannot be parsed"},
		{s3.Config{Bucket: "site", Endpoint: "https://files.aliyuncs.com"}, "OSS_REGION"},
		{s3.Config{Bucket: "site", CAFile: filepath.Join(t.TempDir(), "none")}, "CA file"},
		{s3.Config{Bucket: "site", CAFile: "s3_test.go"}, "no PEM certificate"},
	} {
		if _, err := s3.New(x.c); err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: got %v, want %q", x.c, err, x.want)
		}
	}
}

// TestCredentials finds each kind of credentials, and requests roles through the same transport.
func TestCredentials(t *testing.T) {
	shared := "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = hunter2\n[team]\naws_access_key_id = TEAM\naws_secret_access_key = hunter2\n" +
		"[profile role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = team\nexternal_id = ours\n[profile environment]\nrole_arn = arn:aws:iam::1:role/x\ncredential_source = Environment\n" +
		"[profile code]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = team\nmfa_serial = arn:aws:iam::1:mfa/me\n[profile keyless]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = nobody\n"
	soon := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	role := fmt.Sprintf(`{"Code": "Success", "AccessKeyId": "ROLE", "SecretAccessKey": "hunter2", "Token": "token", "Expiration": %q}`, soon)
	sts := fmt.Sprintf(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>`+
		`<AccessKeyId>IDENTITY</AccessKeyId><SecretAccessKey>hunter2</SecretAccessKey><SessionToken>token</SessionToken><Expiration>%s</Expiration>`+
		`</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`, soon)
	for _, x := range []struct {
		name      string
		c         s3.Config
		oss       bool
		variables map[string]string
		metadata  bool
		key, err  string
	}{
		{name: "explicit", c: s3.Config{AccessKey: "MINE", SecretKey: "hunter2"}, variables: map[string]string{"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "hunter2"}, key: "MINE"},
		{name: "environment", variables: map[string]string{"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "hunter2", "AWS_SHARED_CREDENTIALS_FILE": "shared"}, key: "ENV"},
		{name: "shared file", variables: map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "shared"}, key: "DEFAULT"},
		{name: "profile", variables: map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "shared", "AWS_PROFILE": "team"}, key: "TEAM"},
		{name: "web identity", variables: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "shared", "AWS_ROLE_ARN": "arn:aws:iam::1:role/x"}, key: "IDENTITY"},
		{name: "machine", metadata: true, key: "ROLE"},
		{name: "anonymous", c: s3.Config{Anonymous: true}, variables: map[string]string{"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "hunter2"}},
		{name: "oss", oss: true, variables: map[string]string{"OSS_ACCESS_KEY_ID": "ALIYUN", "OSS_ACCESS_KEY_SECRET": "hunter2", "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "hunter2"}, key: "ALIYUN"},
		{name: "alibaba", oss: true, variables: map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": "ALIYUN", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "hunter2"}, key: "ALIYUN"},
		{name: "no role for oss", oss: true, metadata: true, err: "OSS_ACCESS_KEY_SECRET: not set"},
		{name: "half", variables: map[string]string{"AWS_SECRET_ACCESS_KEY": "hunter2"}, err: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: only one of the two is set"},
		{name: "role of a profile", variables: map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "shared", "AWS_CONFIG_FILE": "shared", "AWS_PROFILE": "role"}, key: "IDENTITY"},
		{name: "role of a profile, by flag", c: s3.Config{Profile: "role"}, variables: map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "shared", "AWS_CONFIG_FILE": "shared"}, key: "IDENTITY"},
		{name: "role with the environment's keys", c: s3.Config{Profile: "environment"}, variables: map[string]string{"AWS_CONFIG_FILE": "shared", "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "hunter2"}, key: "IDENTITY"},
		{name: "role without keys", c: s3.Config{Profile: "keyless"}, variables: map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "shared", "AWS_CONFIG_FILE": "shared"}, err: "with source_profile nobody"},
		{name: "role with a code", c: s3.Config{Profile: "code"}, variables: map[string]string{"AWS_CONFIG_FILE": "shared"}, err: "mfa_serial"},
		{name: "role with a code, and keys", variables: map[string]string{"AWS_CONFIG_FILE": "shared", "AWS_PROFILE": "code", "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "hunter2"}, key: "ENV"},
		{name: "no such profile", variables: map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "shared", "AWS_PROFILE": "nobody"}, err: `profile "nobody"`},
		{name: "none", err: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"},
	} {
		t.Run(x.name, func(t *testing.T) {
			clearEnvironment(t)
			file := filepath.Join(t.TempDir(), "shared")
			if err := os.WriteFile(file, []byte(shared), 0o600); err != nil {
				t.Fatal(err)
			}
			for name, value := range x.variables {
				t.Setenv(name, strings.Replace(value, "shared", file, 1))
			}
			sent, authorization := false, ""
			x.c.Bucket, x.c.Region = "site", "eu-west-1"
			x.c.Transport = fake(func(r *http.Request) *http.Response {
				switch host := r.URL.Hostname(); {
				case strings.HasPrefix(host, "sts."):
					if r.Header.Get("Authorization") != "" { // to assume a role with keys
						return respond(http.StatusOK, strings.ReplaceAll(sts, "WithWebIdentity", ""))
					}
					return respond(http.StatusOK, sts)
				case host == "169.254.169.254" && !x.metadata:
					return nil
				case host == "169.254.169.254" && strings.HasSuffix(r.URL.Path, "/security-credentials/"):
					return respond(http.StatusOK, "role")
				case host == "169.254.169.254":
					return respond(http.StatusOK, role)
				}
				sent, authorization = true, r.Header.Get("Authorization")
				return respond(http.StatusOK, "")
			})
			if x.oss {
				var err error
				if x.c, err = s3.OSS(x.c); err != nil {
					t.Fatal(err)
				}
			}
			err := open(t, x.c).Put(t.Context(), object("x", "text"))
			switch {
			case x.err != "":
				if err == nil || !strings.Contains(err.Error(), x.err) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("got %v, want %q", err, x.err)
				}
			case err != nil || !sent:
				t.Errorf("got %v", err)
			case x.key == "" && authorization != "" || !strings.Contains(authorization, x.key):
				t.Errorf("got %q, want %q", authorization, x.key)
			}
		})
	}
}

// TestErrors checks the hints of error responses, and that permanent errors are not retried.
func TestErrors(t *testing.T) {
	for _, x := range []struct {
		status       int
		code, region string
		want         string
		requests     int
	}{
		{403, "AccessDenied", "", "AES256 was tried", 3}, // the put, the bucket's default encryption, the put with AES256
		{403, "InvalidAccessKeyId", "", "does not recognize the access key", 1},
		{403, "SignatureDoesNotMatch", "", "check the secret key", 1},
		{403, "RequestTimeTooSkewed", "", "set this machine's clock", 1},
		{404, "NoSuchBucket", "", "there is no bucket site at minio.example.com", 1},
		{400, "AuthorizationHeaderMalformed", "eu-west-1", "the region of the bucket is eu-west-1", 2},
		{301, "PermanentRedirect", "", "the region and the endpoint", 1},
		{404, "NoSuchBucket", "", "use --s3-addressing-style=virtual", 1},
		{405, "MethodNotAllowed", "", "use --s3-addressing-style=virtual", 1},
		{403, "SecondLevelDomainForbidden", "", "virtual-host style", 2},
		{401, "Unauthorized", "", "not accepted", 1},
		{400, "KeyTooLongError", "", "400 KeyTooLongError", 1},
		{404, "NoSuchKey", "", "there is no bucket site at minio.example.com", 1}, // of a put
		{507, "XMinioStorageFull", "", "no space left", 1},
		{400, "AccessControlListNotSupported", "", "leave out --s3-acl", 1},
	} {
		n := 0
		at := open(t, s3.Config{
			Bucket: "site", Endpoint: "minio.example.com", AccessKey: "key", SecretKey: "hunter2",
			Transport: fake(func(*http.Request) *http.Response {
				n++
				return respond(x.status, fmt.Sprintf("<Error><Code>%s</Code><Message>no</Message><Region>%s</Region></Error>", x.code, x.region))
			}),
		})
		err := at.Put(t.Context(), object("folder/key", "text"))
		for _, want := range []string{x.want, "folder/key", "s3://site at https://minio.example.com", strings.TrimPrefix(x.code, "NoSuchKey")} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q", x.code, err, want)
			}
		}
		if n != x.requests || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %d requests: %v", x.code, n, err)
		}
	}
}

// TestErrorsNotRepeated checks that a message does not say the status or the missing host twice.
func TestErrorsNotRepeated(t *testing.T) {
	empty := func(status int) (*http.Response, error) {
		response := respond(status, "")
		response.Status = fmt.Sprintf("%d %s", status, http.StatusText(status))
		return response, nil
	}
	for want, do := range map[string]roundTrip{
		"401 Unauthorized (the credentials are not accepted)": func(*http.Request) (*http.Response, error) { return empty(401) },
		"400 Bad Request": func(*http.Request) (*http.Response, error) { return empty(400) },
		"lookup nowhere: no such host (check endpoint and region)": func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "nowhere", IsNotFound: true}}
		},
	} {
		at := open(t, s3.Config{Bucket: "site", Endpoint: "minio.example.com", AccessKey: "key", SecretKey: "hunter2", Transport: do})
		if err := at.Put(t.Context(), object("key", "text")); err == nil || !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// TestDenied names the permission that a denied request needs, and what denies it.
func TestDenied(t *testing.T) {
	put := func(target *s3.Target) error { return target.Put(t.Context(), object("x", "text")) }
	get := func(target *s3.Target) error { _, err := target.Get(t.Context(), "x", 0, -1); return err }
	remove := func(target *s3.Target) error { return target.Delete(t.Context(), []string{"x"}) }
	list := func(target *s3.Target) error {
		for _, err := range target.List(t.Context(), "") {
			return err
		}
		return nil
	}
	for _, x := range []struct {
		do              func(*s3.Target) error
		status          int
		message         string
		want, otherwise string // in the error, not in it
	}{
		{put, 403, "Access Denied", "the credentials need s3:PutObject on the objects of site; or the bucket's policy", "s3:ListBucket"},
		{put, 403, "User: x is not authorized to perform: s3:PutObject on resource: y with an explicit deny in a resource-based policy", "a policy denies the write", "the credentials need"},
		{put, 403, "User: x is not authorized to perform: s3:PutObject on resource: y because no identity-based policy allows the s3:PutObject action", "the credentials need s3:PutObject", "--s3-sse"},
		{put, 413, "Your proposed upload exceeds the maximum allowed size", "limits the size of a request", "credentials"},
		{put, 413, "", "client_max_body_size", "not the address of the S3 API"}, // nginx's page
		{get, 403, "Access Denied", "the credentials need s3:GetObject", "s3:DeleteObject"},
		{get, 403, "with an explicit deny in a resource-based policy", "a policy denies the request", "the credentials need"},
		{list, 403, "Access Denied", "the credentials need s3:ListBucket on site)", "s3:GetObject"},
		{remove, 403, "Access Denied", "the credentials need s3:DeleteObject on the objects of site)", "s3:GetObject"},
	} {
		target := open(t, s3.Config{
			Bucket: "site", Endpoint: "minio.example.com", AccessKey: "key", SecretKey: "secret",
			Transport: fake(func(*http.Request) *http.Response {
				if x.message == "" {
					page := respond(x.status, "<html><h1>413 Request Entity Too Large</h1></html>")
					page.Header.Set("Content-Type", "text/html")
					return page
				}
				return respond(x.status, "<Error><Code>AccessDenied</Code><Message>"+x.message+"</Message></Error>")
			}),
		})
		if err := x.do(target); err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), x.otherwise) {
			t.Errorf("%d %s: got %v, want %q without %q", x.status, x.message, err, x.want, x.otherwise)
		}
	}
}

// TestEndpointInBody follows a redirect that names its host only in the body.
func TestEndpointInBody(t *testing.T) {
	for endpoint, want := range map[string]string{
		"site.node.example.com":   "https://site.node.example.com/x", // the bucket is in the host name
		"node.example.com:9000":   "https://node.example.com:9000/site/x",
		"elsewhere.example.org":   "", // another organisation's
		"user@node.example.com/x": "",
	} {
		last := ""
		target := open(t, s3.Config{
			Bucket: "site", Endpoint: "s3.example.com", AccessKey: "key", SecretKey: "secret",
			Transport: fake(func(r *http.Request) *http.Response {
				if r.URL.Host == "s3.example.com" {
					return respond(http.StatusMovedPermanently, "<Error><Code>PermanentRedirect</Code><Endpoint>"+endpoint+"</Endpoint></Error>")
				}
				last = r.URL.String()
				return respond(http.StatusOK, "")
			}),
		})
		if err := target.Put(t.Context(), object("x", "text")); (err == nil) != (want != "") || last != want {
			t.Errorf("%s: got %v from %q, want %q", endpoint, err, last, want)
		}
	}
}

// TestEncryptionStays keeps an encryption that a policy requires, even if another request
// is refused before a write has succeeded with it.
func TestEncryptionStays(t *testing.T) {
	puts := 0
	at := open(t, s3.Config{
		Bucket: "site", Endpoint: "minio.example.com", AccessKey: "key", SecretKey: "secret", Conditional: s3.Yes,
		Transport: fake(func(r *http.Request) *http.Response {
			switch {
			case r.Method == http.MethodGet:
				return respond(http.StatusNotFound, "<Error><Code>NoSuchKey</Code></Error>")
			case r.Header.Get("X-Amz-Server-Side-Encryption") == "":
				return respond(http.StatusForbidden, "<Error><Code>AccessDenied</Code></Error>")
			case r.Header.Get("If-None-Match") != "":
				return respond(http.StatusNotImplemented, "<Error><Code>NotImplemented</Code></Error>")
			}
			puts++
			return respond(http.StatusOK, "")
		}),
	})
	if err := at.Swap(t.Context(), nil, object("CURRENT", "text")); err == nil {
		t.Error("swapped")
	}
	if _, err := at.Get(t.Context(), "none", 0, -1); !errors.Is(err, target.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err := at.Put(t.Context(), object("x", "text")); err != nil || puts != 1 {
		t.Errorf("got %v, %d puts", err, puts)
	}
}

// TestNoEncryption returns the reason why a write was denied, and not that the server lacks
// the encryption that was tried.
func TestNoEncryption(t *testing.T) {
	at := open(t, s3.Config{
		Bucket: "site", Endpoint: "minio.example.com", AccessKey: "key", SecretKey: "secret",
		Transport: fake(func(r *http.Request) *http.Response {
			if r.Header.Get("X-Amz-Server-Side-Encryption") != "" {
				return respond(http.StatusNotImplemented, "<Error><Code>NotImplemented</Code><Message>KMS is not configured</Message></Error>")
			}
			return respond(http.StatusForbidden, "<Error><Code>AccessDenied</Code><Message>an explicit deny</Message></Error>")
		}),
	})
	if err := at.Put(t.Context(), object("x", "text")); err == nil || !strings.Contains(err.Error(), "an explicit deny (403 AccessDenied") {
		t.Errorf("got %v", err)
	}
}

// TestPlain sends plain HTTP to servers that accept only TLS, each with its own form of error.
func TestPlain(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	nginx := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>")
	}))
	defer nginx.Close()
	for _, host := range []string{server.Listener.Addr().String(), nginx.Listener.Addr().String()} {
		at := open(t, s3.Config{Bucket: "site", Endpoint: "http://" + host, AccessKey: "key", SecretKey: "secret"})
		if err := at.Put(t.Context(), object("x", "text")); err == nil || !strings.Contains(err.Error(), "write the endpoint as https://"+host) {
			t.Errorf("got %v", err)
		}
	}
}

// TestPlainServer starts a TLS handshake with a server that responds with a line of plain text.
func TestPlainServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.WriteString(c, "<!DOCTYPE HTML> Bad request version")
				io.Copy(io.Discard, c) // a connection closed before would be reset
			}()
		}
	}()
	host := listener.Addr().String()
	at := open(t, s3.Config{Bucket: "site", Endpoint: "https://" + host, AccessKey: "key", SecretKey: "secret"})
	if err := at.Put(t.Context(), object("x", "text")); err == nil || !strings.Contains(err.Error(), "write the endpoint as http://"+host) {
		t.Errorf("got %v", err)
	}
}

// TestRetryAfter checks that pauses are as long as Retry-After requires, up to a limit.
func TestRetryAfter(t *testing.T) {
	var waits []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(waits) > 0 {
			w.Header().Set("Retry-After", waits[0])
			waits = waits[1:]
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	at := open(t, s3.Config{Bucket: "site", Endpoint: server.URL, AccessKey: "key", SecretKey: "secret"})

	start := time.Now()
	waits = []string{"1"}
	if err := at.Put(t.Context(), object("x", "text")); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took < time.Second {
		t.Errorf("waited %v", took)
	}
	waits = []string{"86400"}
	if err := at.Put(t.Context(), object("x", "text")); err == nil || !strings.Contains(err.Error(), "a pause of more than 5m0s") {
		t.Errorf("got %v", err)
	}
	waits = []string{"60"}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := at.Put(ctx, object("x", "text")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestResume checks that reading continues where a connection broke, unless the object was
// replaced.
func TestResume(t *testing.T) {
	text := []byte(strings.Repeat("0123456789", 1000))
	etag, breaks := `"one"`, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		if breaks++; breaks%2 == 1 {
			w = &s3test.Half{ResponseWriter: w}
			defer panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "", time.Unix(1, 0), bytes.NewReader(text))
	}))
	defer server.Close()
	at := open(t, s3.Config{Bucket: "site", Endpoint: server.URL, AccessKey: "key", SecretKey: "secret"})
	r, err := at.Get(t.Context(), "x", 10, 9000)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := target.ReadAll(r, 9000); err != nil || !bytes.Equal(b, text[10:9010]) {
		t.Errorf("got %d bytes, %v", len(b), err)
	}
	breaks = 0
	if r, err = at.Get(t.Context(), "x", 0, -1); err != nil {
		t.Fatal(err)
	}
	etag = `"two"`
	if _, err := target.ReadAll(r, 10000); !errors.Is(err, target.ErrChanged) {
		t.Errorf("got %v", err)
	}
}

// TestIgnoredConditions swaps on a fake server that ignores conditions.
func TestIgnoredConditions(t *testing.T) {
	var mu sync.Mutex
	objects, locks := map[string][]byte{}, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		key := strings.TrimPrefix(r.URL.Path, "/site/")
		switch {
		case r.Method == http.MethodPut:
			objects[key], _ = io.ReadAll(r.Body)
			if strings.HasPrefix(key, target.Locks) && !strings.Contains(key, "probe") {
				locks++
			}
		case r.Method == http.MethodDelete:
			delete(objects, key)
			w.WriteHeader(http.StatusNoContent)
		case key == "":
			fmt.Fprint(w, "<ListBucketResult>")
			for key := range objects {
				if strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
					fmt.Fprintf(w, "<Contents><Key>%s</Key><LastModified>2020-02-02T02:02:02Z</LastModified></Contents>", url.QueryEscape(key))
				}
			}
			fmt.Fprint(w, "<EncodingType>url</EncodingType></ListBucketResult>")
		case objects[key] == nil:
			w.WriteHeader(http.StatusNotFound)
		default:
			http.ServeContent(w, r, "", time.Unix(1, 0), bytes.NewReader(objects[key]))
		}
	}))
	defer server.Close()
	at := open(t, s3.Config{Bucket: "site", Endpoint: server.URL, AccessKey: "key", SecretKey: "secret"})
	for i, want := range []error{nil, target.ErrChanged, target.ErrChanged} {
		if err := at.Swap(t.Context(), nil, object("x", "text")); !errors.Is(err, want) {
			t.Errorf("swap %d: got %v, want %v", i, err, want)
		}
	}
	if locks != 3 || len(objects) != 1 {
		t.Errorf("got %d locks, %d objects", locks, len(objects))
	}
}

func TestCORSPolicy(t *testing.T) {
	policy := struct {
		CORSRules []struct{ AllowedOrigins, AllowedMethods, AllowedHeaders, ExposeHeaders []string }
	}{}
	if err := json.Unmarshal([]byte(s3.CORSJSON()), &policy); err != nil || len(policy.CORSRules) != 1 {
		t.Fatalf("got %+v, %v", policy, err)
	}
	rule := policy.CORSRules[0]
	if !slices.Equal(rule.AllowedOrigins, []string{"*"}) || !slices.Equal(rule.AllowedMethods, []string{"GET", "HEAD"}) || !slices.Contains(rule.ExposeHeaders, "ETag") {
		t.Errorf("got %+v", rule)
	}
	for _, want := range []string{"<CORSConfiguration", "<AllowedOrigin>*</AllowedOrigin>", "<AllowedMethod>GET</AllowedMethod>", "<ExposeHeader>ETag</ExposeHeader>"} {
		if !strings.Contains(s3.CORSXML(), want) {
			t.Errorf("no %s in %s", want, s3.CORSXML())
		}
	}
}

// TestRefusedCondition checks that Swap uses a lock if a server refuses conditions, whatever the
// error is, even if it is the first write and a policy requires encryption. If the server also
// refuses a write without a condition, that is an error.
func TestRefusedCondition(t *testing.T) {
	for _, x := range []struct {
		name, refusal string
		status        int
		sse, plain    bool
	}{
		{"not implemented, with encryption", "NotImplemented", http.StatusNotImplemented, true, true},
		{"a conflict", "FileAlreadyExists", http.StatusConflict, false, true},
		{"a conflict that Amazon S3 would resolve", "ConditionalRequestConflict", http.StatusConflict, false, true},
		{"not modified", "", http.StatusNotModified, false, true},
		{"a firewall", "AccessDenied", http.StatusForbidden, false, true},
		{"a header lost on the way", "SignatureDoesNotMatch", http.StatusForbidden, false, true},
		{"no write at all", "InvalidAccessKeyId", http.StatusForbidden, false, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			stored, warned := map[string]bool{}, ""
			target := open(t, s3.Config{
				Bucket: "site", Endpoint: "minio.example.com", AccessKey: "key", SecretKey: "secret", Warn: func(m string) { warned = m },
				Transport: fake(func(r *http.Request) *http.Response {
					refusal := respond(x.status, "<Error><Code>"+x.refusal+"</Code></Error>")
					switch {
					case r.URL.Query().Has("prefix"):
						return respond(http.StatusOK, listing(stored))
					case r.Method == http.MethodDelete:
						delete(stored, r.URL.Path)
						return respond(http.StatusNoContent, "")
					case r.Method != http.MethodPut:
						return respond(http.StatusNotFound, "<Error><Code>NoSuchKey</Code></Error>")
					case x.sse && r.Header.Get("X-Amz-Server-Side-Encryption") == "":
						return respond(http.StatusForbidden, "<Error><Code>AccessDenied</Code></Error>")
					case !x.plain || stored[r.URL.Path] && r.Header.Get("If-None-Match") != "" || x.sse && r.Header.Get("If-None-Match") != "":
						return refusal
					}
					stored[r.URL.Path] = true
					return respond(http.StatusOK, "")
				}),
			})
			err := target.Swap(t.Context(), nil, object("CURRENT", "text"))
			if (err == nil) != x.plain || strings.Contains(warned, "no conditional writes") != x.plain {
				t.Errorf("got %v, warning %q", err, warned)
			}
			if len(stored) > 1 || stored["/site/CURRENT"] != x.plain {
				t.Errorf("got %v", stored)
			}
		})
	}
}

// listing is the XML of a list of objects, by path.
func listing(stored map[string]bool) string {
	list := "<ListBucketResult><Name>site</Name><IsTruncated>false</IsTruncated>"
	for path := range stored {
		list += "<Contents><Key>" + strings.TrimPrefix(path, "/site/") + "</Key><Size>0</Size><LastModified>2026-01-02T03:04:05Z</LastModified></Contents>"
	}
	return list + "</ListBucketResult>"
}
