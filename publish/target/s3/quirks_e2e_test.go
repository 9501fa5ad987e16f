//go:build e2e

package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"galbuild/publish/target"
	"galbuild/publish/target/s3"
	"galbuild/publish/target/s3/bucket"
	"galbuild/publish/target/s3/s3test"
)

// allOperations performs all operations of a publisher in a separate bucket. The target must send
// more than 5 MiB in parts.
func allOperations(t *testing.T, at *s3.Target) {
	t.Helper()
	at.SetPutLimits(5<<20, 5<<20)
	ctx, text := t.Context(), strings.Repeat("0123456789", 700_000)
	for _, key := range []string{"a b/c+d@1", "a/2", "a/3", "a/4"} {
		check(t, "put "+key, at.Put(ctx, object(key, "text of "+key)))
	}
	check(t, "put an empty object", at.Put(ctx, object("empty", "")))
	check(t, "put parts", at.Put(ctx, object("parts", text)))
	check(t, "copy", at.Copy(ctx, "a/2", object("copied", "text of a/2")))
	if got := read(t, at, "copied", 0, -1); got != "text of a/2" {
		t.Errorf("the copy is %q", got)
	}
	if got := read(t, at, "a b/c+d@1", 5, 6); got != "of a b" {
		t.Errorf("the range is %q", got)
	}
	if got := read(t, at, "a/2", 100, 5) + read(t, at, "empty", 0, -1); got != "" {
		t.Errorf("after the end: %q", got)
	}
	if got := read(t, at, "parts", 0, -1); got != text {
		t.Errorf("the parts are %d bytes", len(got))
	}
	if _, err := at.Get(ctx, "none", 0, -1); !errors.Is(err, target.ErrNotExist) {
		t.Errorf("get a missing object: %v", err)
	}
	swaps(t, at)
	want := []string{"CURRENT", "a b/c+d@1", "a/2", "a/3", "a/4", "copied", "empty", "parts"}
	if got := keys(t, at); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	check(t, "delete one", at.Delete(ctx, []string{"copied"}))
	check(t, "delete what is not there", at.Delete(ctx, []string{"none"}))
	check(t, "delete several", at.Delete(ctx, append(want, "none")))
	if got := keys(t, at); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
}

// swaps replaces an object with the right and with the wrong old content.
func swaps(t *testing.T, at *s3.Target) {
	t.Helper()
	for _, x := range []struct {
		old, new string
		want     error
	}{{"", "1", nil}, {"", "2", target.ErrChanged}, {"1", "2", nil}, {"1", "3", target.ErrChanged}, {"2", "3", nil}} {
		var old []byte
		if x.old != "" {
			old = []byte(x.old)
		}
		if err := at.Swap(t.Context(), old, object("CURRENT", x.new)); !errors.Is(err, x.want) {
			t.Errorf("swap %q for %q: %v, want %v", x.old, x.new, err, x.want)
		}
	}
	if got := read(t, at, "CURRENT", 0, -1); got != "3" {
		t.Errorf("CURRENT is %q", got)
	}
}

func check(t *testing.T, operation string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", operation, err)
	}
}

func read(t *testing.T, at *s3.Target, key string, offset, length int64) string {
	t.Helper()
	r, err := at.Get(t.Context(), key, offset, length)
	if err != nil {
		t.Errorf("get %s: %v", key, err)
		return ""
	}
	b, err := target.ReadAll(r, 10<<20)
	check(t, "read "+key, err)
	return string(b)
}

func keys(t *testing.T, at *s3.Target) (all []string) {
	t.Helper()
	for e, err := range at.List(t.Context(), "") {
		check(t, "list", err)
		all = append(all, e.Key)
		if age := time.Since(e.Modified); err == nil && age.Abs() > time.Hour {
			t.Errorf("%s is %v old", e.Key, age)
		}
	}
	slices.Sort(all)
	return all
}

// refusing is a server that refuses some requests.
func refusing(status int, code, message string, what func(r *http.Request) bool) s3test.Quirk {
	return s3test.Quirk{Refuse: func(w http.ResponseWriter, r *http.Request) bool {
		if !what(r) {
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body)
		s3test.Refuse(w, status, code, message)
		return true
	}}
}

