package cmd_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"galbuild/render/doctor"
)

// A brokenGallery has one fault, for which doctor has one finding that is not ok.
type brokenGallery struct {
	name   string
	check  string // the finding, as CHECK
	mend   string // in one of its lines
	breaks breaking
	warns  bool // the finding is a warning

	prefix string                                              // the path below which the gallery is
	https  func(leaf *x509.Certificate, sent *tls.Certificate) // spoils the certificate
	change func(*doctor.Config)
}

// Requests that doctor sends.
var (
	anything  = func(*http.Request, string) bool { return true }
	queries   = func(r *http.Request, _ string) bool { return r.Method == http.MethodPost }
	lists     = func(r *http.Request, body string) bool { return strings.Contains(body, `"pageSize":50`) }
	newest    = ending("/latest")
	assets    = below("/assets/")
	manifests = ending("/Microsoft.VisualStudio.Code.Manifest")
	archives  = func(r *http.Request, _ string) bool {
		return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".VSIXPackage")
	}
	files       = below("/files/")
	preflights  = func(r *http.Request, _ string) bool { return r.Method == http.MethodOptions }
	doesNotName = func(body string) bool { return strings.Contains(body, `no-such-extension"`) }
)

func ending(end string) func(*http.Request, string) bool {
	return func(r *http.Request, _ string) bool {
		return r.Method != http.MethodOptions && strings.HasSuffix(r.URL.Path, end)
	}
}

func below(folder string) func(*http.Request, string) bool {
	return func(r *http.Request, _ string) bool {
		return r.Method != http.MethodOptions && strings.HasPrefix(r.URL.Path, folder)
	}
}

// withoutCORS removes the header that lets pages read responses.
func withoutCORS(match func(*http.Request, string) bool) breaking {
	return edit(match, func(a *answer) { a.header.Del("Access-Control-Allow-Origin") })
}

func setHeader(match func(*http.Request, string) bool, name, value string) breaking {
	return edit(match, func(a *answer) { a.header.Set(name, value) })
}

// forwarded makes the proxy in front of galshim send another value of a header.
func forwarded(name, value string) breaking {
	return pass(func(r *http.Request) { r.Header.Set("Test-"+name, value) })
}

func notTrusted(leaf *x509.Certificate, _ *tls.Certificate) {}

const webPage = "<!DOCTYPE html><title>Sign in</title>"

