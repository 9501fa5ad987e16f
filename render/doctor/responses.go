package doctor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// needsSample is the outcome of checks of an extension in a gallery without one.
func (x *examination) needsSample() (o outcome, missing bool) {
	return skip("the gallery has no extensions"), !x.sample.Exists()
}

func checkExtensions(ctx context.Context, x *examination) outcome {
	seen := make(map[string]bool)
	for i, e := range extensionsOf(x.list) {
		if problem := problemOf(e); problem != "" {
			return fail(mend("gallery: "+problem), "%s: %s; editors then show nothing of the list", named(e, i), problem)
		}
		id := strings.ToLower(e.id())
		if seen[id] {
			return fail(mend("gallery: return each extension once"), "%s is twice in the list", e.id())
		}
		seen[id] = true
	}
	all := extensionsOf(x.list)
	if len(all) == 0 {
		return skip("the gallery has no extensions")
	}
	x.sample = all[0]
	if x.Extension == "" {
		return ok("%d extensions", len(all))
	}
	found, resp := x.query(ctx, search{criteria: []criterion{{byName, x.Extension}}, size: 1})
	if len(found) == 0 || !found[0].is(x.Extension) {
		return fail(mend("here: --extension ID, of an extension in the gallery"), "the gallery has no extension %s (status %d)", x.Extension, resp.status)
	}
	if problem := problemOf(found[0]); problem != "" {
		return fail(mend("gallery: "+problem), "%s: %s", x.Extension, problem)
	}
	x.sample = found[0]
	return ok("%d extensions, and %s", len(all), x.sample.id())
}

func named(e extension, i int) string {
	if e.publisher() == "" || e.name() == "" {
		return fmt.Sprintf("extension %d of the list", i+1)
	}
	return e.id()
}

// problemOf returns what of an extension an editor cannot read, or "".
func problemOf(e extension) string {
	if !e.IsObject() {
		return "an extension must be an object, and is " + kind(e.Result)
	}
	for _, key := range []string{"publisher.publisherName", "extensionName", "flags"} {
		if v := e.Get(key); v.Type.String() != "String" {
			return key + " must be a text, and is " + kind(v)
		}
	}
	if v := e.Get("versions"); !v.IsArray() {
		return "versions must be an array, and is " + kind(v)
	}
	versions := e.versions()
	if len(versions) == 0 {
		return "versions must not be empty"
	}
	for i, v := range versions {
		if problem := problemOfVersion(v); problem != "" {
			return problem
		}
		if i > 0 && older(versions[i-1].number(), v.number()) {
			return fmt.Sprintf("versions must have the newest first, and %s is before %s", versions[i-1].number(), v.number())
		}
	}
	return ""
}

func problemOfVersion(v version) string {
	if n := v.Get("version"); n.Type.String() != "String" {
		return "version must be a text, and is " + kind(n)
	}
	for _, key := range []string{"files", "properties"} {
		if list := v.Get(key); !list.IsArray() && (key == "files" || list.Exists()) {
			return key + " of a version must be an array, and is " + kind(list)
		}
	}
	for _, key := range []string{"assetUri", "fallbackAssetUri"} {
		if v.Get(key).String() == "" {
			return key + " of a version must be an address, and is missing"
		}
	}
	return ""
}

// older reports whether version a is older than b, if both are semantic versions.
func older(a, b string) bool {
	a, b = "v"+a, "v"+b
	return semver.IsValid(a) && semver.IsValid(b) && semver.Compare(a, b) < 0
}

func checkTotalCount(_ context.Context, x *examination) outcome {
	n := int64(len(x.list.Array()))
	switch {
	case x.total < n:
		return fail(mend(`gallery: "resultMetadata": [{"metadataType": "ResultCount", "metadataItems": [{"name": "TotalCount", "count": N}]}]`),
			"TotalCount is %d for a list of %d: editors load no further page, and show no themes", x.total, n)
	case n == 0:
		return skip("the gallery has no extensions")
	}
	return ok("%d extensions", x.total)
}

func checkExtensionDates(_ context.Context, x *examination) outcome {
	for _, e := range extensionsOf(x.list) {
		text := e.Get("lastUpdated").String()
		when, err := time.Parse(time.RFC3339, text)
		switch {
		case text == "" || err != nil || when.Year() < 1980:
			return warn(mend("gallery: \"lastUpdated\": \"2026-11-29T00:00:00Z\", when the version was published"),
				"%s: lastUpdated is %q, so editors show a wrong date and do not delay updates", e.id(), text)
		case time.Until(when) > 24*time.Hour:
			return warn(mend("clock: set that of the machine that builds"), "%s was updated on %s, which is in the future", e.id(), text)
		}
	}
	return ok("sound")
}

