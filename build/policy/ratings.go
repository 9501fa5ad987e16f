package policy

import (
	"errors"
	"net/url"
	"strings"

	"github.com/tailscale/hujson"

	"galbuild/build/catalog"
	"galbuild/build/jsonc"
	"galbuild/build/stats"
)

// idInURL is what rateUrl has in place of the id of an extension.
const idInURL = "{id}"

// readRateURL returns the address at which people rate an extension.
func (r *reader) readRateURL(f jsonc.Field) string {
	const want = "an http or https address with {id} in place of the extension, such as https://intranet.example/rate?extension={id}"
	s, ok := r.String(f, want)
	if !ok {
		return ""
	}
	u, err := url.Parse(strings.ReplaceAll(s, idInURL, "acme.notes"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || !strings.Contains(s, idInURL) || strings.ContainsAny(s, " <>\"") {
		r.Problem(f, "want %s, found %.100q", want, s)
		return ""
	}
	return s
}

// RateLink returns the address at which people rate the extension with this id, or "" if the policy
// names none.
func (p *Policy) RateLink(id string) string { return strings.ReplaceAll(p.RateURL, idInURL, id) }

// readRatings reads the file of ratings. It takes it from the included lists, or else adds it to
// those to include.
func (r *reader) readRatings(included map[string]jsonc.Field, added map[string]any, read func(path string) ([]byte, error)) {
	if r.ratings == nil {
		return
	}
	f := *r.ratings
	path, ok := r.String(f, "the path of a file")
	if !ok {
		return
	}
	r.policy.RatingsFile = path
	if list, ok := included[path]; ok {
		delete(included, path)
		r.policy.Ratings = r.includedRatings(list)
		return
	}
	if _, ok := added[path]; ok {
		r.Problem(f, "%.100q is among denyLists, too", path)
		return
	}
	text, err := read(path)
	if err != nil {
		r.Problem(f, "%s: %v", path, err)
		return
	}
	ratings, err := parseRatings(path, text)
	if err != nil {
		for reason := range strings.Lines(err.Error()) {
			r.Problem(f, "%s", strings.TrimRight(reason, "\n"))
		}
		return
	}
	r.policy.Ratings = ratings
	list := make(map[string][3]float64)
	for id, x := range ratings {
		list[id] = [3]float64{x.Average, float64(x.Count), float64(x.Line)}
	}
	added[path] = list
}

// parseRatings returns the ratings of a file, by id.
func parseRatings(path string, text []byte) (map[string]catalog.Rating, error) {
	file, err := stats.ParseImport(path, text)
	if err != nil {
		return nil, err
	}
	all := make(map[string]catalog.Rating)
	var mistakes []error
	for _, e := range file.Entries {
		if e.Imported.AverageRating == nil || e.Imported.RatingCount == nil || *e.Imported.RatingCount > jsonc.MaxCount {
			mistakes = append(mistakes, file.Mistake(e, "want an average and a count of at most 1,000,000,000"))
			continue
		}
		all[e.ID] = catalog.Rating{Average: *e.Imported.AverageRating, Count: *e.Imported.RatingCount, Line: e.Line}
	}
	return all, errors.Join(mistakes...)
}

// includedRatings returns the ratings that are included in the policy: lists of an average, a count
// and a line, by id.
func (r *reader) includedRatings(list jsonc.Field) map[string]catalog.Rating {
	all := make(map[string]catalog.Rating)
	for _, x := range r.Members(list) {
		id, ok := r.extensionID(x, x.Name)
		var numbers []float64
		for _, n := range r.Elements(x) {
			if literal, isLiteral := n.Value.Value.(hujson.Literal); isLiteral && literal.Kind() == '0' {
				numbers = append(numbers, literal.Float())
			}
		}
		if !ok || len(numbers) != 3 || !(numbers[0] >= 0 && numbers[0] <= 5) || !(numbers[1] >= 0 && numbers[1] <= jsonc.MaxCount) || !(numbers[2] >= 1 && numbers[2] <= jsonc.MaxCount) {
			r.Problem(x, "want an average, a count and a line, found %s", r.Show(x))
			continue
		}
		all[id] = catalog.Rating{Average: numbers[0], Count: int64(numbers[1]), Line: int(numbers[2])}
	}
	return all
}
