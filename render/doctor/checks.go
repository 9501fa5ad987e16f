package doctor

import (
	"context"
	"fmt"
)

// A check looks at one thing.
type check struct {
	id, group string
	looks     string   // what it looks at, for README.md
	worst     Status   // the worst result
	needs     []string // checks that must not have failed
	galshim   bool     // only of galshim
	run       func(context.Context, *examination) outcome
}

// Groups of checks, in their order.
const (
	groupSettings   = "Settings"
	groupConnection = "Connection"
	groupRequests   = "Requests"
	groupResponses  = "Responses"
	groupQueries    = "Queries"
	groupFiles      = "Files"
	groupCORS       = "CORS"
	groupCaches     = "Caches and limits"
	groupGeneration = "Generation"
)

// checks are all checks, in the order in which they run.
var checks = []check{
	{"settings", groupSettings, "the settings of the editor: keys, placeholders, one host", Failed, nil, false, checkSettings},

	{"dns", groupConnection, "the name of the host has an address", Failed, nil, false, checkDNS},
	{"connect", groupConnection, "each address accepts connections", Failed, []string{"dns"}, false, checkConnect},
	{"https", groupConnection, "the address is https, which pages of editors require, and the host speaks TLS", Failed, []string{"connect"}, false, checkHTTPS},
	{"certificate-chain", groupConnection, "the certificate, with those that the server sends, leads to an authority that is trusted", Failed, []string{"https"}, false, checkChain},
	{"certificate-name", groupConnection, "the certificate is for the host", Failed, []string{"https"}, false, checkName},
	{"certificate-dates", groupConnection, "no certificate has expired or will in two weeks", Failed, []string{"https"}, false, checkDates},

	{"http", groupRequests, "a query gets a response, over HTTP/1.1 or later", Failed, []string{"certificate-chain", "certificate-name", "certificate-dates"}, false, checkHTTP},
	{"clock", groupRequests, "the clock of the server agrees with that of this machine", Failed, []string{"http"}, false, checkClock},
	{"redirects", groupRequests, "a query is not redirected: to https, a login page or another path", Failed, []string{"http"}, false, checkRedirects},
	{"access", groupRequests, "the gallery accepts the client: no 401, 403 or 407", Failed, []string{"redirects"}, false, checkAccess},
	{"limits", groupRequests, "the first query is not refused because of the load", Failed, []string{"access"}, false, checkLimits},
	{"compression", groupRequests, "responses are compressed with gzip, once, and only if the client asks for it", Failed, []string{"limits"}, false, checkCompression},
	{"query", groupRequests, "a POST to extensionquery returns results in JSON", Failed, []string{"compression"}, false, checkQuery},
	{"query-unknown", groupRequests, "a query for an extension that does not exist is an empty list with status 200", Failed, []string{"query"}, false, checkQueryUnknown},
	{"large-query", groupRequests, "an update check of 300 extensions, 24 kB, is accepted", Failed, []string{"query-unknown"}, false, checkLargeQuery},
	{"bad-query", groupRequests, "a body that is not a query gets an error 4xx in JSON", Warning, []string{"query"}, false, checkBadQuery},

	{"extensions", groupResponses, "each extension has what editors read, in its type: arrays, texts, the newest version first", Failed, []string{"query"}, false, checkExtensions},
	{"total-count", groupResponses, "a list states how many extensions match", Failed, []string{"query"}, false, checkTotalCount},
	{"dates", groupResponses, "dates of extensions are real, and not in the future", Warning, []string{"extensions"}, false, checkExtensionDates},
	{"addresses", groupResponses, "addresses in responses have the scheme, host, port and path at which the gallery is reached", Failed, []string{"extensions"}, false, checkAddresses},
	{"signatures", groupResponses, "editors can install: extensions are marked as private or have a signature", Failed, []string{"extensions"}, false, checkSignatures},

	{"latest", groupResponses, "the newest version of an extension, a request for each installed extension", Failed, []string{"extensions"}, false, checkLatest},
	{"latest-case", groupResponses, "the same with the id in capital and in small letters", Failed, []string{"latest"}, false, checkLatestCase},
	{"latest-unknown", groupResponses, "the same of an extension that does not exist: 404 in JSON", Failed, []string{"latest"}, false, checkLatestUnknown},

	{"query-name", groupQueries, "a query by name finds the extension, whatever the case", Failed, []string{"extensions"}, false, checkQueryName},
	{"query-id", groupQueries, "a query by UUID finds the extension", Failed, []string{"extensions"}, false, checkQueryID},
	{"query-text", groupQueries, "a search for its title finds the extension", Failed, []string{"extensions"}, false, checkQueryText},
	{"query-flags", groupQueries, "flags choose between all versions and the newest", Failed, []string{"query-name"}, false, checkQueryFlags},
	{"query-sort", groupQueries, "the order by title is followed, and reversed", Warning, []string{"extensions", "total-count"}, false, checkQuerySort},
	{"query-pages", groupQueries, "the second page differs from the first", Failed, []string{"extensions", "total-count"}, false, checkQueryPages},

	{"assets", groupFiles, "the manifest of an extension is served, and is that of the version", Failed, []string{"addresses"}, false, checkAssets},
	{"media-types", groupFiles, "assets have the media types that browsers require", Failed, []string{"assets"}, false, checkMediaTypes},
	{"head", groupFiles, "a HEAD request for a package has the headers and no body", Warning, []string{"assets"}, false, checkHead},
	{"package", groupFiles, "a package is complete, and its manifest has the id and the version", Failed, []string{"assets"}, false, checkPackage},
	{"package-type", groupFiles, "a package is not served as text, which proxies and browsers change", Failed, []string{"package"}, false, checkPackageType},
	{"package-content", groupFiles, "the bytes of the package are those that the gallery has: checksums in it, ETag of galshim, blobs", Failed, []string{"package"}, false, checkPackageContent},
	{"package-platform", groupFiles, "a package for a platform is that for the platform", Failed, []string{"package"}, false, checkPackagePlatform},
	{"range", groupFiles, "a range of a package has the right bytes, or the request gets the whole", Failed, []string{"package-content"}, false, checkRange},
	{"web-files", groupFiles, "files of a web extension, or of a theme, are served with their types", Failed, []string{"addresses"}, false, checkWebFiles},
	{"plus-in-path", groupFiles, "a plus sign in a path, as in 1.2.3+web, is kept", Failed, []string{"web-files"}, false, checkPlus},
	{"at-in-path", groupFiles, "an at sign in a path may be escaped, as in 1.2.3%40linux-x64", Failed, []string{"assets"}, false, checkAt},
	{"vspackage", groupFiles, "a package is also at the address that scripts use, …/vspackage", Warning, []string{"package"}, false, checkVSPackage},
	{"token", groupFiles, "icons and files of web extensions are served without a header, which editors do not send for them", Warning, []string{"web-files"}, false, checkToken},
	{"control", groupFiles, "the control manifest has the list of malicious extensions", Failed, []string{"query"}, false, checkControl},
	{"manifest", groupFiles, "the manifest for the policy of VS Code names the service", Failed, []string{"addresses"}, false, checkManifest},
	{"item", groupFiles, "the address that editors open for an extension shows a page", Warning, []string{"addresses"}, false, checkItem},

	{"cors-query", groupCORS, "pages of editors may send queries and read the responses", Failed, []string{"query"}, false, checkCORSQuery},
	{"cors-latest", groupCORS, "the same for the newest version of an extension", Failed, []string{"latest", "cors-query"}, false, checkCORSLatest},
	{"cors-assets", groupCORS, "the same for assets, such as readmes", Failed, []string{"assets", "cors-query"}, false, checkCORSAssets},
	{"cors-files", groupCORS, "the same for files of web extensions", Failed, []string{"web-files", "cors-query"}, false, checkCORSFiles},
	{"cors-errors", groupCORS, "pages of editors may read errors, too", Failed, []string{"latest-unknown", "cors-query"}, false, checkCORSErrors},

	{"cache-files", groupCaches, "files of a version may be kept for long, and with a token by the client only", Failed, []string{"assets"}, false, checkCacheFiles},
	{"cache-latest", groupCaches, "the newest version may be kept for a short time only", Failed, []string{"latest", "cache-files"}, false, checkCacheLatest},
	{"cache-queries", groupCaches, "results of queries are not kept by shared caches", Warning, []string{"query"}, false, checkCacheQueries},
	{"retry-after", groupCaches, "responses 429 and 503 say when to try again; with --burst, the gallery is asked many times at once", Failed, []string{"query"}, false, checkRetryAfter},

	{"health", groupGeneration, "galshim reports that it is sound", Failed, []string{"query"}, true, checkHealth},
	{"stale", groupGeneration, "galshim serves the generation that CURRENT names", Failed, []string{"health"}, true, checkStale},
	{"age", groupGeneration, "the head of the history is not older than --max-age", Failed, []string{"query", "stale"}, false, checkAge},
	{"signature", groupGeneration, "the head of the history is signed by a key of --trust", Failed, []string{"query"}, false, checkSignature},
}

func ok(format string, args ...any) outcome { return outcome{OK, fmt.Sprintf(format, args...), nil} }

// skip is the outcome of a check that could not run.
func skip(format string, args ...any) outcome {
	return outcome{Skipped, fmt.Sprintf(format, args...), nil}
}

func warn(mend []string, format string, args ...any) outcome {
	return outcome{Warning, fmt.Sprintf(format, args...), mend}
}

func fail(mend []string, format string, args ...any) outcome {
	return outcome{Failed, fmt.Sprintf(format, args...), mend}
}

// mend makes a list of lines.
func mend(lines ...string) []string { return lines }
