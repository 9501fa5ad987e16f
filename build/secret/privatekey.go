package secret

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"galbuild/build/ecmascript"
)

var (
	keyBegin = regexp.MustCompile(`^-----BEGIN` + space + `?((?:[A-Z]{2,16})?` + space + `?PRIVATE KEY(?:` + space + `BLOCK)?)-----`)
	bareKey  = regexp.MustCompile(`^-----BEGIN(` + space + `PRIVATE KEY(?:` + space + `BLOCK)?)-----`)
	lineChar = `[^\n\r\x{2028}\x{2029}]`
	realKey  = regexp.MustCompile(`-----BEGIN ` + lineChar + `*PRIVATE KEY-----[A-Za-z0-9+/=\r\n]{50,}-----END ` + lineChar + `*PRIVATE KEY-----`)
)

// maxKey is the maximum length of the text between the BEGIN and END lines, in UTF-16
// code units.
const maxKey = 10_000

// privateKey matches a PEM block of a private key whose BEGIN and END lines have the same
// label. vsce allows a block that is not base64 throughout, such as an example, or a
// string in a program with escaped line breaks.
//
// The white space before PRIVATE KEY may belong to the label or not. So the BEGIN line of a
// key without an algorithm has two possible labels, which are tried in this order.
func privateKey(text []byte, at int) (match, bool) {
	for _, begin := range []*regexp.Regexp{keyBegin, bareKey} {
		loc := begin.FindSubmatchIndex(text[at:min(len(text), at+maxMatch)])
		if loc == nil {
			continue
		}
		label, body := string(text[at+loc[2]:at+loc[3]]), at+loc[1]
		if n := keyEnd(text[body:], label); n >= 0 {
			end := body + n
			return match{from: at, to: end, shownFrom: at, shownTo: body, end: end, allowed: !realKey.Match(text[at:end])}, true
		}
	}
	return match{}, false
}

// keyEnd returns the offset after the END line with this label, or -1 if there is none.
// text begins after the BEGIN line.
func keyEnd(text []byte, label string) int {
	// A code unit takes at most three bytes.
	text = text[:min(len(text), 3*maxKey+maxMatch)]
	_, at := utf8.DecodeRune(text)
	for {
		n := bytes.Index(text[at:], []byte(endLine))
		if n < 0 {
			return -1
		}
		at += n + len(endLine)
		if end := labelEnd(text[at:], label); end >= 0 {
			if ecmascript.Length(text[:at-len(endLine)]) > maxKey {
				return -1
			}
			return at + end
		}
	}
}

const endLine = "-----END"

// labelEnd returns the offset after an END line. text begins after endLine. The result is
// -1 if the line has another label.
func labelEnd(text []byte, label string) int {
	rest := string(text[:min(len(text), maxMatch)])
	for _, skip := range []int{len(leadingSpace.FindString(rest)), 0} {
		if strings.HasPrefix(rest[skip:], label+"-----") {
			return skip + len(label) + len("-----")
		}
	}
	return -1
}

var leadingSpace = regexp.MustCompile(`^` + space)
