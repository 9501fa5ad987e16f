package vet

import (
	_ "embed" // for popular.txt
	"fmt"
	"math/bits"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"

	"galbuild/build/visible"
)

//go:embed popular.txt
var popularText string

// A wellKnown extension has a display name that another one hardly needs.
type wellKnown struct {
	names
	id, displayName, title string // title is the skeleton of the display name
}

// popularList returns the extensions of popular.txt.
var popularList = sync.OnceValue(func() (all []wellKnown) {
	for line := range strings.Lines(popularText) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			id, name, _ := strings.Cut(line, "\t")
			all = append(all, wellKnown{newNames(id), id, name, skeleton(name)})
		}
	}
	return all
})

// names are the forms of an id in which it is compared.
type names struct {
	publisher, name      string // in lower case
	skeletonP, skeletonN string
	squashedP, squashedN string
}

func newNames(id string) names {
	rawPublisher, rawName, _ := strings.Cut(id, ".")
	publisher, name := strings.ToLower(rawPublisher), strings.ToLower(rawName)
	return names{publisher, name, skeleton(rawPublisher), skeleton(rawName), squash(publisher), squash(name)}
}

// Popular returns ids of well-known extensions.
func Popular() []string {
	all := make([]string, len(popularList()))
	for i, x := range popularList() {
		all[i] = x.id
	}
	return all
}

// Names are ids with which others are compared. They may be used by several goroutines at once.
type Names struct {
	mutex            sync.Mutex // for the forms, which are made when they are needed
	gallery, popular []masked
	publishers       map[string]bool // of popular
}

// masked is an id, with a set of the letters in its name, by which most ids are told apart fast.
type masked struct {
	id                      string
	publisherLen, nameLen   int
	publisherMask, nameMask uint64
	forms                   *names // nil until they are needed
}

func newMasked(id string) masked {
	publisher, name, _ := strings.Cut(strings.ToLower(id), ".")
	return masked{id: id, publisherLen: len(publisher), nameLen: len(name), publisherMask: letters(publisher), nameMask: letters(name)}
}

// letters returns the set of letters and digits in a text.
func letters(s string) (set uint64) {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z':
			set |= 1 << (c - 'a')
		case c >= '0' && c <= '9':
			set |= 1 << (26 + c - '0')
		}
	}
	return set
}

// plausible reports whether two ids may be alike: their names, or each other's publisher and
// name. Lengths differ by at most 3 and letters by at most 6, as for rn and m.
func (m *masked) plausible(other *masked) bool {
	return m.nameLen-other.nameLen <= 3 && other.nameLen-m.nameLen <= 3 && bits.OnesCount64(m.nameMask^other.nameMask) <= 6 ||
		m.publisherMask == other.nameMask && m.nameMask == other.publisherMask
}

// plausiblePublisher reports whether the publisher of an id may be like that of another one: few
// letters differ, or it has all letters of the other one, which it may contain.
func (m *masked) plausiblePublisher(other *masked) bool {
	return other.publisherMask&^m.publisherMask == 0 || bits.OnesCount64(m.publisherMask^other.publisherMask) <= 6 ||
		m.publisherMask == other.nameMask
}

// NewNames returns the ids of a gallery, and those that are popular, of which there may be more
// than those that Popular returns.
func NewNames(gallery, popular []string) *Names {
	n := &Names{publishers: make(map[string]bool)}
	done := make(map[string]bool)
	for i := range popularList() {
		done[strings.ToLower(popularList()[i].id)] = true
		n.publishers[popularList()[i].publisher] = true
	}
	for _, id := range popular {
		n.publishers[publisherOf(id)] = true
	}
	n.popular, n.gallery = maskedAll(popular, done), maskedAll(gallery, done)
	return n
}

// maskedAll returns those ids that are not done, and marks them as done.
func maskedAll(ids []string, done map[string]bool) (all []masked) {
	for _, id := range ids {
		if lower := strings.ToLower(id); !done[lower] {
			done[lower] = true
			all = append(all, newMasked(id))
		}
	}
	return all
}

// LookAlikes returns a finding if an extension has a name like another one of another publisher:
// among the ids of the gallery, and among those that are popular. Both may contain the id
// itself. A popular extension is like no other, and neither are the extensions of its publisher.
func (n *Names) LookAlikes(id, displayName string) []Finding {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	own := lookalike{names: newNames(id), masked: newMasked(id)}
	var all findings
	for _, warning := range visible.Findings(displayName) {
		all.add(Finding{Rule: lookAlike, Severity: Medium, Detail: "the display name: " + warning, Evidence: evidence([]byte(displayName))})
	}
	if n.publishers[own.publisher] {
		return all.sorted()
	}
	title := skeleton(displayName)
	for i := range popularList() {
		known := &popularList()[i]
		own.sameTitle = len(title) >= minTitle && title == known.title
		own.fakeTitle = own.sameTitle && !strings.EqualFold(displayName, known.displayName)
		own.check(&all, &known.names, true)
	}
	own.sameTitle, own.fakeTitle = false, false
	own.checkAll(&all, n.popular, true)
	own.checkAll(&all, n.gallery, false)
	return all.sorted()
}

// checkAll compares with ids.
func (l *lookalike) checkAll(all *findings, ids []masked, popular bool) {
	for i := range ids {
		if (popular || l.masked.plausiblePublisher(&ids[i])) && l.masked.plausible(&ids[i]) {
			if ids[i].forms == nil {
				forms := newNames(ids[i].id)
				ids[i].forms = &forms
			}
			l.check(all, ids[i].forms, popular)
		}
	}
}

