// Package doctor looks at a gallery as an editor does, and reports what is wrong with it and which
// line mends it. It works against any gallery that speaks the protocol of VS Code; checks of what
// only galshim has are skipped for others.
//
// # Checks
//
// README.md lists the checks. Each has an ID, which does not change, and looks at one thing. They
// run one after the other, in the order of the table in checks.go. A check names those that it
// needs: if one of them has failed or did not run, the check is skipped, and its result names the
// cause. So a gallery with one fault has one finding, not forty. A check that could not run is
// skipped, and never counts as passed.
//
// Checks share responses. The first query is sent once, and most checks look at what it returned.
// A gallery without a fault gets about fifty requests. All of them have a User-Agent that names
// galbuild, and most have the other headers that an editor sends. No request changes anything,
// but the gallery may count the download of a package.
//
// # Limits
//
// A gallery is not trusted. Bodies, redirects and the time of each request are limited, see the
// constants in client.go, and no check sends more requests because of what it gets. Tokens are
// removed from all texts.
package doctor

import (
	"context"
	"net/http"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Config is what to look at, and how. Only Gallery is required.
type Config struct {
	Gallery  Gallery
	Settings bool // Gallery is from the settings of an editor

	// Client is a name of the program with its version, for the User-Agent.
	Client string
	// Origin is that of the editor's page. "" is that of a desktop window of VS Code.
	Origin string
	// Extension is the id of the extension to look at. "" is the first of the popular list.
	Extension string
	// Header has headers that are sent with each request to the gallery, such as Authorization.
	// They are not sent to other hosts.
	Header http.Header
	// CA is a file of PEM certificates that are trusted in addition to the system's.
	CA string
	// Timeout limits each request; 0 is ten seconds.
	Timeout time.Duration
	// Trust are the keys that may sign the head of the history. nil checks no signature.
	Trust []note.Verifier
	// MaxAge is how old the head of the history may be; 0 is any age.
	MaxAge time.Duration
	// Burst is the number of requests that are sent at once to see how the gallery limits them.
	Burst int
	// Progress is called before each check. nil is not called.
	Progress func(check string, done, total int)
}

// Status is the result of a check.
type Status string

// The results of checks.
const (
	OK      Status = "ok"
	Warning Status = "warning" // works, but not as it should
	Failed  Status = "failed"  // an editor would fail
	Skipped Status = "skipped" // could not run, or does not apply
)

// A Finding is the result of a check.
type Finding struct {
	Check   string   `json:"check"`
	Group   string   `json:"group"`
	Status  Status   `json:"status"`
	Text    string   `json:"text"`
	Mend    []string `json:"mend"`    // lines that mend it, each with the program it is for
	Because string   `json:"because"` // the check that was needed and did not pass; "" if it is not skipped for that
}

// A Report is the result of all checks, in their order.
type Report struct {
	URL      string // the service URL
	Program  string // galshim with its version; "" if the gallery is another program
	Checks   []Finding
	Requests []Request
	Elapsed  time.Duration
}

// Count returns how many checks have a status.
func (r *Report) Count(s Status) (n int) {
	for i := range r.Checks {
		if r.Checks[i].Status == s {
			n++
		}
	}
	return n
}

// Examine runs all checks. An error means that they could not begin, or that ctx has ended; what is
// wrong with the gallery is in the report.
func Examine(ctx context.Context, c Config) (*Report, error) {
	start := time.Now()
	x, err := newExamination(c)
	if err != nil {
		return nil, err
	}
	defer x.client.close()
	findings := make([]Finding, 0, len(checks))
	for i := range checks {
		if c.Progress != nil {
			c.Progress(checks[i].id, i, len(checks))
		}
		findings = append(findings, x.run(ctx, &checks[i]))
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	report := &Report{URL: x.client.mask(x.at.Service), Checks: findings, Requests: x.client.requests, Elapsed: time.Since(start)}
	if x.galshim != "" {
		report.Program = "galshim " + x.galshim
	}
	return report, nil
}

// run runs a check, unless one that it needs did not pass.
func (x *examination) run(ctx context.Context, c *check) Finding {
	f := Finding{Check: c.id, Group: c.group, Mend: []string{}}
	var found outcome
	if cause := x.causeOf(c); cause != "" {
		f.Because = cause
		found = skip("because of %s", cause)
	} else if c.galshim && x.galshim == "" {
		found = skip("not galshim")
	} else {
		found = c.run(ctx, x)
	}
	x.results[c.id] = result{found.status, f.Because}
	f.Status, f.Text = found.status, x.client.mask(found.text)
	for _, line := range found.mend {
		f.Mend = append(f.Mend, x.client.mask(line))
	}
	return f
}

// A result is what later checks need to know.
type result struct {
	status  Status
	because string
}

// causeOf returns the check that has failed and that c needs, directly or through others. It
// returns "" if c can run. A check that was skipped for another reason did not fail.
func (x *examination) causeOf(c *check) string {
	for _, id := range c.needs {
		switch r := x.results[id]; {
		case r.because != "":
			return r.because
		case r.status == Failed:
			return id
		}
	}
	return ""
}

// An outcome is the result of a check.
type outcome struct {
	status Status
	text   string
	mend   []string
}

// Info describes a check, for documents.
type Info struct {
	ID, Group, Looks string
	Worst            Status // the worst result
	Galshim          bool   // only of galshim
}

// Checks returns a description of all checks, in their order.
func Checks() []Info {
	all := make([]Info, 0, len(checks))
	for i := range checks {
		c := &checks[i]
		all = append(all, Info{c.id, c.group, c.looks, c.worst, c.galshim})
	}
	return slices.Clip(all)
}
