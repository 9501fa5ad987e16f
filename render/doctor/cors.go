package doctor

import (
	"context"
	"net/http"
	"strings"
)

// Headers that editors send, as in preflight requests. Those of telemetry are left out.
const (
	headersOfQuery = "content-type,x-market-client-id"
	headersOfAsset = "x-market-client-id"
	headersOfFile  = "x-client-commit,x-client-name,x-client-version"
)

// corsLines are the lines that allow pages of editors to read responses.
func corsLines(what string) []string {
	return mend("nginx: "+what, "galbuild: galbuild config nginx SITE prints all of them; galbuild config s3-cors those of a bucket")
}

const (
	allowOrigin  = `add_header Access-Control-Allow-Origin "*" always;`
	allowHeaders = `add_header Access-Control-Allow-Headers "*, Authorization, Content-Type, X-Market-Client-Id, X-Market-User-Id, VSCode-SessionId" always;`
	allowOptions = `if ($request_method = OPTIONS) { return 204; }`
)

// preflight sends the request by which a browser asks whether a page may send another one. It
// returns the outcome if the answer is no, or nil. GET and POST need not be among the methods.
func (x *examination) preflight(ctx context.Context, method, address, headers string) *outcome {
	r := x.client.send(ctx, request{method: http.MethodOptions, url: address, preflight: true, header: map[string]string{
		"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers,
	}})
	var o outcome
	where := "the preflight request (OPTIONS) of " + method + " " + address
	switch {
	case r.err != nil:
		o = fail(corsLines(allowOptions), "%s gets no response: %s", where, r.err)
	case r.status/100 == 3:
		o = fail(mend("proxy: do not redirect OPTIONS"), "%s is redirected, which browsers refuse", where)
	case r.status == http.StatusUnauthorized || r.status == http.StatusForbidden:
		o = fail(mend("nginx: "+allowOptions+" before auth_request and auth_basic; limit_except OPTIONS { … }"),
			"%s gets status %d: browsers send it without credentials", where, r.status)
	case r.status/100 != 2:
		o = fail(corsLines(allowOptions), "%s gets status %d", where, r.status)
	case !x.originAllowed(r):
		o = fail(corsLines(allowOrigin), "%s: Access-Control-Allow-Origin is %q, and the editor's page has the origin %s", where, r.header.Get("Access-Control-Allow-Origin"), x.client.origin)
	case !allows(r.header.Get("Access-Control-Allow-Headers"), headers):
		o = fail(corsLines(allowHeaders), "%s: Access-Control-Allow-Headers is %q, and editors send %s", where, r.header.Get("Access-Control-Allow-Headers"), headers)
	default:
		return nil
	}
	return &o
}

// originAllowed reports whether the page of the editor may read a response.
func (x *examination) originAllowed(r *response) bool {
	values := r.header.Values("Access-Control-Allow-Origin")
	return len(values) == 1 && (values[0] == "*" || values[0] == x.client.origin)
}

// allows reports whether a list has all names, or is a wildcard.
func allows(list, names string) bool {
	allowed := make(map[string]bool)
	for name := range strings.SplitSeq(strings.ToLower(list), ",") {
		allowed[strings.TrimSpace(name)] = true
	}
	for name := range strings.SplitSeq(strings.ToLower(names), ",") {
		if !allowed["*"] && !allowed[name] {
			return false
		}
	}
	return true
}

// readable returns the outcome for a kind of request: its preflight, and the response itself.
func (x *examination) readable(ctx context.Context, method, headers string, r *response) outcome {
	if bad := x.preflight(ctx, method, r.url, headers); bad != nil {
		return *bad
	}
	if values := r.header.Values("Access-Control-Allow-Origin"); len(values) > 1 {
		return fail(mend("nginx: proxy_hide_header Access-Control-Allow-Origin;"), "%s %s has Access-Control-Allow-Origin twice, which browsers refuse", method, r.url)
	}
	if !x.originAllowed(r) {
		return fail(corsLines(allowOrigin), "the response (status %d) to %s %s has Access-Control-Allow-Origin %q: a page of the origin %s cannot read it",
			r.status, method, r.url, r.header.Get("Access-Control-Allow-Origin"), x.client.origin)
	}
	return ok("pages may send %s and read the response", method)
}

func checkCORSQuery(ctx context.Context, x *examination) outcome {
	return x.readable(ctx, http.MethodPost, headersOfQuery, x.popular)
}

func checkCORSLatest(ctx context.Context, x *examination) outcome {
	if x.latest == nil {
		return skip("there is no latest")
	}
	return x.readable(ctx, http.MethodGet, headersOfQuery, x.latest)
}

func checkCORSAssets(ctx context.Context, x *examination) outcome {
	if x.asset == nil {
		return skip("the gallery has no extensions")
	}
	return x.readable(ctx, http.MethodGet, headersOfAsset, x.asset)
}

func checkCORSFiles(ctx context.Context, x *examination) outcome {
	if x.webFile == nil {
		return skip("no files of extensions are served")
	}
	return x.readable(ctx, http.MethodGet, headersOfFile, x.webFile)
}

func checkCORSErrors(_ context.Context, x *examination) outcome {
	if x.unknown == nil {
		return skip("there is no error to look at")
	}
	if x.originAllowed(x.unknown) {
		return ok("pages may read errors")
	}
	return fail(mend("nginx: add_header Access-Control-Allow-Origin \"*\" always; without always, errors do not have it"),
		"a response with status %d has Access-Control-Allow-Origin %q: editors see a network error instead of \"not found\"",
		x.unknown.status, x.unknown.header.Get("Access-Control-Allow-Origin"))
}
