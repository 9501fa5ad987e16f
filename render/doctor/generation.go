package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"galbuild/build/history"
	"galbuild/build/site"
)

func checkHealth(ctx context.Context, x *examination) outcome {
	r := x.getJSON(ctx, x.at.base()+"/healthz")
	document, valid := r.document()
	if r.err != nil || !valid {
		return fail(mend("nginx: location = "+splitPath(x.at.base())+"/healthz { try_files $uri @galshim; }"), "%s/healthz %s", x.at.base(), r.problem())
	}
	x.generation, x.signed = document.Get("generation").String(), document.Get("head.when").Time()
	switch status := document.Get("status").String(); status {
	case "ok":
		if ready := x.getJSON(ctx, x.at.base()+"/readyz"); ready.status == http.StatusServiceUnavailable {
			return fail(mend("galshim: look into its log"), "galshim is not ready: it is starting or shutting down, or has no generation that is verified")
		}
		return ok("galshim %s serves generation %s with %d extensions", x.galshim, x.generation, document.Get("extensions").Int())
	case "damaged":
		return fail(mend("galbuild: galbuild verify SITE, then restore the file that it names", "galshim: its log names the file"), "the index that galshim serves is damaged")
	case "frozen":
		return fail(mend("galbuild: galbuild history SITE --renew --sign-key FILE, in a timer"), "the head of the history was signed longer ago than galshim's --max-age")
	default:
		return fail(mend("galshim: look into its log"), "galshim reports %q, with status %d", status, r.status)
	}
}

func checkStale(ctx context.Context, x *examination) outcome {
	lines := mend("galshim: its log says why it refused the generation", "galbuild: galbuild verify SITE, or galbuild rollback SITE")
	if document, valid := x.below(ctx, "/healthz"); valid && document.Get("stale").Bool() {
		return fail(lines, "galshim has refused a newer generation, and still serves %s", x.generation)
	}
	current, _, err := x.current(ctx)
	switch {
	case errors.Is(err, errNotServed):
		return ok("galshim has refused no generation; index/CURRENT is not served here")
	case err != nil:
		return fail(mend("nginx: location ^~ /index/ { try_files $uri =404; }, and no cache for index/CURRENT"), "index/CURRENT: %s", err)
	case current.Generation != x.generation:
		return fail(append(mend("galshim: kill -HUP, or a shorter --reload", "CDN, nginx: no cache for index/CURRENT"), lines...),
			"galshim serves generation %s, and index/CURRENT names %s", x.generation, current.Generation)
	}
	return ok("generation %s, as in index/CURRENT", current.Generation)
}

// errNotServed is the error for a gallery that does not serve its index, such as galshim alone.
var errNotServed = errors.New("not served")

// maxCurrent is the size of the largest CURRENT.
const maxCurrent = 4 << 10

// current reads CURRENT.
func (x *examination) current(ctx context.Context) (site.Current, site.Head, error) {
	text, err := x.file(ctx)(site.CurrentPath, maxCurrent)
	if err != nil {
		return site.Current{}, site.Head{}, err
	}
	return site.ParseCurrent(text)
}

// file returns a function that reads a file of the site.
func (x *examination) file(ctx context.Context) site.Files {
	return func(path string, limit int64) ([]byte, error) {
		r := x.get(ctx, x.at.base()+"/"+path)
		switch {
		case r.err != nil:
			return nil, r.err
		case r.status == http.StatusNotFound || r.status == http.StatusForbidden || r.isHTML():
			return nil, errNotServed
		case r.status != http.StatusOK:
			return nil, fmt.Errorf("status %d", r.status)
		case int64(len(r.body)) > limit:
			return nil, fmt.Errorf("larger than %d bytes", limit)
		}
		return r.body, nil
	}
}

// head reads the head of the history.
func (x *examination) head(ctx context.Context) (history.Head, error) {
	current, named, err := x.current(ctx)
	if err != nil {
		return history.Head{}, err
	}
	return site.ReadHead(x.file(ctx), current, named)
}

// headOutcome is the outcome if the head cannot be read. It is a failure if the flag requires it.
func headOutcome(err error, flag string, required bool) outcome {
	switch {
	case errors.Is(err, errNotServed) && required:
		return fail(mend("nginx: location ^~ /index/ { try_files $uri =404; }", "here: give the address at which the site's files are served"),
			"%s: index/CURRENT is not served at this address; galshim alone does not serve it", flag)
	case errors.Is(err, errNotServed):
		return skip("index/CURRENT is not served at this address")
	}
	return fail(mend("galbuild: galbuild verify SITE", "nginx, CDN: no cache for index/CURRENT"), "the head of the history: %s", err)
}

func checkAge(ctx context.Context, x *examination) outcome {
	if x.MaxAge == 0 && x.galshim == "" {
		return skip("not galshim")
	}
	head, err := x.head(ctx)
	if errors.Is(err, errNotServed) && !x.signed.IsZero() {
		head.When, err = x.signed, nil
	}
	if err != nil {
		return headOutcome(err, "--max-age", x.MaxAge > 0)
	}
	age := time.Since(head.When).Round(time.Minute)
	if x.MaxAge > 0 && age > x.MaxAge {
		return fail(mend("galbuild: galbuild history SITE --renew --sign-key FILE, in a timer", "galbuild: galbuild sync, if new packages should have arrived"),
			"the head of the history is of %s, %s ago, and --max-age is %s", head.When.Format(time.RFC3339), age, x.MaxAge)
	}
	return ok("the head of the history is of %s", head.When.Format(time.RFC3339))
}

func checkSignature(ctx context.Context, x *examination) outcome {
	if len(x.Trust) == 0 {
		return skip("no --trust")
	}
	head, err := x.head(ctx)
	if err != nil {
		return headOutcome(err, "--trust", true)
	}
	if err := head.Verify(x.Trust...); err != nil {
		return fail(mend("galbuild: galbuild history SITE --renew --sign-key FILE", "here: --trust with the public key of the one who signs"), "%s", err)
	}
	return ok("head %d is signed", head.Number)
}
