package doctor

import (
	"context"
	"net/http"
	"regexp"
	"strings"
)

// An id with other characters is never asked for at latest.
var latestID = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9-]*\.[a-zA-Z0-9][a-zA-Z0-9-]*$`)

// An extension that does not exist.
const (
	noPublisher = "galbuild-doctor"
	noName      = "no-such-extension"
)

func checkLatest(ctx context.Context, x *examination) outcome {
	if o, missing := x.needsSample(); missing {
		return o
	}
	if !latestID.MatchString(x.sample.id()) {
		return skip("editors do not ask for %s there", x.sample.id())
	}
	publisher, name := strings.ToLower(x.sample.publisher()), strings.ToLower(x.sample.name())
	x.latest = x.getJSON(ctx, x.at.latest(publisher, name))
	if x.latest.status != http.StatusNotFound {
		return x.judgeLatest(x.latest)
	}
	if declared := x.getJSON(ctx, x.at.latest(x.sample.publisher(), x.sample.name())); declared.status == http.StatusOK {
		x.latest = declared
		return fail(caseLines, "%s is not found in small letters, as editors ask for installed extensions", x.sample.id())
	}
	short := x.getJSON(ctx, x.at.Service+"/"+publisher+"/"+name+"/latest")
	if short.status == http.StatusOK {
		x.latest = short
		return warn(mend("settings: \"extensionUrlTemplate\": \""+x.at.Service+"/{publisher}/{name}/latest\"", "nginx: rewrite /vscode/([^/]+/[^/]+/latest)$ to the same without /vscode"),
			"it is at %s/PUBLISHER/NAME/latest only, where editors do not ask first", x.at.Service)
	}
	return warn(mend("gallery: GET "+x.host.Path+"/vscode/{publisher}/{name}/latest", "nginx: location ^~ "+x.host.Path+"/ { proxy_pass …; }"),
		"status 404 for %s: editors send a query for each update check instead", x.sample.id())
}

var caseLines = mend("gallery: compare ids without regard to case", "nginx: try_files $uri @galshim; galshim finds ids in any case", "bucket: galshim in front of it")

// judgeLatest returns the outcome for the newest version of the sample.
func (x *examination) judgeLatest(r *response) outcome {
	lines := mend("proxy: pass "+x.host.Path+"/vscode/ to the gallery", "nginx: default_type application/json; try_files $uri @galshim;")
	if r.relative {
		return fail(mend("proxy: send absolute addresses in Location, or do not redirect"), "the response is a redirect with a relative address, which editors do not follow")
	}
	document, valid := r.document()
	switch {
	case r.err != nil:
		return fail(lines, "no response: %s", r.err)
	case r.status != http.StatusOK:
		return fail(lines, "status %d for %s: an update check of all extensions can fail at that", r.status, x.sample.id())
	case r.isHTML() || !valid:
		return fail(lines, "the response for %s is not JSON: it begins with %q", x.sample.id(), start(r))
	}
	found := extension{document}
	if problem := problemOf(found); problem != "" {
		return fail(mend("gallery: "+problem, "gallery: respond with one extension, as in results[0].extensions of a query"), "%s: %s", x.sample.id(), problem)
	}
	if !found.is(x.sample.id()) {
		return fail(mend("gallery: respond with the extension that was asked for"), "the response for %s is %s", x.sample.id(), found.id())
	}
	if len(r.hops) > 0 {
		return warn(mend("proxy: do not redirect "+x.host.Path+"/vscode/"), "the request is redirected, and browsers ask for each redirect before they follow it")
	}
	return ok("%s %s", found.id(), found.versions()[0].number())
}

func checkLatestCase(ctx context.Context, x *examination) outcome {
	if x.latest == nil || x.latest.status != http.StatusOK {
		return skip("there is no latest")
	}
	publisher, name := strings.ToUpper(x.sample.publisher()), strings.ToUpper(x.sample.name())
	address := strings.Replace(x.latest.url, strings.ToLower(x.sample.publisher())+"/"+strings.ToLower(x.sample.name()), publisher+"/"+name, 1)
	r := x.getJSON(ctx, address)
	if r.status == http.StatusOK {
		return ok("%s.%s is found, too", publisher, name)
	}
	return warnOrFail(r.status == http.StatusNotFound, caseLines, "%s.%s in capital letters gets status %d; dependencies and recommendations keep the case of their author", publisher, name, r.status)
}

// warnOrFail is a warning if mild, otherwise a failure.
func warnOrFail(mild bool, lines []string, format string, args ...any) outcome {
	if mild {
		return warn(lines, format, args...)
	}
	return fail(lines, format, args...)
}

func checkLatestUnknown(ctx context.Context, x *examination) outcome {
	x.unknown = x.getJSON(ctx, x.at.latest(noPublisher, noName))
	r := x.unknown
	lines := mend("gallery: status 404 with JSON", "nginx: no error_page 404 for "+x.host.Path+"/", "proxy: no page for all addresses that are not found")
	switch {
	case r.err != nil:
		return fail(lines, "no response: %s", r.err)
	case r.status == http.StatusNotFound && r.isHTML():
		return warn(lines, "status 404 with a web page instead of JSON")
	case r.status == http.StatusNotFound:
		return ok("status 404")
	case r.status/100 == 4:
		return warn(lines, "status %d for an extension that does not exist; editors expect 404", r.status)
	}
	return fail(lines, "status %d for an extension that does not exist; editors expect 404", r.status)
}