func isCopy(r *http.Request) bool { return r.Header.Get("X-Amz-Copy-Source") != "" }

func isBody(r *http.Request) bool { return r.Method == http.MethodPut && !isCopy(r) }

func has(r *http.Request, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return r.Header.Get(name) != "" })
}

// hasMethod reports whether r has this method and a query parameter.
func hasMethod(r *http.Request, method, parameter string) bool {
	return r.Method == method && r.URL.Query().Has(parameter)
}

// without is a server that ignores some headers of some requests.
func without(what func(r *http.Request) bool, names ...string) s3test.Quirk {
	return s3test.Quirk{Request: func(r *http.Request) bool {
		if !what(r) || !has(r, names...) {
			return false
		}
		for _, name := range names {
			r.Header.Del(name)
		}
		return true
	}}
}

// rewriting is a server whose responses differ.
func rewriting(pattern, by string) s3test.Quirk {
	return s3test.Quirk{Response: func(r *http.Response) bool {
		if !strings.Contains(r.Header.Get("Content-Type"), "xml") {
			return false
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return false
		}
		is := regexp.MustCompile(pattern).ReplaceAll(b, []byte(by))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(is)), int64(len(is))
		r.Header.Set("Content-Length", fmt.Sprint(len(is)))
		return !bytes.Equal(b, is)
	}}
}

func every(*http.Request) bool { return true }

const (
	lockMessage = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
	unsupported = "A header you provided implies functionality that is not implemented."
)

func conditional(r *http.Request) bool {
	return r.Method == http.MethodPut && has(r, "If-Match", "If-None-Match")
}

func listsV2(r *http.Request) bool { return r.URL.Query().Get("list-type") == "2" }

