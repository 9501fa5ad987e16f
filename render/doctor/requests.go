package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// sortInstalls orders by the number of installs, as in the list that editors show first.
const sortInstalls = 4

// checkHTTP sends the first query: the list that an editor shows when its view is opened.
func checkHTTP(ctx context.Context, x *examination) outcome {
	x.popular = x.post(ctx, search{size: 50, sort: sortInstalls, flags: flagsLatest}.body(), true)
	switch r := x.popular; {
	case r.cut:
		return fail(mend("nginx: proxy_buffering on; and look into error.log", "proxy: look for a limit of the size of responses"),
			"the response ends after %d bytes, before its Content-Length", len(r.body))
	case r.err != nil:
		return fail(mend("galshim: is it running? curl "+x.at.base()+"/healthz", "nginx: look into error.log"), "no response to a query: %s", r.err)
	case r.proto == "HTTP/1.0":
		return warn(mend("proxy: speak HTTP/1.1 to clients", "nginx: proxy_http_version 1.1; towards what is behind it"),
			"the response is HTTP/1.0, so each request opens a connection, and an editor sends hundreds")
	}
	return ok("%s", x.popular.proto)
}

// Differences of clocks.
const (
	maxClock  = 10 * time.Minute
	warnClock = time.Minute
)

func checkClock(_ context.Context, x *examination) outcome {
	text := x.popular.header.Get("Date")
	there, err := http.ParseTime(text)
	if err != nil {
		return skip("the response has no Date")
	}
	off := time.Since(there).Round(time.Second)
	lines := mend("server: timedatectl set-ntp true", "this machine: the same, if its clock is wrong")
	switch {
	case off.Abs() > maxClock:
		return fail(lines, "the clock of the server is %s; certificates, tokens and signed heads depend on it", apart(off))
	case off.Abs() > warnClock:
		return warn(lines, "the clock of the server is %s", apart(off))
	}
	return ok("within a minute of this machine's")
}

func apart(off time.Duration) string {
	if off < 0 {
		return fmt.Sprintf("%s ahead of this machine's", -off)
	}
	return fmt.Sprintf("%s behind this machine's", off)
}

func checkRedirects(_ context.Context, x *examination) outcome {
	next, _ := x.popular.location()
	if next == "" {
		if x.popular.status/100 == 3 {
			return fail(mend("proxy: pass POST "+x.host.Path+"/extensionquery on"), "a query gets status %d", x.popular.status)
		}
		return ok("none")
	}
	lines, why := explainRedirect(x.at.Service+"/extensionquery", next)
	return fail(lines, "a query (POST) is redirected to %s: %s; the CORS preflight of a browser fails at a redirect", withoutQuery(next), why)
}

// withoutQuery returns an address without its query, which may have secrets of a login.
func withoutQuery(address string) string {
	plain, _, _ := strings.Cut(address, "?")
	return plain
}

// explainRedirect returns why a request is most likely redirected, and the lines that mend it.
func explainRedirect(from, to string) (lines []string, why string) {
	a, errA := url.Parse(from)
	b, errB := url.Parse(to)
	if errA != nil || errB != nil {
		return mend("proxy: do not redirect requests for the gallery"), "to an address that is none"
	}
	base := strings.TrimSuffix(to, "/extensionquery")
	switch {
	case isLogin(b.Path) || a.Hostname() != b.Hostname() && b.RawQuery != "":
		return mend("proxy: let the paths of the gallery through without the login page", "galshim: --tokens FILE, and the token in the address: "+b.Scheme+"://HOST/t/TOKEN/…"),
			"this looks like a login page, which an editor cannot fill in"
	case a.Scheme == "http" && b.Scheme == "https" && a.Hostname() == b.Hostname():
		return mend("settings: \"serviceUrl\": \"" + base + "\""), "the gallery is at https"
	case b.Hostname() == a.Hostname() && b.Path == a.Path+"/":
		return mend("nginx: location = " + a.Path + " instead of one that ends with a slash"), "a proxy adds a slash"
	case a.Hostname() != b.Hostname():
		return mend("settings: \"serviceUrl\": \"" + base + "\""), "the gallery has moved to another host"
	}
	return mend("settings: \"serviceUrl\": \""+base+"\"", "proxy: do not redirect requests for the gallery"), "to another path"
}

func isLogin(path string) bool {
	for _, word := range []string{"login", "signin", "sign_in", "oauth", "sso", "saml", "auth"} {
		if strings.Contains(strings.ToLower(path), word) {
			return true
		}
	}
	return false
}

