package secret

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	keyBegin = regexp.MustCompile(`^-----BEGIN` + space + `?((?:[A-Z]{2,16})?` + space + `?PRIVATE KEY(?:` + space + `BLOCK)?)-----`)
	bareKey  = regexp.MustCompile(`^-----BEGIN(` + space + `PRIVATE KEY(?:` + space + `BLOCK)?)-----`)
	lineChar = `[^\n\r\x{2028}\x{2029}]`
	realKey  = regexp.MustCompile(`-----BEGIN ` + lineChar + `*PRIVATE KEY-----[A-Za-z0-9+/=\r\n]{50,}-----END ` + lineChar + `*PRIVATE KEY-----`)
)

// maxKey is how long the text between the two lines may be, in UTF-16 code units.
const maxKey = 10_000

// privateKey matches a PEM block of a private key whose two lines say the same.
// vsce allows one that is not base64 all through, such as an example or a string of
// a program with escaped line ends.
//
// The white space before PRIVATE KEY may count as the label's, so a block with no
// algorithm has two labels, tried in this order.
func privateKey(text []byte, at int) (match, bool) {
	for _, begin := range []*regexp.Regexp{keyBegin, bareKey} {
		loc := begin.FindSubmatchIndex(text[at:min(len(text), at+longest)])
		if loc == nil {
			continue
		}
		label, body := string(text[at+loc[2]:at+loc[3]]), at+loc[1]
		if n := keyEnd(text[body:], label); n >= 0 {
			end := body + n
			return match{from: at, to: end, secret: at, hide: body, end: end, allowed: !realKey.Match(text[at:end])}, true
		}
	}
	return match{}, false
}

// keyEnd returns where the block of the label ends whose body text begins with; -1
// if it does not.
func keyEnd(text []byte, label string) int {
	// A code unit takes three bytes at most.
	text = text[:min(len(text), 3*maxKey+longest)]
	_, at := utf8.DecodeRune(text)
	for {
		n := bytes.Index(text[at:], []byte(endLine))
		if n < 0 {
			return -1
		}
		at += n + len(endLine)
		if end := labelEnd(text[at:], label); end >= 0 {
			if units(text[:at-len(endLine)]) > maxKey {
				return -1
			}
			return at + end
		}
	}
}

const endLine = "-----END"

// labelEnd returns where the label's line ends whose rest text is, -1 if it is
// another's.
func labelEnd(text []byte, label string) int {
	rest := string(text[:min(len(text), longest)])
	for _, skip := range []int{len(leadingSpace.FindString(rest)), 0} {
		if strings.HasPrefix(rest[skip:], label+"-----") {
			return skip + len(label) + len("-----")
		}
	}
	return -1
}

var leadingSpace = regexp.MustCompile(`^` + space)