// quirks are the behaviours of servers, by name.
var quirks = map[string]s3test.Quirk{
	"Object Lock": refusing(400, "InvalidRequest", lockMessage, func(r *http.Request) bool {
		return isBody(r) && !has(r, "Content-Md5", "X-Amz-Checksum-Sha256")
	}),
	"Object Lock of MinIO": refusing(400, "MissingContentMD5", "Missing required header for this request: Content-Md5.", func(r *http.Request) bool {
		return isBody(r) && !has(r, "Content-Md5")
	}),
	"no checksum but SHA-256": refusing(400, "InvalidRequest", "x-amz-checksum-sha256 is missing", func(r *http.Request) bool {
		return isBody(r) && !has(r, "X-Amz-Checksum-Sha256")
	}),
	"no CopyObject":              refusing(501, "NotImplemented", unsupported, isCopy),
	"no CopyObject, 405":         refusing(405, "", "", isCopy),
	"no CopyObject, 400":         refusing(400, "InvalidArgument", "copy source", isCopy),
	"a policy denies CopyObject": refusing(403, "AccessDenied", "Access Denied", isCopy),
	"copies are empty objects":   without(every, "X-Amz-Copy-Source"),
	"no DeleteObjects":           refusing(501, "NotImplemented", unsupported, func(r *http.Request) bool { return hasMethod(r, http.MethodPost, "delete") }),
	"no DeleteObjects, as on Google Cloud Storage": refusing(400, "InvalidArgument", "Invalid argument.", func(r *http.Request) bool {
		return hasMethod(r, http.MethodPost, "delete")
	}),
	"DeleteObjects deletes nothing and reports no key": {Refuse: func(w http.ResponseWriter, r *http.Request) bool {
		if !hasMethod(r, http.MethodPost, "delete") {
			return false
		}
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, "<DeleteResult></DeleteResult>")
		return true
	}},
	"no ListObjectsV2": refusing(501, "NotImplemented", unsupported, listsV2),
	"ListObjectsV2 is ListObjects, two at a time": {Request: func(r *http.Request) bool {
		q := r.URL.Query()
		if !q.Has("list-type") && !q.Has("marker") {
			return false
		}
		q.Del("list-type")
		q.Set("max-keys", "2")
		r.URL.RawQuery = q.Encode()
		return true
	}},
	"keys are not encoded": {Request: func(r *http.Request) bool {
		q := r.URL.Query()
		if !q.Has("encoding-type") {
			return false
		}
		q.Del("encoding-type")
		r.URL.RawQuery = q.Encode()
		return true
	}},
	"no multipart uploads":      refusing(501, "NotImplemented", unsupported, func(r *http.Request) bool { return hasMethod(r, http.MethodPost, "uploads") }),
	"no HEAD":                   refusing(403, "", "", func(r *http.Request) bool { return r.Method == http.MethodHead }),
	"conditions are 501":        refusing(501, "NotImplemented", unsupported, conditional),
	"conditions are 400":        refusing(400, "InvalidArgument", "If-Match", conditional),
	"conditions are ignored":    without(conditional, "If-Match", "If-None-Match"),
	"If-None-Match is ignored":  without(conditional, "If-None-Match"),
	"If-Match is ignored":       without(conditional, "If-Match"),
	"ranges are ignored":        without(every, "Range"),
	"dates without a time zone": rewriting(`<LastModified>(.*?)Z</LastModified>`, "<LastModified>$1</LastModified>"),
	"dates in another format": {Response: func(r *http.Response) bool {
		r.Header.Set("Expires", "-1")
		if is, err := http.ParseTime(r.Header.Get("Last-Modified")); err == nil {
			r.Header.Set("Last-Modified", is.Format(time.RFC3339))
			return true
		}
		return false
	}},
	"no dates": {Response: func(r *http.Response) bool {
		r.Header.Del("Last-Modified")
		return r.Request.Method == http.MethodGet
	}},
	"other statuses of success": {Response: func(r *http.Response) bool {
		switch {
		case r.StatusCode == http.StatusOK && r.Request.Method == http.MethodPut:
			r.StatusCode = http.StatusCreated
		case r.StatusCode == http.StatusNoContent:
			r.StatusCode = http.StatusOK
		default:
			return false
		}
		return true
	}},
	"deleting what is not there is 404": refusing(404, "NoSuchKey", "no", func(r *http.Request) bool {
		return r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "/none")
	}),
	"weak entity tags": {Response: func(r *http.Response) bool {
		r.Header.Set("Etag", "W/"+r.Header.Get("Etag"))
		return true
	}},
	"entity tags without quotes": {Response: func(r *http.Response) bool {
		r.Header.Set("Etag", strings.Trim(r.Header.Get("Etag"), `"`))
		return true
	}},
	"a proxy changes entity tags": {Response: func(r *http.Response) bool {
		if r.Request.Method != http.MethodGet {
			return false
		}
		r.Header.Set("Etag", strings.TrimSuffix(r.Header.Get("Etag"), `"`)+`-gzip"`)
		return true
	}},
	"errors without a body": {Response: func(r *http.Response) bool {
		if r.StatusCode < 400 {
			return false
		}
		r.Body, r.ContentLength = http.NoBody, 0
		r.Header.Set("Content-Length", "0")
		return true
	}},
	"no ListObjectsV2, 400":            refusing(400, "InvalidArgument", "Invalid list-type", listsV2),
	"no ListObjectsV2, InvalidRequest": refusing(400, "InvalidRequest", "list-type is not supported", listsV2),
	"no multipart uploads, 405":        refusing(405, "MethodNotAllowed", "The specified method is not allowed against this resource.", func(r *http.Request) bool { return hasMethod(r, http.MethodPost, "uploads") }),
	"no multipart uploads, 400":        refusing(400, "InvalidRequest", "multipart uploads are not supported", func(r *http.Request) bool { return hasMethod(r, http.MethodPost, "uploads") }),
	"no DeleteObjects, 405":            refusing(405, "MethodNotAllowed", "", func(r *http.Request) bool { return hasMethod(r, http.MethodPost, "delete") }),
	"no DeleteObjects, 403":            refusing(403, "AccessDenied", "Access Denied", func(r *http.Request) bool { return hasMethod(r, http.MethodPost, "delete") }),
	"no DeleteObjects, 404":            refusing(404, "", "", func(r *http.Request) bool { return hasMethod(r, http.MethodPost, "delete") }),
	"no POST":                          refusing(405, "", "", func(r *http.Request) bool { return r.Method == http.MethodPost }),
	"a firewall allows no POST":        refusing(403, "", "", func(r *http.Request) bool { return r.Method == http.MethodPost }),
	"no checksum headers": refusing(501, "NotImplemented", unsupported, func(r *http.Request) bool {
		return has(r, "X-Amz-Checksum-Sha256", "X-Amz-Sdk-Checksum-Algorithm", "X-Amz-Trailer")
	}),
	"no signed chunks and trailers": refusing(400, "InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, or a valid sha256 value.", func(r *http.Request) bool {
		return strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING")
	}),
	"no encryption headers, no ACL": refusing(501, "NotImplemented", unsupported, func(r *http.Request) bool {
		return has(r, "X-Amz-Server-Side-Encryption", "X-Amz-Acl", "X-Amz-Storage-Class")
	}),
	"metadata of users is dropped": {Response: func(r *http.Response) bool {
		had := r.Header.Get("X-Amz-Meta-Galbuild-Write") != ""
		r.Header.Del("X-Amz-Meta-Galbuild-Write")
		return had
	}},
	"no Cache-Control": without(every, "Cache-Control"),
	"no lengths": {Response: func(r *http.Response) bool {
		if r.Request.Method != http.MethodGet {
			return false
		}
		r.ContentLength = -1
		r.Header.Del("Content-Length")
		return true
	}},
	"no media types": {Response: func(r *http.Response) bool {
		r.Header["Content-Type"] = nil
		return true
	}},
	"entity tags are not an MD5": {Response: func(r *http.Response) bool {
		tag := r.Header.Get("Etag")
		if tag != "" && r.Request.Method == http.MethodPut && !r.Request.URL.Query().Has("partNumber") {
			r.Header.Set("Etag", `"0x8DC'+/=-1"`)
			return true
		}
		return false
	}},
	"XML without a namespace": rewriting(` xmlns="[^"]*"`, ""),
	"the result of a copy is empty": {Response: func(r *http.Response) bool {
		if !isCopy(r.Request) {
			return false
		}
		r.Body, r.ContentLength = http.NoBody, 0
		r.Header.Set("Content-Length", "0")
		return true
	}},
	"busy":        busy(),
	namesNoBucket: rewriting(`(<CompleteMultipartUploadResult.*)<Bucket>.*</Bucket>`, "$1"),
}