func checkAccess(_ context.Context, x *examination) outcome {
	switch x.popular.status {
	case http.StatusUnauthorized:
		return fail(mend("address: https://HOST/t/TOKEN/…, the way that works in every editor", "code-server: \"authorizationHeaderToken\": \"TOKEN\"",
			"here: GALBUILD_TOKEN=TOKEN in the environment"), "status 401: the gallery requires a token, and %s", x.sent())
	case http.StatusForbidden:
		return fail(mend("proxy, firewall: allow POST "+x.host.Path+"/extensionquery for the network of the editors", "nginx: allow NETWORK; deny all;"),
			"status 403: a proxy or the gallery refuses this client")
	case http.StatusProxyAuthRequired:
		return fail(mend("environment: HTTPS_PROXY=http://USER:PASSWORD@PROXY:PORT"), "status 407: the proxy requires a password")
	}
	if x.hasToken() {
		return ok("the token is accepted")
	}
	return ok("no token is required")
}

func (x *examination) hasToken() bool {
	return tokenOf(x.at.Service) != "" || x.Header.Get("Authorization") != ""
}

func (x *examination) sent() string {
	if x.hasToken() {
		return "refuses the one that was sent"
	}
	return "none was sent"
}

func checkLimits(_ context.Context, x *examination) outcome {
	r := x.popular
	if r.status != http.StatusTooManyRequests && r.status != http.StatusServiceUnavailable {
		return ok("the first query was accepted")
	}
	if after := r.header.Get("Retry-After"); after != "" {
		return fail(mend("galshim: look into its log; --max-queries N", "nginx: limit_req with a larger rate or burst"),
			"the first query got status %d with Retry-After %s: the gallery is overloaded, or its limit is too low", r.status, after)
	}
	return fail(mend("nginx: add_header Retry-After 1 always; and galbuild config nginx --rate-limit N, which also sets it",
		"nginx: look into error.log whether galshim can be reached"),
		"the first query got status %d without Retry-After, so clients do not know when to try again", r.status)
}

// worthCompressing is the size from which responses should be compressed.
const worthCompressing = 4 << 10

func checkCompression(ctx context.Context, x *examination) outcome {
	r := x.popular
	coding := r.header.Get("Content-Encoding")
	once := mend("nginx: proxy_set_header Accept-Encoding \"\"; or gzip off; in one of the two servers")
	if coding != "" && coding != "gzip" && coding != "identity" {
		return fail(mend("nginx: brotli off; zstd off; for the gallery", "CDN: pass Accept-Encoding on, and compress only with gzip"),
			"the response has Content-Encoding %q, although the client accepts only gzip", coding)
	}
	text, err := r.decoded()
	switch {
	case err != nil:
		return fail(once, "the response says that it is gzip, but cannot be decompressed: %s", err)
	case isGzip(text) && coding == "gzip":
		return fail(once, "the response is compressed twice")
	case isGzip(text):
		return fail(mend("proxy: do not remove Content-Encoding"), "the response is compressed, but has no Content-Encoding")
	}
	plain := x.post(ctx, search{size: 1, sort: sortInstalls, flags: flagsLatest}.body(), false)
	if plain.err == nil && (plain.header.Get("Content-Encoding") != "" || isGzip(plain.body)) {
		return fail(mend("CDN, nginx: send Vary: Accept-Encoding; gzip_vary on;"), "a response is compressed although the client did not ask for it")
	}
	if coding == "" && len(r.body) > worthCompressing {
		return warn(mend("nginx: gzip on; gzip_proxied any; gzip_types application/json;"), "a list of %d kB is not compressed", len(r.body)/1000)
	}
	return ok("%d bytes for a list of %d", len(r.body), len(text))
}

func checkQuery(ctx context.Context, x *examination) outcome {
	if bad := x.explainQuery(x.popular); bad != nil {
		return *bad
	}
	document, valid := x.popular.document()
	results := document.Get("results")
	switch {
	case !valid:
		return fail(mend("proxy: pass responses on as they are"), "the response to a query is not JSON: it begins with %q", start(x.popular))
	case !results.IsArray() || len(results.Array()) == 0:
		return fail(mend("gallery: \"results\": [{\"extensions\": [], …}], also if nothing matches"), "the response has no results, at which editors fail")
	case !document.Get("results.0.extensions").IsArray():
		return fail(mend("gallery: \"extensions\": [] if nothing matches"), "results[0].extensions is %s, not an array", kind(document.Get("results.0.extensions")))
	}
	x.list = document.Get("results.0.extensions")
	x.total = document.Get(`results.0.resultMetadata.#(metadataType=="ResultCount").metadataItems.#(name=="TotalCount").count`).Int()
	if version, isJSON := x.below(ctx, "/version"); isJSON && version.Get("name").String() == "galshim" {
		x.galshim = version.Get("version").String()
	}
	if len(x.list.Array()) == 0 {
		return warn(mend("galbuild: galbuild SOURCE… -o SITE, with packages"), "the gallery has no extensions")
	}
	return ok("%d extensions in the list that editors show first", len(x.list.Array()))
}

