package stats

import (
	"net/http"
	"net/url"
	"strings"

	"galbuild/build/catalog"
)

// An Event is a request that counts.
type Event struct {
	ID                           string // publisher.name in lower case
	Download, Install, Uninstall bool
}

// NewEvent returns the event of a request with this method and this address (a path, which may have
// a prefix, and a query), whose response has this status. It returns false if the request does not
// count.
func NewEvent(method, address string, status int) (Event, bool) {
	get, post := method == http.MethodGet && status == http.StatusOK, method == http.MethodPost && status/100 == 2
	if !get && !post {
		return Event{}, false
	}
	u, err := url.ParseRequestURI(address)
	if err != nil {
		return Event{}, false
	}
	parts := strings.Split(strings.TrimRight(u.Path, "/"), "/")
	var e Event
	if get {
		e = download(last(parts, 6), u.Query())
	} else {
		e = report(last(parts, 7), u.Query())
	}
	if checkID(e.ID) != nil {
		return Event{}, false
	}
	return e, true
}

// last returns the last n elements of a list, preceded by empty ones if there are fewer.
func last(parts []string, n int) []string {
	if missing := n - len(parts); missing > 0 {
		parts = append(make([]string, missing), parts...)
	}
	return parts[len(parts)-n:]
}

// Download returns the event of a download from an address with this query.
func Download(publisher, name string, query url.Values) Event {
	return Event{ID: strings.ToLower(publisher + "." + name), Download: true, Install: query.Get("install") == "true"}
}

// download returns the event of a response with the package at the last six parts of a path, or one
// without an id.
func download(p []string, query url.Values) Event {
	switch {
	case (p[1] == "assets" || p[1] == "asset") && p[5] == catalog.PackageAsset:
		return Download(p[2], p[3], query)
	case p[0] == "publishers" && p[2] == "vsextensions" && p[5] == "vspackage":
		return Download(p[1], p[3], query)
	}
	return Event{}
}

// Report returns the event that an editor reports with the value of statType in the address. It
// neither installs nor uninstalls if the value has another meaning.
func Report(id, kind string) Event {
	e := Event{ID: strings.ToLower(id)}
	switch strings.ToLower(kind) {
	case "install", "1": // the numbers are those of editors in a browser
		e.Install = true
	case "uninstall", "3":
		e.Uninstall = true
	}
	return e
}

// report returns the event that is reported at the last seven parts of a path, or one without an
// id.
func report(p []string, query url.Values) (e Event) {
	switch {
	case p[1] == "publishers" && p[3] == "extensions" && p[6] == "stats":
		e = Report(p[2]+"."+p[4], query.Get("statType"))
	case p[0] == "itemName" && p[2] == "version" && p[4] == "statType" && p[6] == "vscodewebextension":
		e = Report(p[1], p[5])
	}
	if !e.Install && !e.Uninstall {
		return Event{}
	}
	return e
}