// busy is a server that refuses every third request with SlowDown.
func busy() s3test.Quirk {
	var n atomic.Int64
	return s3test.Quirk{Refuse: func(w http.ResponseWriter, r *http.Request) bool {
		if n.Add(1)%3 != 0 {
			return false
		}
		s3test.Refuse(w, 503, "SlowDown", "Please reduce your request rate.")
		return true
	}}
}

// namesNoBucket is a quirk after which the client cannot tell that an upload is complete.
const namesNoBucket = "the result of a multipart upload names no bucket"

// neverMet are quirks that affect only requests which the target does not make.
var neverMet = []string{"no HEAD", "no checksum headers", "no signed chunks and trailers", "no encryption headers, no ACL"}

// TestQuirks publishes to a real server with one quirk at a time, and checks that the
// target adapts to that quirk only.
func TestQuirks(t *testing.T) {
	server := s3test.Start(t)
	for name, quirk := range quirks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := server.Behind(t, quirk)
			allOperations(t, fresh(t, server, s3.Config{Endpoint: proxy.URL}))
			if proxy.Met.Load() == 0 && !slices.Contains(neverMet, name) {
				t.Error("the quirk was not met")
			}
			if met := proxy.Met.Load(); name == namesNoBucket && met > 1 {
				t.Errorf("an upload that was complete was completed %d times", met)
			}
		})
	}
}