// start returns the beginning of a body.
func start(r *response) string {
	text, err := r.decoded()
	if err != nil {
		text = r.body
	}
	return string(text[:min(len(text), 40)])
}

// kind names the type of a JSON value.
func kind(v gjson.Result) string {
	switch {
	case !v.Exists():
		return "missing"
	case v.Type == gjson.Null:
		return "null"
	case v.IsObject():
		return "an object"
	case v.IsArray():
		return "an array"
	}
	return "a " + strings.ToLower(v.Type.String())
}

// explainQuery returns the outcome for a status that a query must not get, or nil.
func (x *examination) explainQuery(r *response) *outcome {
	var o outcome
	path := x.host.Path + "/extensionquery"
	switch {
	case r.err != nil:
		o = fail(mend("nginx: look into error.log"), "no response to a query: %s", r.err)
	case r.status == http.StatusNotFound:
		o = fail(mend("settings: \"serviceUrl\": \"https://HOST/PREFIX/api\"", "nginx: proxy_pass http://galshim; without a path and a slash at its end"),
			"status 404: there is no gallery at %s, or a proxy loses a part of the path", path)
	case r.status == http.StatusMethodNotAllowed || r.status == http.StatusNotImplemented:
		o = fail(mend("nginx: error_page 405 = @galshim; or location = "+path+" { proxy_pass …; }", "firewall, CDN: allow POST, and OPTIONS"),
			"status %d: POST is not allowed, so no query arrives", r.status)
	case r.status == http.StatusRequestEntityTooLarge:
		o = fail(mend("nginx: client_max_body_size 4m;"), "status 413: the limit for bodies is smaller than %d bytes", 300)
	case r.status == http.StatusBadGateway || r.status == http.StatusGatewayTimeout:
		o = fail(mend("galshim: start it, at the address in nginx's upstream", "nginx: proxy_pass http://127.0.0.1:8080;"), "status %d: the proxy cannot reach galshim", r.status)
	case r.isHTML():
		o = fail(mend("proxy: pass "+path+" to the gallery, and not to a page for people", "nginx: location = "+path+" { proxy_pass …; }"),
			"a query gets a web page with status %d instead of JSON; editors show an error", r.status)
	case r.status != http.StatusOK:
		o = fail(mend("gallery: look into its log"), "a query gets status %d, which editors take for an empty list or an error", r.status)
	default:
		return nil
	}
	return &o
}

// largeQuery is the number of extensions of an update check.
const largeQuery = 300

func checkLargeQuery(ctx context.Context, x *examination) outcome {
	criteria := make([]criterion, 0, largeQuery)
	for i := range largeQuery {
		criteria = append(criteria, criterion{byName, fmt.Sprintf("galbuild-doctor.no-such-extension-%03d", i)})
	}
	r := x.post(ctx, search{criteria: criteria, size: largeQuery, flags: flagsLatest}.body(), true)
	switch {
	case r.status == http.StatusRequestEntityTooLarge:
		return fail(mend("nginx: client_max_body_size 4m;"), "status 413 for an update check of %d extensions: a proxy limits the size of bodies", largeQuery)
	case r.status == http.StatusBadRequest:
		return fail(mend("code-marketplace: --max-page-size 10000", "gallery: accept as many ids in a query as clients have extensions"),
			"status 400 for an update check of %d extensions, after which editors find no updates at all", largeQuery)
	}
	if bad := x.explainQuery(r); bad != nil {
		return *bad
	}
	return ok("an update check of %d extensions is accepted", largeQuery)
}

func checkBadQuery(ctx context.Context, x *examination) outcome {
	r := x.post(ctx, []byte("not a query"), true)
	switch {
	case r.err != nil:
		return warn(mend("gallery: respond with status 400"), "no response to a body that is not JSON: %s", r.err)
	case r.status >= 500:
		return warn(mend("gallery: respond with status 400"), "status %d for a body that is not JSON", r.status)
	case r.isHTML():
		return warn(mend("nginx: proxy_intercept_errors off;"), "an error is a web page (status %d), so editors show nothing of its text", r.status)
	}
	return ok("status %d", r.status)
}

// below requests a document below the base URL.
func (x *examination) below(ctx context.Context, path string) (gjson.Result, bool) {
	r := x.getJSON(ctx, x.at.base()+path)
	document, valid := r.document()
	return document, valid && r.status == http.StatusOK
}
