package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// swapCase returns an id with letters of the other case.
func swapCase(id string) string {
	if upper := strings.ToUpper(id); upper != id {
		return upper
	}
	return strings.ToLower(id)
}

// notFound is the outcome of a query that did not find the sample.
func (x *examination) notFound(r *response, what string, lines ...string) outcome {
	if bad := x.explainQuery(r); bad != nil {
		return *bad
	}
	return fail(lines, "%s does not find %s", what, x.sample.id())
}

func checkQueryName(ctx context.Context, x *examination) outcome {
	if o, missing := x.needsSample(); missing {
		return o
	}
	byNameOf := func(id string) search { return search{criteria: []criterion{{byName, id}}, size: 1} }
	other := swapCase(x.sample.id())
	found, r := x.query(ctx, byNameOf(other))
	if len(found) == 1 && found[0].is(other) {
		return ok("%s", other)
	}
	if found, _ = x.query(ctx, byNameOf(x.sample.id())); len(found) == 1 && found[0].is(other) {
		return fail(caseLines, "a query for the name %s does not find %s: the case matters", other, x.sample.id())
	}
	return x.notFound(r, "a query for its name (filterType 7)", "gallery: criterion 7 is publisher.name")
}

func checkQueryID(ctx context.Context, x *examination) outcome {
	if o, missing := x.needsSample(); missing {
		return o
	}
	id := x.sample.Get("extensionId").String()
	if id == "" {
		return fail(mend("gallery: \"extensionId\": a UUID that never changes"), "%s has no extensionId, by which editors ask for updates", x.sample.id())
	}
	found, r := x.query(ctx, search{criteria: []criterion{{byID, id}}, size: 1})
	if len(found) == 1 && found[0].is(x.sample.id()) {
		return ok("%s", id)
	}
	return x.notFound(r, "a query for its UUID (filterType 4)", "gallery: criterion 4 is extensionId")
}

func checkQueryText(ctx context.Context, x *examination) outcome {
	if o, missing := x.needsSample(); missing {
		return o
	}
	title := x.sample.Get("displayName").String()
	if title == "" {
		title = x.sample.name()
	}
	found, r := x.query(ctx, search{criteria: []criterion{{byText, title}}, size: 50})
	if slices.ContainsFunc(found, func(e extension) bool { return e.is(x.sample.id()) }) {
		return ok("%q finds %s", title, x.sample.id())
	}
	return x.notFound(r, fmt.Sprintf("a search for %q", title), "gallery: criterion 10 searches titles, names and descriptions")
}

func checkQueryUnknown(ctx context.Context, x *examination) outcome {
	found, r := x.query(ctx, search{criteria: []criterion{{byName, noPublisher + "." + noName}}, size: 1})
	document, valid := r.document()
	empty := mend(`gallery: status 200 with {"results": [{"extensions": [], "resultMetadata": […]}]}`)
	switch {
	case r.err != nil:
		return fail(empty, "no response to a query for an extension that does not exist: %s", r.err)
	case r.status != http.StatusOK:
		return fail(empty, "a query for an extension that does not exist gets status %d, not an empty list", r.status)
	case !valid || !document.Get("results.0.extensions").IsArray():
		return fail(empty, "results[0].extensions is %s for an extension that does not exist, at which editors fail", kind(document.Get("results.0.extensions")))
	case len(found) > 0:
		return fail(mend("gallery: apply criterion 7"), "a query for an extension that does not exist finds %s", found[0].id())
	}
	return ok("an empty list")
}

func checkQueryFlags(ctx context.Context, x *examination) outcome {
	if o, missing := x.needsSample(); missing {
		return o
	}
	found, r := x.query(ctx, search{criteria: []criterion{{byName, x.sample.id()}}, size: 1, flags: flagsAll})
	if len(found) == 0 {
		return x.notFound(r, "a query with flags 439 (all versions)", "gallery: flags 439 are all versions, with files and properties")
	}
	if problem := problemOf(found[0]); problem != "" {
		return fail(mend("gallery: "+problem), "%s with flags 439: %s", x.sample.id(), problem)
	}
	newest, all := x.sample.versions(), found[0].versions()
	for _, v := range newest {
		if !slices.ContainsFunc(all, func(w version) bool { return w.number() == v.number() && w.platform() == v.platform() }) {
			return fail(mend("gallery: flags 439 are all versions, 950 the newest"), "version %s is in a list, but not among all versions (flags 439)", v.number())
		}
	}
	return ok("%d of %d versions in lists", len(newest), len(all))
}

// Orders of queries.
const (
	sortTitle  = 2
	ascending  = 1
	descending = 2
)

func checkQuerySort(ctx context.Context, x *examination) outcome {
	if x.total < 2 {
		return skip("the gallery has fewer than two extensions")
	}
	up, r := x.query(ctx, search{size: 50, sort: sortTitle, desc: ascending})
	down, _ := x.query(ctx, search{size: 50, sort: sortTitle, desc: descending})
	if bad := x.explainQuery(r); bad != nil {
		return *bad
	}
	if slices.Equal(ids(up), ids(down)) {
		return warn(mend("gallery: sortBy 2 is the title, sortOrder 1 ascending and 2 descending"), "the order by title is the same in both directions: the gallery ignores it")
	}
	return ok("by title")
}

func ids(all []extension) (list []string) {
	for _, e := range all {
		list = append(list, strings.ToLower(e.id()))
	}
	return list
}

func checkQueryPages(ctx context.Context, x *examination) outcome {
	if x.total < 2 {
		return skip("the gallery has fewer than two extensions")
	}
	first, r := x.query(ctx, search{size: 1, page: 1, sort: sortInstalls})
	second, _ := x.query(ctx, search{size: 1, page: 2, sort: sortInstalls})
	switch {
	case x.explainQuery(r) != nil:
		return *x.explainQuery(r)
	case len(first) != 1:
		return fail(mend("gallery: pageSize is the number of extensions in a page"), "a page of 1 extension has %d", len(first))
	case len(second) == 0:
		return fail(mend("gallery: pageNumber begins at 1"), "the second page is empty, although %d extensions match", x.total)
	case slices.Equal(ids(first), ids(second)):
		return fail(mend("gallery: apply pageNumber", "proxy: do not cache POST"), "the second page repeats the first, so editors show the same extensions again and again")
	}
	return ok("the second page differs from the first")
}