// TestAdaptsOnce counts refused requests: one for each behaviour, not for each object.
func TestAdaptsOnce(t *testing.T) {
	server := s3test.Start(t)
	for _, name := range []string{"Object Lock", "no CopyObject", "no DeleteObjects", "no ListObjectsV2", "conditions are 501"} {
		proxy := server.Behind(t, quirks[name])
		at := fresh(t, server, s3.Config{Endpoint: proxy.URL})
		for i := range 3 {
			key := fmt.Sprint(i)
			check(t, name, at.Put(t.Context(), object(key, "text")))
			check(t, name, at.Copy(t.Context(), key, object("copy/"+key, "text")))
			check(t, name, at.Delete(t.Context(), []string{key, "copy/" + key}))
			check(t, name, at.Swap(t.Context(), nil, object("CURRENT"+key, "text")))
			keys(t, at)
		}
		if n := proxy.Met.Load(); n != 1 {
			t.Errorf("%s: refused %d times", name, n)
		}
	}
}

// TestWarning checks that there is one warning about missing conditional writes, and none if the
// configuration states that they are missing.
func TestWarning(t *testing.T) {
	server := s3test.Start(t)
	for _, x := range []struct {
		quirk       string
		conditional bucket.Conditional
		want        int
	}{{"conditions are 501", bucket.Detect, 1}, {"conditions are ignored", bucket.Detect, 1}, {"conditions are 501", s3.Never, 0}, {"no CopyObject", bucket.Detect, 0}} {
		var warnings []string
		c := s3.Config{Endpoint: server.Behind(t, quirks[x.quirk]).URL, Conditional: x.conditional, Warn: func(s string) { warnings = append(warnings, s) }}
		swaps(t, fresh(t, server, c))
		if len(warnings) != x.want || x.want > 0 && !strings.Contains(warnings[0], "--s3-conditional-writes=no") {
			t.Errorf("%s, %q: got %q", x.quirk, x.conditional, warnings)
		}
	}
	at := fresh(t, server, s3.Config{Endpoint: server.Behind(t, quirks["conditions are 501"]).URL, Conditional: s3.Yes})
	if err := at.Swap(t.Context(), nil, object("CURRENT", "1")); err == nil || !strings.Contains(err.Error(), "without --s3-conditional-writes=yes") {
		t.Errorf("got %v", err)
	}
}

// TestEachCondition tests the two conditions separately.
func TestEachCondition(t *testing.T) {
	server := s3test.Start(t)
	at := fresh(t, server, s3.Config{Endpoint: server.Behind(t, quirks["If-None-Match is ignored"]).URL})
	check(t, "put", at.Put(t.Context(), object("CURRENT", "1")))
	check(t, "swap", at.Swap(t.Context(), []byte("1"), object("CURRENT", "2")))
	if err := at.Swap(t.Context(), nil, object("CURRENT", "3")); !errors.Is(err, target.ErrChanged) {
		t.Errorf("replaced an existing object: %v", err)
	}
}

// requireSSE imitates a bucket policy: writes, except of parts, must have an encryption header. The
// header is not passed on to the server. If defaults is not empty, it is the rule of
// the bucket's default encryption.
func requireSSE(want func(h http.Header) bool, defaults string) s3test.Quirk {
	policy := func(r *http.Request) bool {
		write := r.Method == http.MethodPut && !r.URL.Query().Has("partNumber") || hasMethod(r, http.MethodPost, "uploads")
		return write && !want(r.Header)
	}
	quirk := refusing(403, "AccessDenied", "User: x is not authorized to perform: s3:PutObject on resource: y with an explicit deny in a resource-based policy", policy)
	denies := quirk.Refuse
	quirk.Refuse = func(w http.ResponseWriter, r *http.Request) bool {
		if hasMethod(r, http.MethodGet, "encryption") && defaults != "" {
			w.Header().Set("Content-Type", "application/xml")
			fmt.Fprintf(w, `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>%s</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`, defaults)
			return true
		}
		return denies(w, r)
	}
	quirk.Request = without(every, "X-Amz-Server-Side-Encryption", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled").Request
	return quirk
}

// TestEncryption publishes to buckets whose policy requires encryption headers.
func TestEncryption(t *testing.T) {
	server := s3test.Start(t)
	is := func(algorithm, key, bucketKey string) func(http.Header) bool {
		return func(h http.Header) bool {
			return h.Get("X-Amz-Server-Side-Encryption") == algorithm && h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id") == key && h.Get("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled") == bucketKey
		}
	}
	for name, x := range map[string]struct {
		quirk s3test.Quirk
		c     s3.Config
		err   string
	}{
		"AES256, found out":      {quirk: requireSSE(is("AES256", "", ""), "")},
		"the bucket's default":   {quirk: requireSSE(is("aws:kms", "key", ""), "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>key</KMSMasterKeyID>")},
		"AES256, configured":     {quirk: requireSSE(is("AES256", "", ""), ""), c: s3.Config{Encryption: "AES256"}},
		"a key, configured":      {quirk: requireSSE(is("aws:kms", "key", "true"), ""), c: s3.Config{KMSKey: "key", BucketKey: true}},
		"cannot be found out":    {quirk: requireSSE(is("aws:kms", "key", ""), ""), err: "--s3-sse-kms-key-id; AES256 was tried"},
		"not the configured one": {quirk: requireSSE(is("aws:kms", "", ""), ""), c: s3.Config{Encryption: "AES256"}, err: "another encryption (--s3-sse"},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := server.Behind(t, x.quirk)
			x.c.Endpoint = proxy.URL
			at := fresh(t, server, x.c)
			if x.err == "" {
				allOperations(t, at)
				return
			}
			for range 2 {
				err := at.Put(t.Context(), object("x", "text"))
				if err == nil || !strings.Contains(err.Error(), x.err) || !strings.Contains(err.Error(), "explicit deny") {
					t.Errorf("got %v, want %q", err, x.err)
				}
			}
		})
	}
}