// Lengths in bytes. Shorter names are alike by chance.
const (
	minTitle      = 6
	minAlike      = 5
	minDistinct   = 8
	minDistinct2  = 12
	distinctEqual = 10
	maxCompared   = 80
)

// A lookalike is an extension that may be like others.
type lookalike struct {
	names
	masked    masked
	sameTitle bool // the display name is that of the extension it is compared with
	fakeTitle bool // and is written with other letters
}

func publisherOf(id string) string {
	publisher, _, _ := strings.Cut(strings.ToLower(id), ".")
	return publisher
}

// check adds a finding if the extension is like the other one.
func (l *lookalike) check(all *findings, other *names, popular bool) {
	if other.publisher == l.publisher {
		return
	}
	severity, how := l.like(other, popular)
	if severity == 0 {
		return
	}
	what := "an extension of the gallery"
	if popular {
		what = "a well-known extension"
	}
	all.add(Finding{Rule: lookAlike, Severity: severity, Evidence: evidence([]byte(l.publisher + "." + l.name)),
		Detail: clip(fmt.Sprintf("%s %s.%s, %s", how, other.publisher, other.name, what))})
}

// like returns how the extension is like another one of another publisher, and how suspicious
// that is.
func (l *lookalike) like(other *names, popular bool) (severity Severity, how string) {
	sameName := l.name == other.name || l.squashedN == other.squashedN || l.skeletonN == other.skeletonN
	switch {
	case sameName && l.likePublisher(other):
		return High, "name and publisher are like those of"
	case l.fakeTitle:
		return High, "the display name looks like that of"
	case l.sameTitle && (sameName || len(other.name) >= minAlike && hasWord(l.name, other.name) || near(l.name, other.name, minAlike)):
		return High, "display name and name are those of"
	case l.publisher == other.name && l.name == other.publisher && len(other.name) >= minAlike:
		return High, "publisher and name are swapped, compared with"
	case near(l.name, other.name, minAlike) && l.nearPublisher(other):
		return High, "name and publisher are like those of"
	case !popular:
		return 0, ""
	case sameName && len(other.name) >= distinctEqual, l.sameTitle:
		return Medium, "the name is that of"
	case near(l.name, other.name, minDistinct2):
		return Low, "the name is like that of"
	case len(other.publisher) >= minDistinct && l.nearPublisher(other):
		return Low, "the publisher is like that of"
	}
	return 0, ""
}

// likePublisher reports whether a publisher looks like another one, or takes its name for a part
// of its own.
func (l *lookalike) likePublisher(other *names) bool {
	return l.nearPublisher(other) || len(other.publisher) >= minAlike &&
		(hasWord(l.publisher, other.publisher) || strings.HasPrefix(l.publisher, other.publisher) && len(other.publisher) >= minDistinct)
}

func (l *lookalike) nearPublisher(other *names) bool {
	return l.skeletonP == other.skeletonP || l.squashedP == other.squashedP || near(l.publisher, other.publisher, minAlike)
}

// hasWord reports whether name has word between separators or its ends.
func hasWord(name, word string) bool {
	at := strings.Index(name, word)
	if at < 0 {
		return false
	}
	end := at + len(word)
	return (at == 0 || name[at-1] == '-' || name[at-1] == '_') && (end == len(name) || name[end] == '-' || name[end] == '_')
}

// near reports whether two names differ by one letter that is missing, added, replaced or
// swapped with its neighbour, or by two in long names. Names that differ only by digits at their
// end, such as java8 and java11, are not near.
func near(a, b string, least int) bool {
	if len(b) < least || len(a) < least || a == b || max(len(a)-len(b), len(b)-len(a)) > 2 {
		return false
	}
	most := 1
	if len(b) >= minDistinct2 {
		most = 2
	}
	trimmed := strings.TrimRight(a, "0123456789")
	if trimmed != a && trimmed == strings.TrimRight(b, "0123456789") && trimmed != b {
		return false
	}
	return distance(a, b, most) <= most
}

// distance returns the number of letters to insert, delete, replace or swap with their
// neighbour, or more than most if it is larger.
func distance(a, b string, most int) int {
	var rows [3][maxCompared + 1]int
	if len(b) > maxCompared {
		return most + 1
	}
	before, last, row := rows[0][:len(b)+1], rows[1][:len(b)+1], rows[2][:len(b)+1]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		least := row[0]
		for j := range len(b) {
			replaced := last[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
			least = min(least, row[j+1])
		}
		if least > most {
			return least
		}
	}
	return row[len(b)]
}

// squash removes the separators of a name.
func squash(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, name)
}

// alike replaces letters and digits by those that they look like.
var alike = strings.NewReplacer("rn", "m", "vv", "w", "cl", "d", "0", "o", "1", "l", "i", "l", "|", "l", "5", "s", "!", "l",
	"а", "a", "е", "e", "о", "o", "р", "p", "с", "c", "у", "y", "х", "x", "і", "l", "ѕ", "s", "ј", "j", "һ", "h", "ԁ", "d", "ո", "n", "ս", "u",
	"α", "a", "ο", "o", "ν", "v", "ρ", "p", "ι", "l", "κ", "k", "τ", "t", "ɡ", "g", "ı", "l", "ⅼ", "l", "т", "t", "м", "m", "к", "k", "в", "b", "н", "h")

// skeleton returns a name with each letter replaced by the one that it looks like.
func skeleton(name string) string {
	return alike.Replace(strings.ToLower(norm.NFKC.String(name)))
}
