package vet

import (
	_ "embed" // for popular.txt
	"fmt"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"

	"galbuild/build/visible"
)

//go:embed popular.txt
var popularText string

// A wellKnown extension has a display name that another one hardly needs.
type wellKnown struct{ id, displayName string }

// popularList returns the extensions of popular.txt.
var popularList = sync.OnceValue(func() (all []wellKnown) {
	for line := range strings.Lines(popularText) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			id, name, _ := strings.Cut(line, "\t")
			all = append(all, wellKnown{id, name})
		}
	}
	return all
})

// Popular returns ids of well-known extensions.
func Popular() []string {
	all := make([]string, len(popularList()))
	for i, x := range popularList() {
		all[i] = x.id
	}
	return all
}

// LookAlikes returns a finding if an extension has a name like another one of another publisher:
// among the ids of the gallery, and among those that are popular, of which there may be more than
// those that Popular returns. Both may contain the id itself. A popular extension is like no other,
// and neither are the extensions of its publisher.
func LookAlikes(id, displayName string, gallery, popular []string) []Finding {
	own := newLookalike(id, displayName)
	var all findings
	for _, warning := range visible.Findings(displayName) {
		all.add(Finding{Rule: lookAlike, Severity: Medium, Detail: "the display name: " + warning, Evidence: evidence([]byte(displayName))})
	}
	for _, other := range popular {
		if publisherOf(other) == own.publisher {
			return all.sorted()
		}
	}
	name := skeleton(displayName)
	for _, known := range popularList() {
		own.sameTitle = len(name) >= minTitle && known.displayName != "" && name == skeleton(known.displayName)
		if publisherOf(known.id) == own.publisher {
			return all.sorted()
		}
		own.fakeTitle = own.sameTitle && !strings.EqualFold(displayName, known.displayName)
		own.check(&all, known.id, true)
	}
	own.sameTitle, own.fakeTitle = false, false
	for _, other := range popular {
		own.check(&all, other, true)
	}
	for _, other := range gallery {
		own.check(&all, other, false)
	}
	return unique(all.sorted())
}

// unique removes findings that are equal; an id may be in several lists.
func unique(all []Finding) (kept []Finding) {
	seen := make(map[Finding]bool)
	for _, x := range all {
		if !seen[x] {
			seen[x] = true
			kept = append(kept, x)
		}
	}
	return kept
}

// Lengths in bytes. Shorter names are alike by chance.
const (
	minTitle      = 6
	minAlike      = 5
	minDistinct   = 8
	minDistinct2  = 12
	distinctEqual = 10
)

type lookalike struct {
	publisher, name      string // in lower case
	skeletonP, skeletonN string
	squashedP, squashedN string
	fakeTitle            bool // and is written with other letters
	sameTitle            bool // the display name is that of the extension it is compared with
}

func publisherOf(id string) string {
	publisher, _, _ := strings.Cut(strings.ToLower(id), ".")
	return publisher
}

func newLookalike(id, displayName string) lookalike {
	publisher, name, _ := strings.Cut(strings.ToLower(id), ".")
	_, rawName, _ := strings.Cut(id, ".")
	rawPublisher, _, _ := strings.Cut(id, ".")
	return lookalike{publisher: publisher, name: name, skeletonP: skeleton(rawPublisher), skeletonN: skeleton(rawName),
		squashedP: squash(publisher), squashedN: squash(name)}
}

// check adds a finding if the extension is like the other one.
func (l *lookalike) check(all *findings, other string, popular bool) {
	publisher, name, ok := strings.Cut(strings.ToLower(other), ".")
	if !ok || publisher == l.publisher {
		return
	}
	severity, how := l.like(publisher, name, popular)
	if severity == 0 {
		return
	}
	what := "an extension of the gallery"
	if popular {
		what = "a well-known extension"
	}
	all.add(Finding{Rule: lookAlike, Severity: severity, Evidence: l.publisher + "." + l.name,
		Detail: clip(fmt.Sprintf("%s %s, %s", how, strings.ToLower(other), what))})
}

// like returns how the extension is like another one of another publisher, and how suspicious that
// is.
func (l *lookalike) like(publisher, name string, popular bool) (severity Severity, how string) {
	sameName := l.name == name || l.squashedN == squash(name) || l.skeletonN == skeleton(name)
	switch {
	case sameName && l.likePublisher(publisher):
		return High, "name and publisher are like those of"
	case l.fakeTitle:
		return High, "the display name looks like that of"
	case l.sameTitle && (sameName || near(l.name, name, minAlike)):
		return High, "display name and name are those of"
	case l.publisher == name && l.name == publisher && len(name) >= minAlike:
		return High, "publisher and name are swapped, compared with"
	case near(l.name, name, minAlike) && l.nearPublisher(publisher):
		return High, "name and publisher are like those of"
	case !popular:
		return 0, ""
	case sameName && len(name) >= distinctEqual, l.sameTitle:
		return Medium, "the name is that of"
	case near(l.name, name, minDistinct2):
		return Low, "the name is like that of"
	case len(publisher) >= minDistinct && l.nearPublisher(publisher):
		return Low, "the publisher is like that of"
	}
	return 0, ""
}

// likePublisher reports whether a publisher looks like another one, or takes its name for a part of
// its own.
func (l *lookalike) likePublisher(other string) bool {
	if l.nearPublisher(other) {
		return true
	}
	return len(other) >= minAlike && (hasWord(l.publisher, other) || strings.HasPrefix(l.publisher, other) && len(other) >= minDistinct)
}

func (l *lookalike) nearPublisher(other string) bool {
	return l.skeletonP == skeleton(other) || l.squashedP == squash(other) || near(l.publisher, other, minAlike)
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

// near reports whether two names differ by one letter that is missing, added, replaced or swapped
// with its neighbour, or by two in long names. Names that differ only by digits at their end, such as
// java8 and java11, are not near.
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

// distance returns the number of letters to insert, delete, replace or swap with their neighbour, or
// more than most if it is larger.
func distance(a, b string, most int) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
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
