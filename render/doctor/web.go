package doctor

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// A webSample is a version of an extension whose files are served one by one.
type webSample struct {
	extension
	version
}

// folder returns the address of a file of the version, with the platform as editors write it.
func (x *examination) folder(w webSample, separator, path string) string {
	number := w.number()
	if p := w.platform(); p != "" {
		number += separator + p
	}
	return x.at.resource(w.publisher(), w.name(), number, path)
}

// webExtension is the tag of extensions that run in browsers.
const webExtension = "__web_extension"

func checkWebFiles(ctx context.Context, x *examination) outcome {
	if x.at.Resource == "" {
		return skip("there is no resourceUrlTemplate")
	}
	if !x.findWeb() {
		return skip("no extension in the list runs in a browser or is a theme")
	}
	x.webFile = x.get(ctx, x.folder(x.web, "+", "extension/package.json"))
	r := x.webFile
	lines := mend("settings: \"resourceUrlTemplate\": \""+x.at.Resource+"\"", "galbuild: --unpack web, which is the default, or all",
		"nginx: location "+splitPath(x.at.base())+"/files/ { try_files $uri @galshim; }")
	document, valid := r.document()
	switch {
	case r.relative:
		return fail(lines, "a file is redirected to a relative address, which editors do not follow")
	case r.err != nil || r.status != http.StatusOK || r.isHTML():
		return fail(lines, "%s %s; web extensions cannot be installed", r.url, r.problem())
	case !valid:
		return fail(lines, "package.json of %s is not JSON: it begins with %q", x.web.id(), start(r))
	}
	return x.judgeScript(ctx, document.Get("browser").String())
}

// judgeScript returns the outcome for the script of the sample, if it has one.
func (x *examination) judgeScript(ctx context.Context, script string) outcome {
	if script == "" {
		return ok("package.json of %s", x.web.id())
	}
	script = strings.TrimPrefix(script, "./")
	if !strings.HasSuffix(script, ".js") {
		script += ".js"
	}
	r := x.get(ctx, x.folder(x.web, "+", "extension/"+(&url.URL{Path: script}).EscapedPath()))
	if r.err != nil || r.status != http.StatusOK || r.isHTML() {
		return fail(mend("galbuild: --unpack web, or all"), "%s %s", r.url, r.problem())
	}
	if kind := r.mediaType(); !strings.Contains(kind, "javascript") && !strings.Contains(kind, "ecmascript") {
		return warnOrFail(r.mayGuess(), mend("nginx: types { text/javascript js; }", "bucket: Content-Type text/javascript"),
			"the script of %s has the media type %q, with nosniff %q: browsers do not run it", x.web.id(), kind, r.header.Get("X-Content-Type-Options"))
	}
	return ok("package.json and the script of %s", x.web.id())
}

// findWeb chooses a version for all platforms of a web extension, if possible of one with a script,
// or else of a theme.
func (x *examination) findWeb() bool {
	hasScript := func(e extension, v version) bool {
		return e.tagged(webExtension) && v.property("Microsoft.VisualStudio.Code.ExecutesCode") == "true"
	}
	for _, suitable := range []func(extension, version) bool{
		hasScript,
		func(e extension, _ version) bool { return e.tagged(webExtension) },
		func(e extension, _ version) bool { return e.tagged("color-theme") },
	} {
		for _, e := range extensionsOf(x.list) {
			for _, v := range e.versions() {
				if v.platform() == "" && suitable(e, v) {
					x.web = webSample{e, v}
					return true
				}
			}
		}
	}
	return false
}

// tagged reports whether an extension has a tag.
func (e extension) tagged(tag string) bool {
	return strings.Contains(e.Get("tags").Raw, `"`+tag+`"`)
}

func checkToken(ctx context.Context, x *examination) outcome {
	if x.Header.Get("Authorization") == "" {
		return skip("no token is sent in a header")
	}
	addresses := []string{}
	if _, v, found := x.withAsset(assetIcon); found {
		addresses = append(addresses, v.asset(assetIcon))
	}
	if x.webFile != nil {
		addresses = append(addresses, x.webFile.url)
	}
	for _, address := range addresses {
		r := x.client.follow(ctx, request{method: http.MethodGet, url: address, anonymous: true})
		if r.status == http.StatusUnauthorized || r.status == http.StatusForbidden {
			return warn(mend("address: https://HOST/t/TOKEN/…, the way that works in every editor", "proxy: require no token for /assets/ and /files/"),
				"%s returns status %d without the header Authorization, which editors do not send for icons and files of web extensions", address, r.status)
		}
	}
	return ok("they need no header")
}