var brokenGalleries = []brokenGallery{
	// Connection
	{name: "no such host", check: "dns", mend: "add an A or AAAA record for gallery.invalid", change: at("http://gallery.invalid")},
	{name: "nothing listens", check: "connect", mend: "allow TCP port 1 ", change: at("http://127.0.0.1:1")},
	{name: "https where http is spoken", check: "https", mend: "http:// instead of https://", change: func(c *doctor.Config) {
		c.Gallery, _ = doctor.ParseURL(strings.Replace(c.Gallery.Service, "http:", "https:", 1))
	}},
	{name: "expired certificate", check: "certificate-dates", mend: "renew the certificate", https: func(leaf *x509.Certificate, _ *tls.Certificate) {
		leaf.NotAfter = time.Now().Add(-time.Hour)
	}},
	{name: "certificate of tomorrow", check: "certificate-dates", mend: "clock: set that of this machine", https: func(leaf *x509.Certificate, _ *tls.Certificate) {
		leaf.NotBefore = time.Now().Add(time.Hour)
	}},
	{name: "certificate that expires soon", check: "certificate-dates", mend: "renew the certificate", warns: true, https: func(leaf *x509.Certificate, _ *tls.Certificate) {
		leaf.NotAfter = time.Now().Add(5 * 24 * time.Hour)
	}},
	{name: "certificate of another name", check: "certificate-name", mend: "issue a certificate with the name 127.0.0.1", https: func(leaf *x509.Certificate, _ *tls.Certificate) {
		leaf.IPAddresses, leaf.DNSNames = nil, []string{"other.example"}
	}},
	{name: "intermediate certificate not sent", check: "certificate-chain", mend: "cat cert.pem intermediate.pem", https: func(_ *x509.Certificate, sent *tls.Certificate) {
		sent.Certificate = sent.Certificate[:1]
	}},
	{name: "intermediate certificate not sent, which browsers download", check: "certificate-chain", mend: "cat cert.pem intermediate.pem", https: func(leaf *x509.Certificate, sent *tls.Certificate) {
		leaf.IssuingCertificateURL, sent.Certificate = []string{atIssuer}, sent.Certificate[:1]
	}, change: func(c *doctor.Config) { c.CA = "" }},
	{name: "private authority", check: "certificate-chain", mend: "NODE_EXTRA_CA_CERTS", https: notTrusted, change: func(c *doctor.Config) { c.CA = "" }},
	{name: "self-signed certificate", check: "certificate-chain", mend: "--ca FILE with the certificate itself", https: func(leaf *x509.Certificate, sent *tls.Certificate) {
		leaf.Subject, sent.Certificate = pkix.Name{CommonName: "self-signed"}, sent.Certificate[:1]
	}},

	// Requests
	{name: "HTTP/1.0", check: "http", mend: "speak HTTP/1.1", warns: true, breaks: overHTTP10},
	{name: "half of a response", check: "http", mend: "proxy_buffering on", breaks: cutOff(queries)},
	{name: "clock a day off", check: "clock", mend: "timedatectl set-ntp true", breaks: edit(queries, func(a *answer) {
		a.header.Set("Date", time.Now().Add(-24*time.Hour).UTC().Format(http.TimeFormat))
	})},
	{name: "clock some minutes off", check: "clock", mend: "timedatectl set-ntp true", warns: true, breaks: edit(queries, func(a *answer) {
		a.header.Set("Date", time.Now().Add(3*time.Minute).UTC().Format(http.TimeFormat))
	})},
	{name: "login page", check: "redirects", mend: "without the login page", breaks: refuse(anything, 302, "text/html", "", "Location", "https://sso.example/login?next=gallery")},
	{name: "redirected to https", check: "redirects", mend: `"serviceUrl": "https://127.0.0.1/api"`, breaks: refuse(anything, 301, "text/html", "", "Location", "https://127.0.0.1/api/extensionquery")},
	{name: "slash added", check: "redirects", mend: "location = /api/extensionquery", breaks: refuse(queries, 308, "text/html", "", "Location", "/api/extensionquery/")},
	{name: "moved", check: "redirects", mend: `"serviceUrl": "https://new.example/api"`, breaks: refuse(anything, 301, "text/html", "", "Location", "https://new.example/api/extensionquery")},
	{name: "token required", check: "access", mend: "https://HOST/t/TOKEN/", breaks: refuse(anything, 401, "application/json", "{}")},
	{name: "forbidden by a firewall", check: "access", mend: "allow POST /api/extensionquery", breaks: refuse(queries, 403, "text/html", webPage)},
	{name: "429 without Retry-After", check: "limits", mend: "add_header Retry-After", breaks: refuse(anything, 429, "text/html", webPage)},
	{name: "503 without Retry-After", check: "limits", mend: "add_header Retry-After", breaks: refuse(queries, 503, "text/html", webPage)},
	{name: "overloaded", check: "limits", mend: "--max-queries", breaks: refuse(queries, 503, "application/json", "{}", "Retry-After", "2")},
	{name: "gzip twice", check: "compression", mend: "gzip off; in one of the two servers", breaks: edit(queries, func(a *answer) {
		if a.compressed {
			a.body = gzipped(a.body)
		}
	})},
	{name: "gzip without Content-Encoding", check: "compression", mend: "do not remove Content-Encoding", breaks: edit(queries, func(a *answer) {
		if a.compressed {
			a.body, a.compressed = gzipped(a.body), false
			a.header.Del("Content-Encoding")
		}
	})},
	{name: "brotli", check: "compression", mend: "brotli off", breaks: edit(queries, func(a *answer) { a.compressed = false; a.header.Set("Content-Encoding", "br") })},
	{name: "compressed without being asked", check: "compression", mend: "gzip_vary on", breaks: edit(queries, func(a *answer) { a.compressed = true; a.header.Set("Content-Encoding", "gzip") })},
	{name: "not compressed", check: "compression", mend: "gzip_types application/json", warns: true, breaks: pass(func(r *http.Request) { r.Header.Del("Accept-Encoding") })},
	{name: "POST not allowed", check: "query", mend: "allow POST, and OPTIONS", breaks: refuse(queries, 405, "text/html", webPage)},
	{name: "path lost on the way in", check: "query", mend: "proxy_pass http://galshim; without a path", breaks: pass(func(r *http.Request) { r.URL.Path = "/shop" + r.URL.Path })},
	{name: "galshim not reached", check: "query", mend: "start it", breaks: refuse(anything, 502, "text/html", webPage)},
	{name: "web page instead of JSON", check: "query", mend: "and not to a page for people", breaks: refuse(anything, 200, "text/html", webPage)},
	{name: "other text instead of JSON", check: "query", mend: "pass responses on as they are", breaks: edit(queries, func(a *answer) { a.body = a.body[1:] })},
	{name: "no results", check: "query", mend: `"results": [{"extensions": []`, breaks: edit(lists, func(a *answer) { a.body = []byte(`{"results": []}`) })},
	{name: "error instead of an empty list", check: "query-unknown", mend: "status 200 with", breaks: edit(queries, func(a *answer) {
		if bytes.Contains(a.body, []byte(`"extensions":[]`)) {
			a.status = 404
		}
	})},
	{name: "no array in an empty list", check: "query-unknown", mend: "status 200 with", breaks: edit(queries, func(a *answer) {
		a.body = bytes.ReplaceAll(a.body, []byte(`"extensions":[]`), []byte(`"extensions":null`))
	})},
	{name: "bodies of at most 1 KB", check: "large-query", mend: "client_max_body_size 4m", breaks: refuse(func(r *http.Request, body string) bool { return len(body) > 1024 }, 413, "text/html", webPage)},
	{name: "pages of at most 200", check: "large-query", mend: "--max-page-size", breaks: refuse(func(_ *http.Request, body string) bool { return strings.Contains(body, `"pageSize":300`) }, 400, "application/json", "{}")},
	{name: "errors are web pages", check: "bad-query", mend: "proxy_intercept_errors off", warns: true, breaks: refuse(func(_ *http.Request, body string) bool { return body == "not a query" }, 400, "text/html", webPage)},

	// Responses
	{name: "versions not an array", check: "extensions", mend: "versions must be an array", breaks: edit(lists, func(a *answer) { a.replace(`"versions":[`, `"versions":{},"was":[`) })},
	{name: "files null", check: "extensions", mend: "files of a version must be an array", breaks: edit(lists, func(a *answer) { a.replace(`"files":[`, `"files":null,"was":[`) })},
	{name: "no flags", check: "extensions", mend: "flags must be a text", breaks: edit(lists, func(a *answer) { a.replace(`"flags":`, `"was":`) })},
	{name: "extension twice", check: "extensions", mend: "return each extension once", breaks: edit(lists, func(a *answer) { a.replace(`"extensionName":"midnight"`, `"extensionName":"hello"`) })},
	{name: "no TotalCount", check: "total-count", mend: `"TotalCount"`, breaks: edit(queries, func(a *answer) {
		a.body = bytes.ReplaceAll(a.body, []byte(`"TotalCount"`), []byte(`"Total"`))
	})},
	{name: "dates of the year 1", check: "dates", mend: `"lastUpdated"`, warns: true, breaks: edit(lists, func(a *answer) {
		a.body = regexp.MustCompile(`"lastUpdated":"[^"]*"`).ReplaceAll(a.body, []byte(`"lastUpdated":"0001-01-01T00:00:00Z"`))
	})},
	{name: "path lost in responses", check: "addresses", mend: "X-Forwarded-Prefix /tools/gallery;", prefix: "/tools/gallery", breaks: pass(func(r *http.Request) { r.Header.Del("X-Prefix") })},
	{name: "wrong host in responses", check: "addresses", mend: "proxy_set_header Host $http_host", breaks: forwarded("X-Forwarded-Host", "gallery.invalid")},
	{name: "name of the machine in responses", check: "addresses", mend: "proxy_set_header Host $http_host", breaks: forwarded("X-Forwarded-Host", "localhost:1")},
	{name: "port lost in responses", check: "addresses", mend: "X-Forwarded-Port", breaks: forwarded("X-Forwarded-Host", "127.0.0.1:1")},
	{name: "http in responses at https", check: "addresses", mend: "X-Forwarded-Proto $scheme", https: notTrusted, breaks: forwarded("X-Forwarded-Proto", "http")},
	{name: "not signed and not private", check: "signatures", mend: "PrivateMarketplace", breaks: edit(lists, func(a *answer) { a.replace("PrivateMarketplace", "Other") })},
	{name: "latest is a web page", check: "latest", mend: "pass /api/vscode/ to the gallery", breaks: refuse(newest, 200, "text/html", webPage)},
	{name: "versions of latest not an array", check: "latest", mend: "versions must be an array", breaks: edit(newest, func(a *answer) {
		a.body = bytes.ReplaceAll(a.body, []byte(`"versions":[`), []byte(`"versions":{},"was":[`))
	})},
	{name: "latest fails", check: "latest", mend: "try_files $uri @galshim", breaks: refuse(newest, 500, "application/json", "{}")},
	{name: "latest not supported", check: "latest", mend: "GET /api/vscode/{publisher}/{name}/latest", warns: true, breaks: refuse(newest, 404, "application/json", "{}")},
	{name: "latest at another path", check: "latest", mend: `"extensionUrlTemplate"`, warns: true, breaks: refuse(func(r *http.Request, _ string) bool {
		return strings.HasPrefix(r.URL.Path, "/api/vscode/") && r.Method == "GET"
	}, 404, "application/json", "{}")},
	{name: "latest not in small letters", check: "latest", mend: "galshim finds ids in any case", change: func(c *doctor.Config) { c.Extension = "Acme.Mixed" },
		breaks: refuse(func(r *http.Request, _ string) bool { return strings.Contains(r.URL.Path, "/acme/mixed/latest") }, 404, "application/json", "{}")},
	{name: "latest not in capital letters", check: "latest-case", mend: "galshim finds ids in any case", warns: true, breaks: refuse(func(r *http.Request, _ string) bool {
		return strings.Contains(r.URL.Path, "/ACME/")
	}, 404, "application/json", "{}")},
	{name: "web page for what does not exist", check: "latest-unknown", mend: "no page for all addresses", breaks: refuse(ending("no-such-extension/latest"), 200, "text/html", webPage)},
	{name: "web page with 404", check: "latest-unknown", mend: "no error_page 404", warns: true, breaks: refuse(ending("no-such-extension/latest"), 404, "text/html", webPage)},

	// Queries
	{name: "names in their case only", check: "query-name", mend: "without regard to case", breaks: rewriteBody(`"ACME\.[A-Z-]+"`, `"acme.no-such-extension"`)},
	{name: "ids ignored", check: "query-id", mend: "criterion 4", breaks: rewriteBody(`"filterType":4,"value":"[^"]*"`, `"filterType":7,"value":"acme.no-such-extension"`)},
	{name: "search finds nothing", check: "query-text", mend: "criterion 10", breaks: rewriteBody(`"filterType":10,"value":"[^"]*"`, `"filterType":7,"value":"acme.no-such-extension"`)},
	{name: "flags ignored", check: "query-flags", mend: "flags 439", breaks: edit(func(_ *http.Request, body string) bool { return strings.Contains(body, `"flags":439`) }, func(a *answer) {
		a.body = regexp.MustCompile(`"version":"[^"]*"`).ReplaceAll(a.body, []byte(`"version":"0.0.1"`))
	})},
	{name: "order ignored", check: "query-sort", mend: "sortBy 2", warns: true, breaks: rewriteBody(`"sortOrder":[12]`, `"sortOrder":0`)},
	{name: "pages repeat", check: "query-pages", mend: "do not cache POST", breaks: rewriteBody(`"pageNumber":2`, `"pageNumber":1`)},

	// Files
	{name: "no assets", check: "assets", mend: "/assets/ { try_files", breaks: refuse(assets, 404, "application/json", "{}")},
	{name: "redirect to a relative address", check: "assets", mend: "absolute addresses in Location", breaks: refuse(func(r *http.Request, body string) bool {
		return assets(r, body) && r.URL.Query().Get("again") == ""
	}, 302, "text/html", "", "Location", "?again=1")},
	{name: "manifest of another version", check: "assets", mend: "the package.json of the version", breaks: edit(manifests, func(a *answer) { a.body = []byte(`{"publisher":"acme","name":"hello","version":"0.0.1"}`) })},
	{name: "icons as text", check: "media-types", mend: "image/png Default", breaks: setHeader(ending("Icons.Default"), "Content-Type", "text/plain")},
	{name: "icons as text without nosniff", check: "media-types", mend: "image/png Default", warns: true, breaks: edit(ending("Icons.Default"), func(a *answer) {
		a.header.Set("Content-Type", "text/plain")
		a.header.Del("X-Content-Type-Options")
	})},
	{name: "HEAD not allowed", check: "head", mend: "allow HEAD", warns: true, breaks: refuse(func(r *http.Request, _ string) bool { return r.Method == http.MethodHead }, 405, "text/html", "")},
	{name: "package cut off", check: "package", mend: "raise its limit", breaks: cutOff(archives)},
	{name: "half of a package", check: "package", mend: "raise its limit", breaks: edit(archives, func(a *answer) { a.body = a.body[:len(a.body)/2] })},
	{name: "package of another extension", check: "package", mend: "the package of the version", breaks: pass(func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".VSIXPackage") {
			r.URL.Path = strings.Replace(r.URL.Path, "/acme/hello/1.1.0/", "/acme/midnight/1.0.0/", 1)
		}
	})},
	{name: "package as text", check: "package-type", mend: "application/vsix", breaks: setHeader(archives, "Content-Type", "text/plain; charset=utf-8")},
	{name: "byte of a package changed", check: "package-content", mend: "virus scanner", breaks: edit(archives, func(a *answer) { a.body[bytes.LastIndex(a.body, []byte("PK\x03\x04"))+60] ^= 1 })},
	{name: "package rewritten", check: "package-content", mend: "virus scanner", breaks: edit(archives, func(a *answer) {
		a.header.Del("Etag")
		a.body = append(a.body[:len(a.body)-2:len(a.body)-2], 1, 0, 'x') // a comment of the archive
	})},
	{name: "platform ignored", check: "package-platform", mend: "key of the cache", breaks: pass(func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".VSIXPackage") {
			r.URL.Path, r.URL.RawQuery = strings.Replace(r.URL.Path, "@linux-x64", "", 1), ""
		}
	})},
	{name: "range ignored with 206", check: "range", mend: "pass Range and Content-Range on", breaks: edit(func(r *http.Request, _ string) bool { return r.Header.Get("Range") != "" }, func(a *answer) {
		a.body[0] = 'x'
	})},
	{name: "no files of web extensions", check: "web-files", mend: "/files/ { try_files", breaks: refuse(files, 404, "application/json", "{}")},
	{name: "scripts as text", check: "web-files", mend: "types { text/javascript js; }", breaks: setHeader(ending("extension.js"), "Content-Type", "text/plain")},
	{name: "plus decoded as a blank", check: "plus-in-path", mend: "do not decode +", breaks: pass(func(r *http.Request) { r.URL.Path = strings.ReplaceAll(r.URL.Path, "+", " ") })},
	{name: "escaped at sign lost", check: "at-in-path", mend: "%2540", warns: true, breaks: pass(func(r *http.Request) {
		if strings.Contains(r.RequestURI, "%40") {
			r.URL.Path, r.URL.RawPath = strings.ReplaceAll(r.URL.Path, "@", "%40"), ""
		}
	})},
	{name: "at sign lost", check: "at-in-path", mend: "%2540", breaks: refuse(func(r *http.Request, body string) bool {
		return manifests(r, body) && strings.Contains(r.URL.Path, "@")
	}, 404, "application/json", "{}")},
	{name: "no downloads for scripts", check: "vspackage", mend: "/api/publishers/", warns: true, breaks: refuse(ending("/vspackage"), 404, "application/json", "{}")},
	{name: "token in a header for icons, too", check: "token", mend: "https://HOST/t/TOKEN/", warns: true, change: func(c *doctor.Config) { c.Header = http.Header{"Authorization": {"Bearer s3cret-token"}} },
		breaks: onlyWithToken},
	{name: "control manifest without malicious", check: "control", mend: `"malicious": []`, breaks: edit(ending("/control.json"), func(a *answer) { a.replace("malicious", "evil") })},
	{name: "no control manifest", check: "control", mend: "--control FILE", breaks: refuse(ending("/control.json"), 404, "application/json", "{}")},
	{name: "manifest of another gallery", check: "manifest", mend: "--base-url", breaks: edit(ending("/manifest.json"), func(a *answer) { a.replace("http://", "http://other.") })},
	{name: "no pages", check: "item", mend: `"itemUrl"`, warns: true, breaks: refuse(below("/item"), 404, "application/json", "{}")},

	// CORS
	{name: "CORS missing on queries", check: "cors-query", mend: "Access-Control-Allow-Origin", breaks: withoutCORS(queries)},
	{name: "CORS missing on latest", check: "cors-latest", mend: "Access-Control-Allow-Origin", breaks: withoutCORS(func(r *http.Request, body string) bool {
		return newest(r, body) && !strings.Contains(r.URL.Path, "no-such")
	})},
	{name: "CORS missing on assets", check: "cors-assets", mend: "Access-Control-Allow-Origin", breaks: withoutCORS(assets)},
	{name: "CORS missing on files", check: "cors-files", mend: "Access-Control-Allow-Origin", breaks: withoutCORS(files)},
	{name: "CORS missing on errors", check: "cors-errors", mend: "without always", breaks: edit(anything, func(a *answer) {
		if a.status >= 400 {
			a.header.Del("Access-Control-Allow-Origin")
		}
	})},
	{name: "CORS for another origin", check: "cors-query", mend: "Access-Control-Allow-Origin", breaks: setHeader(queries, "Access-Control-Allow-Origin", "https://other.example")},
	{name: "CORS twice", check: "cors-query", mend: "proxy_hide_header", breaks: edit(queries, func(a *answer) { a.header.Add("Access-Control-Allow-Origin", "*") })},
	{name: "preflight needs credentials", check: "cors-query", mend: "before auth_request", breaks: refuse(preflights, 401, "text/html", webPage)},
	{name: "preflight not allowed", check: "cors-query", mend: "$request_method = OPTIONS", breaks: refuse(preflights, 405, "text/html", webPage)},
	{name: "preflight redirected", check: "cors-query", mend: "do not redirect OPTIONS", breaks: refuse(preflights, 301, "text/html", "", "Location", "https://other.example/")},
	{name: "headers of editors not allowed", check: "cors-query", mend: "X-Market-Client-Id", breaks: setHeader(preflights, "Access-Control-Allow-Headers", "Content-Type")},

	// Caches and limits
	{name: "files not kept", check: "cache-files", mend: "immutable", warns: true, breaks: edit(assets, func(a *answer) { a.header.Del("Cache-Control") })},
	{name: "files behind a token in shared caches", check: "cache-files", mend: "--tokens FILE", change: func(c *doctor.Config) { c.Header = http.Header{"Authorization": {"Bearer s3cret-token"}} }},
	{name: "latest kept for a year", check: "cache-latest", mend: "at most five minutes", breaks: setHeader(newest, "Cache-Control", "public, max-age=31536000, immutable")},
	{name: "queries in shared caches", check: "cache-queries", mend: "no-store", warns: true, breaks: setHeader(queries, "Cache-Control", "public, max-age=600")},
	{name: "burst refused without Retry-After", check: "retry-after", mend: "sets Retry-After", change: func(c *doctor.Config) { c.Burst = 5 }, breaks: refuseAfter(2, 429)},
	{name: "burst refused with 429", check: "retry-after", mend: "limit_req_status 503", warns: true, change: func(c *doctor.Config) { c.Burst = 5 }, breaks: refuseAfter(2, 429, "Retry-After", "1")},

	// Generation
	{name: "damaged index", check: "health", mend: "galbuild verify SITE", breaks: edit(ending("/healthz"), func(a *answer) { a.status = 503; a.replace(`"ok"`, `"damaged"`) })},
	{name: "frozen", check: "health", mend: "--renew", breaks: edit(ending("/healthz"), func(a *answer) { a.status = 503; a.replace(`"ok"`, `"frozen"`) })},
	{name: "not ready", check: "health", mend: "look into its log", breaks: refuse(ending("/readyz"), 503, "application/json", "{}", "Retry-After", "1")},
	{name: "newer generation refused", check: "stale", mend: "its log says why", breaks: edit(ending("/healthz"), func(a *answer) { a.replace(`"stale":false`, `"stale":true`) })},
	{name: "stale CURRENT", check: "stale", mend: "no cache for index/CURRENT", breaks: edit(ending("/healthz"), func(a *answer) {
		a.body = regexp.MustCompile(`"generation":"[^"]*"`).ReplaceAll(a.body, []byte(`"generation":"0123456789abcdef"`))
	})},
	{name: "old head", check: "age", mend: "in a timer", change: func(c *doctor.Config) { c.MaxAge = time.Hour }},
	{name: "damaged head", check: "age", mend: "galbuild verify SITE", breaks: edit(ending(".head"), func(a *answer) { a.body = a.body[1:] })},
}

