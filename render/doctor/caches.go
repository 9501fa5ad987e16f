package doctor

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"galbuild/build/headers"
)

// Seconds in Cache-Control.
const (
	longEnough = 24 * 60 * 60
	shortTime  = 60 * 60
)

var maxAgeOf = regexp.MustCompile(`(?:^|[\s,])max-age\s*=\s*(\d+)`)

// cacheControl returns the header in small letters, and its max-age, or -1.
func cacheControl(r *response) (text string, seconds int) {
	text = strings.ToLower(r.header.Get("Cache-Control"))
	m := maxAgeOf.FindStringSubmatch(text)
	if m == nil {
		return text, -1
	}
	seconds, err := strconv.Atoi(m[1])
	if err != nil {
		return text, -1
	}
	return text, seconds
}

// isPrivate reports whether shared caches must not keep a response.
func isPrivate(cache string) bool {
	return strings.Contains(cache, "private") || strings.Contains(cache, headers.NoStore)
}

func checkCacheFiles(_ context.Context, x *examination) outcome {
	if x.asset == nil {
		return skip("the gallery has no extensions")
	}
	cache, seconds := cacheControl(x.asset)
	switch {
	case x.hasToken() && !isPrivate(cache):
		return fail(mend("galshim: --tokens FILE, which sets private", "nginx: galbuild config nginx --tokens"),
			"the gallery requires a token, and Cache-Control of a file is %q: a shared cache would give it to everybody", cache)
	case !x.hasToken() && seconds < longEnough:
		return warn(mend("nginx: add_header Cache-Control $galbuild_cache always; galbuild config nginx prints the map", "bucket: Cache-Control: "+headers.Immutable+", for assets/ and files/"),
			"Cache-Control of a file of a version is %q, so editors load pictures and readmes again and again", cache)
	}
	return ok("%s", orNone(cache))
}

// orNone returns a value of Cache-Control, or that there is none.
func orNone(cache string) string { return cmp.Or(cache, "no Cache-Control") }

func checkCacheLatest(_ context.Context, x *examination) outcome {
	if x.latest == nil {
		return skip("there is no latest")
	}
	cache, seconds := cacheControl(x.latest)
	lines := mend("nginx: expires off; and no proxy_cache for "+x.host.Path+"/vscode/", "CDN: keep it for at most five minutes")
	switch {
	case x.hasToken() && !isPrivate(cache):
		return fail(mend("galshim: --tokens FILE, which sets private"), "the gallery requires a token, and Cache-Control of latest is %q: a shared cache would give it to everybody", cache)
	case strings.Contains(cache, "immutable") || seconds > shortTime:
		return fail(lines, "Cache-Control of latest is %q: editors do not see updates for that long", cache)
	}
	if age, err := strconv.Atoi(x.latest.header.Get("Age")); err == nil && age > shortTime {
		return fail(lines, "latest comes from a cache, which has kept it for %d seconds", age)
	}
	return ok("%s", orNone(cache))
}

func checkCacheQueries(_ context.Context, x *examination) outcome {
	cache, seconds := cacheControl(x.popular)
	if seconds > 0 && !isPrivate(cache) {
		return warn(mend("nginx: no proxy_cache_methods POST; and no expires for "+x.host.Path+"/extensionquery", "gallery: Cache-Control: no-store"),
			"Cache-Control of a query is %q, and caches do not distinguish queries, which differ in their bodies", cache)
	}
	return ok("%s", orNone(cache))
}

func checkRetryAfter(ctx context.Context, x *examination) outcome {
	if x.Burst > 0 {
		x.burst(ctx)
	}
	queries := 0
	for _, l := range x.client.limited {
		if l.after == "" {
			return fail(mend("nginx: galbuild config nginx --rate-limit N, which sets Retry-After", "proxy: Retry-After: 1"),
				"a response with status %d has no Retry-After, so clients send the request again at once or never", l.status)
		}
		if l.status == http.StatusTooManyRequests {
			queries++
		}
	}
	switch {
	case queries > 0:
		return warn(mend("nginx: limit_req zone=… burst=1000 nodelay; limit_req_status 503;"),
			"%d requests got status 429, which editors take for \"nothing found\": an update check of a company behind one address needs hundreds at once", queries)
	case len(x.client.limited) > 0:
		return ok("%d requests were refused, with Retry-After", len(x.client.limited))
	case x.Burst > 0:
		return ok("none of %d requests at once was refused", x.Burst)
	}
	return skip("no request was refused; --burst N sends N at once")
}

// maxBurst is the largest number of requests of a burst.
const maxBurst = 1000

// burst sends queries at once, as a company does whose editors start at the same time.
func (x *examination) burst(ctx context.Context) {
	body := search{criteria: []criterion{{byName, noPublisher + "." + noName}}, size: 1, flags: flagsLatest}.body()
	r := x.queryRequest(body, true)
	r.many = true
	var all sync.WaitGroup
	for range min(x.Burst, maxBurst) {
		all.Go(func() { x.client.send(ctx, r) })
	}
	all.Wait()
}