func checkPlus(ctx context.Context, x *examination) outcome {
	if x.webFile == nil {
		return skip("no files of extensions are served")
	}
	e, v, found := x.forPlatform(func(e extension, v version) bool { return v.platform() == "web" && e.tagged(webExtension) })
	if !found {
		return skip("no extension in the list has a package for browsers")
	}
	for _, plus := range []string{"+", "%2B"} {
		r := x.get(ctx, x.folder(webSample{e, v}, plus, "extension/package.json"))
		if r.err != nil || r.status != http.StatusOK || r.isHTML() {
			return fail(mend("nginx: proxy_pass without a path, so that the address is passed on as it came", "proxy: do not decode + in a path",
				"gallery: serve {version}+{platform} below the path of files"), "%s %s: a plus sign in the path is changed, or not supported", r.url, r.problem())
		}
	}
	return ok("%s+%s, also escaped", v.number(), v.platform())
}

func checkAt(ctx context.Context, x *examination) outcome {
	if x.asset == nil {
		return skip("the gallery has no extensions")
	}
	e, v, found := x.forPlatform(func(_ extension, v version) bool {
		return strings.Contains(pathOf(v.assetURI()), "@") && v.has(assetManifest)
	})
	if !found {
		return skip("no address of an asset has an at sign")
	}
	plain := x.get(ctx, v.asset(assetManifest))
	origin := originOf(v.assetURI())
	escaped := origin + strings.ReplaceAll(strings.TrimPrefix(v.asset(assetManifest), origin), "@", "%40")
	r := x.get(ctx, escaped)
	lines := mend("nginx: proxy_pass without a path, so that the address is passed on as it came", "proxy, CDN: do not escape @ again (%2540)")
	if plain.status != http.StatusOK {
		return fail(lines, "the manifest of %s for %s, whose address has an at sign, %s", e.id(), v.platform(), plain.problem())
	}
	if r.status != http.StatusOK || string(r.body) != string(plain.body) {
		return warn(lines, "the manifest of %s for %s %s if the at sign is escaped, as some clients do", e.id(), v.platform(), r.problem())
	}
	return ok("%s@%s, also escaped", v.number(), v.platform())
}

// pathOf returns the path of an address.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Path
}

func checkControl(ctx context.Context, x *examination) outcome {
	if x.at.Control == "" {
		return skip("there is no controlUrl")
	}
	r := x.getJSON(ctx, x.at.Control)
	required := x.galshim != "" || x.Settings
	if r.status == http.StatusNotFound && !required {
		return skip("there is none at %s", x.at.Control)
	}
	lines := mend(`gallery: {"malicious": [], "deprecated": {}, "search": []}`, "galbuild: --control FILE", "settings: \"controlUrl\": \""+x.at.base()+"/control.json\"")
	document, valid := r.document()
	switch {
	case r.err != nil || r.status != http.StatusOK || r.isHTML() || !valid:
		return fail(lines, "%s %s, so malicious extensions are not blocked", x.at.Control, r.problem())
	case !document.Get("malicious").IsArray():
		return fail(lines, "the list malicious is %s, at which editors drop the whole manifest", kind(document.Get("malicious")))
	}
	return ok("%d malicious extensions", len(document.Get("malicious").Array()))
}

func checkManifest(ctx context.Context, x *examination) outcome {
	if x.at.Manifest == "" {
		return skip("there is no manifest")
	}
	r := x.getJSON(ctx, x.at.Manifest)
	if (r.status == http.StatusNotFound || r.isHTML()) && x.galshim == "" {
		return skip("not galshim")
	}
	document, valid := r.document()
	lines := mend("nginx: location = "+pathOf(x.at.Manifest)+" { try_files $uri @galshim; }", "galshim: --base-url "+x.at.base())
	if r.err != nil || r.status != http.StatusOK || !valid {
		return fail(lines, "%s %s", x.at.Manifest, r.problem())
	}
	query := ""
	for _, resource := range document.Get("resources").Array() {
		if kind, _, _ := strings.Cut(resource.Get("type").String(), "/"); kind == "ExtensionQueryService" {
			query = resource.Get("id").String()
			break
		}
	}
	if !strings.HasPrefix(query, x.at.base()+"/") {
		return fail(lines, "the manifest has %q for queries, and the gallery is at %s", query, x.at.Service)
	}
	return ok("%s", x.at.Manifest)
}

func checkItem(ctx context.Context, x *examination) outcome {
	if o, missing := x.needsSample(); missing {
		return o
	}
	if x.at.Item == "" {
		return skip("there is no itemUrl")
	}
	r := x.client.follow(ctx, request{method: http.MethodGet, url: x.at.Item + "?itemName=" + url.QueryEscape(x.sample.id()), accept: "text/html"})
	if r.err == nil && r.status == http.StatusOK {
		return ok("%s", r.url)
	}
	return warn(mend("settings: \"itemUrl\": \""+x.at.base()+"/item\"", "galbuild: build with pages, without --no-pages"), "%s %s", r.url, r.problem())
}