// at looks at another address.
func at(address string) func(*doctor.Config) {
	return func(c *doctor.Config) { c.Gallery, _ = doctor.ParseURL(address) }
}

// onlyWithToken requires a token in a header, and keeps files from shared caches.
func onlyWithToken(next http.Handler) http.Handler {
	guarded := setHeader(anything, "Cache-Control", "private")(next)
	return refuse(func(r *http.Request, _ string) bool {
		return r.Method != http.MethodOptions && r.Header.Get("Authorization") == ""
	}, 401, "application/json", "{}")(guarded)
}

// refuseAfter refuses queries for an extension that does not exist after the first n of them.
func refuseAfter(n int64, status int, header ...string) breaking {
	var seen atomic.Int64
	return refuse(func(_ *http.Request, body string) bool { return doesNotName(body) && seen.Add(1) > n }, status, "application/json", "{}", header...)
}

// TestDoctor looks at a gallery without a fault, and at many that have one.
func TestDoctor(t *testing.T) {
	g := newSoundGallery(t)
	t.Run("sound", g.testSound)
	t.Run("broken", g.testBroken)
}

// testBroken breaks the gallery in many ways, each of which doctor tells by its cause alone.
func (g *soundGallery) testBroken(t *testing.T) {
	for _, b := range brokenGalleries {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			report := g.examine(t, &b)
			var found []string
			for _, f := range report.Checks {
				if f.Status == doctor.Warning || f.Status == doctor.Failed {
					found = append(found, fmt.Sprintf("%s %s: %s\n%s", f.Status, f.Check, f.Text, strings.Join(f.Mend, "\n")))
				}
			}
			want := string(doctor.Failed) + " " + b.check + ":"
			if b.warns {
				want = string(doctor.Warning) + " " + b.check + ":"
			}
			if len(found) != 1 || !strings.HasPrefix(found[0], want) || !strings.Contains(found[0], b.mend) {
				t.Errorf("want only %s with %q in a line, found %d:\n%s", want, b.mend, len(found), strings.Join(found, "\n"))
			}
			if strings.Contains(strings.Join(found, ""), "s3cret") {
				t.Errorf("a finding has the token: %s", found)
			}
		})
	}
}