// TestEncryptionOfSwap replaces an object first, whose condition is tested with a write that
// must not succeed.
func TestEncryptionOfSwap(t *testing.T) {
	server := s3test.Start(t)
	is := func(h http.Header) bool { return h.Get("X-Amz-Server-Side-Encryption") == "AES256" }
	swaps(t, fresh(t, server, s3.Config{Endpoint: server.Behind(t, requireSSE(is, "")).URL}))
	at := fresh(t, server, s3.Config{Endpoint: server.Behind(t, requireSSE(is, "")).URL})
	if err := at.Swap(t.Context(), []byte("1"), object("CURRENT", "2")); !errors.Is(err, target.ErrChanged) {
		t.Errorf("got %v, want ErrChanged", err)
	}
}

// TestHeadersOfObjects sends storage class and ACL with every kind of write.
func TestHeadersOfObjects(t *testing.T) {
	server := s3test.Start(t)
	var wrong atomic.Int64
	quirk := without(every, "X-Amz-Storage-Class", "X-Amz-Acl", "X-Amz-Request-Payer")
	quirk.Refuse = func(w http.ResponseWriter, r *http.Request) bool {
		write := r.Method == http.MethodPut && !r.URL.Query().Has("partNumber") || hasMethod(r, http.MethodPost, "uploads")
		if write && (r.Header.Get("X-Amz-Storage-Class") != "STANDARD_IA" || r.Header.Get("X-Amz-Acl") != "bucket-owner-full-control") ||
			(write || r.Method == http.MethodGet) && r.Header.Get("X-Amz-Request-Payer") != "requester" {
			wrong.Add(1)
			t.Errorf("%s %s: %v", r.Method, r.URL, r.Header)
		}
		return false
	}
	proxy := server.Behind(t, quirk)
	allOperations(t, fresh(t, server, s3.Config{Endpoint: proxy.URL, StorageClass: "STANDARD_IA", ACL: "bucket-owner-full-control", RequesterPays: true}))
	if proxy.Met.Load() == 0 {
		t.Error("there were none")
	}
}