func checkAddresses(ctx context.Context, x *examination) outcome {
	if o, missing := x.needsSample(); missing {
		return o
	}
	v := x.sample.versions()[0]
	for _, key := range []string{"assetUri", "fallbackAssetUri"} {
		address := v.Get(key).String()
		u, err := url.Parse(address)
		if err != nil || !u.IsAbs() || u.Host == "" {
			return fail(mend("gallery: absolute addresses; galshim: --base-url URL"), "%s is %q, which is not an absolute address", key, address)
		}
		if u.Scheme == "http" && x.host.Scheme == "https" {
			return fail(mend("nginx: proxy_set_header X-Forwarded-Proto $scheme;", "galshim: --base-url "+x.at.base()+", or --trusted-proxy with the address of the proxy"),
				"%s is %s: http in a gallery at https, which editors block as mixed content", key, address)
		}
		if isInside(u.Hostname()) && !isInside(x.host.Hostname()) {
			return fail(hostLines(x), "%s is at %s, which only the machine of the gallery can reach", key, u.Host)
		}
	}
	return x.checkReached(ctx, v)
}

// isInside reports whether a host is one that other machines cannot reach by that name.
func isInside(host string) bool {
	return isLocal(host) || net.ParseIP(host) == nil && !strings.Contains(host, ".")
}

// hostLines are the lines for a wrong host in responses.
func hostLines(x *examination) []string {
	return mend("nginx: proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Host $http_host;",
		"galshim: --base-url "+x.at.base()+", or --trusted-proxy with the address of the proxy",
		"code-marketplace, Open VSX: the proxy must send X-Forwarded-Host and X-Forwarded-Proto")
}

// checkReached requests an asset. If there is none, the address is compared with that of the
// gallery, which shows the cause.
func (x *examination) checkReached(ctx context.Context, v version) outcome {
	x.asset = x.get(ctx, v.asset(assetManifest))
	u, err := url.Parse(v.assetURI())
	if err != nil {
		return skip("%s", err)
	}
	works := x.asset.err == nil && x.asset.status == http.StatusOK && !x.asset.isHTML()
	prefix := splitPath(x.at.base())
	switch {
	case works && u.Host == x.host.Host:
		return ok("they begin with %s", x.at.base())
	case works:
		return ok("assets are at %s", u.Host)
	case u.Hostname() != x.host.Hostname():
		return fail(hostLines(x), "assets are at %s, which %s; the gallery is at %s", u.Host, x.asset.problem(), x.host.Host)
	case u.Port() != x.host.Port():
		return fail(append(mend("nginx: proxy_set_header X-Forwarded-Port \"\"; and Host $http_host;"), hostLines(x)...),
			"assets are at %s, which %s; the gallery is at %s: the port differs", u.Host, x.asset.problem(), x.host.Host)
	case !strings.HasPrefix(u.Path, prefix+"/"):
		return fail(mend("nginx: proxy_set_header X-Forwarded-Prefix "+prefix+";", "galshim: --base-url "+x.at.base()),
			"the path %s is lost: assets are at %s, which %s", prefix, u.Path, x.asset.problem())
	}
	return ok("they begin with %s", x.at.base())
}

func splitPath(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

// problem says what is wrong with a response to a GET, after "which".
func (r *response) problem() string {
	switch {
	case r.err != nil:
		return "cannot be reached (" + r.err.Error() + ")"
	case r.status != http.StatusOK:
		return fmt.Sprintf("returns status %d", r.status)
	case r.isHTML():
		return "returns a web page"
	}
	return "returns something else"
}

func checkSignatures(_ context.Context, x *examination) outcome {
	if o, missing := x.needsSample(); missing {
		return o
	}
	var bad []string
	signed := 0
	all := extensionsOf(x.list)
	for _, e := range all {
		v := e.versions()[0]
		switch {
		case v.property("PrivateMarketplace") == "true":
		case v.has(assetSignature):
			signed++
		default:
			bad = append(bad, e.id())
		}
	}
	if len(bad) > 0 {
		return fail(mend(`gallery: the property {"key": "PrivateMarketplace", "value": "true"} in each version, as galbuild writes it`,
			"code-marketplace: --sign, for editors that do not verify", "clients: \"extensions.verifySignature\": false"),
			"%s and %d others have neither the property PrivateMarketplace nor a signature, so editors disable Install", bad[0], len(bad)-1)
	}
	if signed > 0 {
		return ok("%d of %d have a signature, the others are marked as private", signed, len(all))
	}
	return ok("extensions are marked as private")
}