// testSound looks at galshim alone, at the root and at a sub-path, over http and https, with each
// form of a service URL.
func (g *soundGallery) testSound(t *testing.T) {
	for _, b := range []brokenGallery{
		{name: "root"},
		{name: "sub-path", prefix: "/tools/gallery"},
		{name: "https", https: notTrusted, prefix: "/tools/gallery"},
		{name: "signed", change: func(c *doctor.Config) { c.Trust = g.trust }},
		{name: "Microsoft's path", change: func(c *doctor.Config) { at(strings.Replace(c.Gallery.Service, "/api", "/_apis/public/gallery", 1))(c) }},
		{name: "Open VSX's path", change: func(c *doctor.Config) { at(strings.Replace(c.Gallery.Service, "/api", "/vscode/gallery", 1))(c) }},
		{name: "an extension", change: func(c *doctor.Config) { c.Extension = "Acme.Mixed" }},
		{name: "a burst", change: func(c *doctor.Config) { c.Burst = 20 }},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			report := g.examine(t, &b)
			for _, f := range report.Checks {
				if f.Status == doctor.Warning || f.Status == doctor.Failed || f.Because != "" {
					t.Errorf("%s %s: %s", f.Status, f.Check, f.Text)
				}
			}
			if n := report.Count(doctor.OK); n < len(report.Checks)-7 {
				t.Errorf("only %d of %d checks ran", n, len(report.Checks))
			}
		})
	}
	t.Run("signed by another key", func(t *testing.T) {
		t.Parallel()
		report := g.examine(t, &brokenGallery{change: func(c *doctor.Config) { c.Trust = g.strangers }})
		for _, f := range report.Checks {
			if (f.Status == doctor.Failed) != (f.Check == "signature") {
				t.Errorf("%s %s: %s", f.Status, f.Check, f.Text)
			}
		}
	})
}

// examine looks at the gallery through the proxy of a case.
func (g *soundGallery) examine(t *testing.T, b *brokenGallery) *doctor.Report {
	t.Helper()
	handler := http.Handler(g)
	if b.breaks != nil {
		handler = b.breaks(handler)
	}
	server := httptest.NewUnstartedServer(http.StripPrefix(b.prefix, withPrefix(b.prefix, handler)))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail
	if b.https != nil {
		server.TLS = g.authority.certificate(t, b.https)
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	gallery, err := doctor.ParseURL(server.URL + b.prefix)
	if err != nil {
		t.Fatal(err)
	}
	c := doctor.Config{Gallery: gallery, CA: g.authority.file, Timeout: time.Minute}
	if b.change != nil {
		b.change(&c)
	}
	report, err := doctor.Examine(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// withPrefix names the path of the gallery in a header.
func withPrefix(prefix string, next http.Handler) http.Handler {
	return pass(func(r *http.Request) {
		r.Header.Del("X-Prefix")
		if prefix != "" {
			r.Header.Set("X-Prefix", prefix)
		}
	})(next)
}