// TestVirtualHostOnly finds the style that a server accepts, for each form of its error.
func TestVirtualHostOnly(t *testing.T) {
	const host = "s3.example.test"
	server := s3test.Start(t, "--virtual-domain", host)
	for code, message := range map[string]string{
		"SecondLevelDomainForbidden": "Please use virtual hosted style to access.",
		"PathStyleDomainForbidden":   "The bucket you are attempting to access must be addressed using COS virtual-styled domain.",
		"VirtualHostDomainRequired":  "Virtual host domain is required while accessing a specific bucket.",
		"InvalidRequest":             "This bucket cannot be used with path-style requests.",
	} {
		proxy := server.Behind(t, refusing(403, code, message, func(r *http.Request) bool { return r.Host == host }))
		at := fresh(t, server, s3.Config{Endpoint: "http://" + host, Transport: dialing(proxy.Host)})
		allOperations(t, at)
		if n := proxy.Met.Load(); n != 1 {
			t.Errorf("%s: refused %d times", code, n)
		}
		c := s3.Config{Endpoint: "http://" + host, Transport: dialing(proxy.Host), Style: s3.Path}
		if err := fresh(t, server, c).Put(t.Context(), object("x", "text")); err == nil || !strings.Contains(err.Error(), "--s3-addressing-style=virtual") {
			t.Errorf("%s, path style: got %v", code, err)
		}
	}
	proxy := server.Behind(t, refusing(403, "SecondLevelDomainForbidden", "no", every))
	if err := fresh(t, server, s3.Config{Endpoint: proxy.URL}).Put(t.Context(), object("x", "text")); err == nil || !strings.Contains(err.Error(), "as a host name instead of 127.0.0.1") {
		t.Errorf("an IP address: got %v", err)
	}
}

// TestMoved follows the server to another region and another address, but not to another
// organisation's.
func TestMoved(t *testing.T) {
	server := s3test.Start(t)
	allOperations(t, fresh(t, server, s3.Config{Endpoint: server.URL, Region: "eu-west-9"})) // versitygw names its own
	to := func(status int, url string) *s3test.Quirky {
		return server.Behind(t, s3test.Quirk{Refuse: func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, url+r.URL.RequestURI(), status)
			return true
		}})
	}
	for _, status := range []int{301, 302, 307, 308} {
		proxy := to(status, server.URL)
		allOperations(t, fresh(t, server, s3.Config{Endpoint: proxy.URL}))
		if n := proxy.Met.Load(); n != 1 {
			t.Errorf("%d: redirected %d times", status, n)
		}
	}
	proxy := to(307, "https://s3.example.com")
	if err := fresh(t, server, s3.Config{Endpoint: proxy.URL}).Put(t.Context(), object("x", "text")); err == nil || !strings.Contains(err.Error(), "the server redirects to https://s3.example.com") {
		t.Errorf("got %v", err)
	}
	var one, other *s3test.Quirky
	circle := func(to **s3test.Quirky) s3test.Quirk {
		return s3test.Quirk{Refuse: func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, (*to).URL+r.URL.RequestURI(), http.StatusTemporaryRedirect)
			return true
		}}
	}
	one, other = server.Behind(t, circle(&other)), server.Behind(t, circle(&one))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := fresh(t, server, s3.Config{Endpoint: one.URL}).Put(ctx, object("x", "text")); err == nil || !strings.Contains(err.Error(), "the server redirects to "+other.URL) {
		t.Errorf("a circle of redirects: got %v", err)
	}
}

// TestRegion finds the region of a bucket from each form of the error for a wrong one.
func TestRegion(t *testing.T) {
	const region = "eu-west-9"
	server := s3test.Start(t, "--region", region)
	for name, refuse := range map[string]func(http.ResponseWriter){
		"no body":            func(w http.ResponseWriter) { s3test.Refuse(w, 400, "", "") },
		"PermanentRedirect":  func(w http.ResponseWriter) { s3test.Refuse(w, 301, "PermanentRedirect", "Use another endpoint.") },
		"301 without a body": func(w http.ResponseWriter) { s3test.Refuse(w, 301, "", "") },
		"IllegalLocationConstraintException": func(w http.ResponseWriter) {
			s3test.Refuse(w, 400, "IllegalLocationConstraintException", "The location constraint is incompatible.")
		},
	} {
		proxy := server.Behind(t, s3test.Quirk{Refuse: func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.Header.Get("Authorization"), "/"+region+"/") {
				return false
			}
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("X-Amz-Bucket-Region", region)
			refuse(w)
			return true
		}})
		bucket := server.Bucket(t)
		at := open(t, s3.Config{Endpoint: proxy.URL, Region: "us-east-1", Bucket: bucket, AccessKey: server.AccessKey, SecretKey: server.SecretKey})
		allOperations(t, at)
		if n := proxy.Met.Load(); n != 1 {
			t.Errorf("%s: refused %d times", name, n)
		}
	}
}

