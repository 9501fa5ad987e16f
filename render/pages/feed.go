package pages

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Release is a version in the feed.
type Release struct {
	ID, Name, Publisher  string // as in a [Card]
	Version, Description string
	Date                 time.Time // of the version
}

// mostEntries is how many versions the feed has.
const mostEntries = 50

// Feed returns the newest of the releases as an Atom feed (RFC 4287). Without a base URL, its links
// are relative to its own address.
func (s *Site) Feed(releases []Release) []byte {
	releases = slices.Clone(releases)
	slices.SortFunc(releases, func(a, b Release) int {
		return cmp.Or(b.Date.Compare(a.Date), strings.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)), strings.Compare(b.Version, a.Version))
	})
	f := atomFeed{
		Namespace: "http://www.w3.org/2005/Atom", Language: "en", ID: urn("feed of " + s.Name()), Title: "New in " + s.Name(), Updated: atomDate(time.Unix(0, 0)),
		Links: []atomLink{{Rel: "self", Type: "application/atom+xml", Address: s.address(FeedPath)}, {Rel: "alternate", Type: "text/html", Address: s.address(NewPath)}},
		Icon:  s.address(IconPath),
	}
	if len(releases) > 0 {
		f.Updated = atomDate(releases[0].Date)
	}
	for _, r := range releases[:min(len(releases), mostEntries)] {
		f.Entries = append(f.Entries, atomEntry{
			ID: urn(strings.ToLower(r.ID) + "@" + r.Version), Title: xmlText(r.Name + " " + r.Version), Updated: atomDate(r.Date), Author: xmlText(cmp.Or(r.Publisher, r.ID)),
			Link: atomLink{Rel: "alternate", Type: "text/html", Address: s.address(ExtensionPath(r.ID))}, Summary: xmlText(clip(r.Description, 500)),
		})
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", " ")
	if err := e.Encode(f); err != nil {
		panic(err) // the feed is plain data, and writing to memory does not fail
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// address returns the address of a file, relative to the home page's folder if the base URL is not
// known.
func (s *Site) address(path string) string {
	if s.BaseURL == "" {
		return escapePath(path)
	}
	return s.BaseURL + "/" + escapePath(path)
}

type atomFeed struct {
	XMLName   xml.Name    `xml:"feed"`
	Namespace string      `xml:"xmlns,attr"`
	Language  string      `xml:"xml:lang,attr"`
	ID        string      `xml:"id"`
	Title     string      `xml:"title"`
	Updated   string      `xml:"updated"`
	Links     []atomLink  `xml:"link"`
	Icon      string      `xml:"icon"`
	Entries   []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel     string `xml:"rel,attr"`
	Type    string `xml:"type,attr"`
	Address string `xml:"href,attr"`
}

type atomEntry struct {
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Author  string   `xml:"author>name"`
	Link    atomLink `xml:"link"`
	Summary string   `xml:"summary"`
}

// namespace is that of the ids of feeds and entries.
var namespace = uuid.MustParse("c1f7b8f6-0d0e-4d54-9f0e-3f2a8f5f6a15")

// urn returns an id that stays the same if the address of the gallery changes.
func urn(name string) string { return uuid.NewSHA1(namespace, []byte(name)).URN() }

func atomDate(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// xmlText returns a text without the characters that XML cannot have.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// Day is what changed in the gallery on one day.
type Day struct {
	Date                             string // such as 2026-01-31
	Added, Updated, Removed, Blocked []Change
}

// Change is what happened to an extension on one day.
type Change struct {
	ID, Name string
	Versions []string // newest first
	Reason   string   // why it was removed or blocked, "" if none is known
	Gone     bool     // it has no page any more
}

// mostDays is how many days the page shows.
const mostDays = 30

// New returns the page of what is new, for those who approve extensions: the newest days on which
// something changed.
func (s *Site) New(days []Day) []byte {
	days = slices.DeleteFunc(slices.Clone(days), func(d Day) bool { return len(d.Groups()) == 0 })
	slices.SortFunc(days, func(a, b Day) int { return strings.Compare(b.Date, a.Date) })
	return s.render("new", view{
		Path: NewPath, Heading: "What is new", Description: "Extensions that were added, updated, removed or blocked, by day", Body: days[:min(len(days), mostDays)],
	})
}

// A kindOfChange is the changes of one kind on one day.
type kindOfChange struct {
	Label   string
	Changes []Change
	More    int // changes that are left out
}

// Count returns the number of changes.
func (k kindOfChange) Count() int { return len(k.Changes) + k.More }

// mostChanges is how many changes of one kind and day the page shows: a gallery begins with a day
// on which everything was added.
const mostChanges = 300

// Groups returns the changes of a day by their kind, each sorted by name.
func (d Day) Groups() (all []kindOfChange) {
	for _, g := range []kindOfChange{{"Added", d.Added, 0}, {"Updated", d.Updated, 0}, {"Removed", d.Removed, 0}, {"Blocked", d.Blocked, 0}} {
		if len(g.Changes) > 0 {
			g.Changes = slices.Clone(g.Changes)
			slices.SortStableFunc(g.Changes, func(a, b Change) int {
				return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)))
			})
			if n := len(g.Changes) - mostChanges; n > 0 {
				g.Changes, g.More = g.Changes[:mostChanges], n
			}
			all = append(all, g)
		}
	}
	return all
}