// TestBelowPath publishes to an S3 API that is below a path of its server.
func TestBelowPath(t *testing.T) {
	server := s3test.Start(t)
	const prefix = "/storage/v1/s3"
	quirk := refusing(404, "", "", func(r *http.Request) bool { return !strings.HasPrefix(r.URL.Path, prefix+"/") })
	quirk.Request = func(r *http.Request) bool {
		r.URL.Path, r.URL.RawPath = strings.TrimPrefix(r.URL.Path, prefix), strings.TrimPrefix(r.URL.RawPath, prefix)
		return true
	}
	allOperations(t, fresh(t, server, s3.Config{Endpoint: server.Behind(t, quirk).URL + prefix + "/"}))
}

// TestPublic reads a public bucket without credentials, because there are none or because of
// [s3.Config].Anonymous.
func TestPublic(t *testing.T) {
	server := s3test.Start(t)
	clearEnvironment(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	bucket := server.Bucket(t)
	own := open(t, s3.Config{Endpoint: server.URL, Bucket: bucket, AccessKey: server.AccessKey, SecretKey: server.SecretKey})
	check(t, "put", own.Put(t.Context(), object("x", "text")))
	quirk := refusing(403, "InvalidAccessKeyId", "no", func(r *http.Request) bool {
		return has(r, "Authorization") || r.Method != http.MethodGet
	})
	quirk.Request = func(*http.Request) bool { return true }
	proxy := server.Behind(t, quirk)
	for _, c := range []s3.Config{{}, {Anonymous: true}} {
		c.Endpoint, c.Bucket = proxy.URL, bucket
		at := open(t, c)
		if got := read(t, at, "x", 0, -1); got != "text" {
			t.Errorf("got %q", got)
		}
		if got := keys(t, at); !slices.Equal(got, []string{"x"}) {
			t.Errorf("got %q", got)
		}
	}
	met := proxy.Met.Load()
	c := s3.Config{Endpoint: proxy.URL, Bucket: bucket}
	if err := open(t, c).Put(t.Context(), object("x", "text")); err == nil || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") || proxy.Met.Load() != met {
		t.Errorf("put without credentials: %v", err)
	}
	c.Endpoint = server.URL // which is private
	if _, err := open(t, c).Get(t.Context(), "x", 0, -1); err == nil || !strings.Contains(err.Error(), "no credentials were found, so the request was sent without any") {
		t.Errorf("got %v", err)
	}
	c.AccessKey, c.SecretKey, c.Endpoint = "ours", "secret", proxy.URL
	if _, err := open(t, c).Get(t.Context(), "x", 0, -1); err == nil || !strings.Contains(err.Error(), "--no-sign-request") {
		t.Errorf("with keys for another server: %v", err)
	}
}

// TestNotS3 checks the hints for an address that is not an S3 API, and for a wrong clock.
func TestNotS3(t *testing.T) {
	server := s3test.Start(t)
	page := func(status int) s3test.Quirk {
		return s3test.Quirk{Refuse: func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			fmt.Fprint(w, "<!doctype html><title>Console</title>")
			return true
		}}
	}
	late := s3test.Quirk{Refuse: func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		s3test.Refuse(w, 403, "AccessDenied", "Access Denied")
		return true
	}}
	for name, x := range map[string]struct {
		quirk s3test.Quirk
		want  string
	}{
		"a page":      {page(200), "not the address of the S3 API"},
		"no page":     {page(404), "not the address of the S3 API"},
		"a login":     {page(403), "not the address of the S3 API"},
		"405":         {page(405), "not the address of the S3 API"},
		"wrong clock": {late, "set this machine's clock"},
	} {
		at := fresh(t, server, s3.Config{Endpoint: server.Behind(t, x.quirk).URL})
		_, get := at.Get(context.Background(), "x", 0, -1)
		var list error
		for _, list = range at.List(t.Context(), "") {
			break
		}
		for operation, err := range map[string]error{"put": at.Put(t.Context(), object("x", "text")), "get": get, "list": list} {
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("%s: %s: got %v, want %q", name, operation, err, x.want)
			}
		}
	}
}
