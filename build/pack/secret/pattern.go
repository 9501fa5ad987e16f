package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"

	"galbuild/build/ecmascript"
)

// A pattern finds one kind of secret. Its matches do not overlap: like a search
// with a global regular expression, it goes on where the last match ended, even if
// that one was none to report.
type pattern struct {
	rule, what string
	// anchors are literals, at least window long, one of which each match contains.
	anchors []string
	// match returns what matches around an anchor at text[at:].
	match func(text []byte, at int) (match, bool)
}

// A match is a place that a pattern fits. Offsets are of bytes.
type match struct {
	rule, what string
	from, to   int  // the range that secretlint reports, which its comments are about
	secret     int  // where the text begins that a finding shows
	hide       int  // where it stops showing it
	end        int  // where the match ends
	allowed    bool // it fits and is not to be reported
}

var patterns = []pattern{
	{"aws", "secret access key of AWS", []string{"SECRET", "secret", "Secret"}, awsKey},
	{"privatekey", "private key", []string{"-----BEGIN"}, privateKey},
	{"npm", "access token of npm", []string{"npm_"}, npmToken},
	{"slack", "token of Slack", []string{"xoxb-", "xoxp-", "xapp-", "xoxa-", "xoxo-", "xoxr-"}, slackToken},
	{"slack", "incoming webhook of Slack", []string{"://"}, slackWebhook},
	{"sendgrid", "key of SendGrid", []string{"SG."}, sendgridKey},
	{"shopify", "key of Shopify", []string{"shppa_", "shpca_", "shpat_", "shpss_"}, token(6, 32, 64, "")},
	{"github", "token of GitHub", []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_"}, token(4, 36, 36, "_")},
	{"github", "token of GitHub", []string{"github_pat_"}, token(11, 82, 82, "_")},
	{"openai", "token of OpenAI", []string{"sk-"}, openAI},
	{"linear", "token of Linear", []string{"lin_api_"}, token(8, 32, 128, "_")},
	{"1password", "service account token of 1Password", []string{"ops_ey"}, onePassword},
}

// search returns what the patterns find in text.
func search(text []byte) []match {
	var found []match
	ends := make([]int, len(patterns))
	anchored().each(text, func(i, at int) {
		if at < ends[i] {
			return
		}
		p := patterns[i]
		m, ok := p.match(text, at)
		if !ok || m.from < ends[i] {
			return
		}
		ends[i] = m.end
		if !m.allowed {
			m.rule, m.what = p.rule, p.what
			found = append(found, m)
		}
	})
	return found
}

var anchored = sync.OnceValue(func() *anchors { return newAnchors(patterns) })

// longest is more than any match of a bounded expression takes, in bytes.
const longest = 512

// space is what \s is in JavaScript.
const space = "[" + ecmascript.Space + "]"

// token matches an anchor of prefix bytes and as many as there are, but not more
// than most, of letters, digits and what more says; at least least.
func token(prefix, least, most int, more string) func([]byte, int) (match, bool) {
	var fit [256]bool
	for c := range fit {
		fit[c] = alphanumeric(byte(c)) || strings.IndexByte(more, byte(c)) >= 0
	}
	return func(text []byte, at int) (match, bool) {
		end := at + prefix
		for end < len(text) && end < at+prefix+most && fit[text[end]] {
			end++
		}
		return match{from: at, to: end, secret: at, hide: at + prefix + shown, end: end}, end >= at+prefix+least
	}
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func alphanumeric(c byte) bool { return letter(c) || '0' <= c && c <= '9' }

var openAIText = expression(`sk-(?:proj|svcacct|admin)-(?:[A-Za-z0-9_-]{74}|[A-Za-z0-9_-]{58})T3BlbkFJ(?:[A-Za-z0-9_-]{74}|[A-Za-z0-9_-]{58})\b`+
	`|sk-[a-zA-Z0-9]{20}T3BlbkFJ[a-zA-Z0-9]{20}`, 3)

// openAI matches what has "OpenAI" in base64 inside.
func openAI(text []byte, at int) (match, bool) {
	if !bytes.Contains(text[at:min(len(text), at+100)], []byte("T3BlbkFJ")) {
		return match{}, false
	}
	return openAIText(text, at)
}

// expression matches what begins with the anchor, fits expr and is shorter than
// longest. A finding shows prefix bytes and a few more.
func expression(expr string, prefix int) func([]byte, int) (match, bool) {
	re := regexp.MustCompile(`^(?:` + expr + `)`)
	return func(text []byte, at int) (match, bool) {
		return fits(re, text[:min(len(text), at+longest)], at, prefix)
	}
}

func fits(re *regexp.Regexp, text []byte, at, prefix int) (match, bool) {
	loc := re.FindIndex(text[at:])
	if loc == nil {
		return match{}, false
	}
	end := at + loc[1]
	return match{from: at, to: end, secret: at, hide: at + prefix + shown, end: end}, true
}

var awsValue = regexp.MustCompile(`^(?:SECRET|secret|Secret)_?(?:ACCESS|access|Access)_?(?:KEY|key|Key)["']?` +
	space + `*(?::|=>|=)` + space + `*["']?([A-Za-z0-9/+=]{40})["']?\b`)

// awsExample is in the documentation of AWS.
const awsExample = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

// awsKey matches an assignment. secretlint's range begins with the name and is as
// long as the value.
func awsKey(text []byte, at int) (match, bool) {
	// Most secrets of a program are no secret access keys.
	if rest := bytes.TrimPrefix(text[at+len("secret"):], []byte("_")); len(rest) == 0 || rest[0]|0x20 != 'a' {
		return match{}, false
	}
	loc := awsValue.FindSubmatchIndex(text[at:])
	if loc == nil {
		return match{}, false
	}
	value, from := at+loc[2], awsName(text[:at])
	return match{
		from: from, to: from + 40,
		secret: value, hide: value + shown, end: at + loc[1],
		allowed: string(text[value:at+loc[3]]) == awsExample,
	}, true
}

// awsName returns where the name begins that before is the beginning of.
func awsName(before []byte) int {
	before = bytes.TrimSuffix(before, []byte("_"))
	if n := len(before) - 3; n >= 0 && slices.Contains([]string{"AWS", "aws", "Aws"}, string(before[n:])) {
		before = before[:n]
	}
	if n := len(before) - 1; n >= 0 && strings.IndexByte(`"'`, before[n]) >= 0 {
		return n
	}
	return len(before)
}

var npmText = token(4, 36, 36, "_")

// npmToken matches what has the length of a token; vsce allows it if it has more
// than one underscore.
func npmToken(text []byte, at int) (match, bool) {
	m, ok := npmText(text, at)
	m.allowed = ok && bytes.Count(text[m.from:m.end], []byte("_")) > 1
	return m, ok
}

var slackText = regexp.MustCompile(`^xo?[a-z]+-(?:\d-)?(?:[a-zA-Z0-9]{1,40}-)+[a-zA-Z0-9]{1,40}\b`)

func slackToken(text []byte, at int) (match, bool) {
	if at > 0 && (alphanumeric(text[at-1]) || text[at-1] == '_') {
		return match{}, false
	}
	return fits(slackText, text, at, 5)
}

// The scheme, the host and the path are in any case, of ASCII letters only.
var slackURL = expression(`[hH][tT][tT][pP][sS]://[hH][oO][oO][kK][sS]\.[sS][lL][aA][cC][kK]\.[cC][oO][mM]/`+
	`[sS][eE][rR][vV][iI][cC][eE][sS]/[tT][a-zA-Z0-9]{1,40}/[bB][a-zA-Z0-9]{1,40}/[a-zA-Z0-9]{1,40}`, 34)

func slackWebhook(text []byte, at int) (match, bool) {
	from, host := at-len("https"), at+len("://")
	if from < 0 || host == len(text) || text[host]|0x20 != 'h' {
		return match{}, false
	}
	return slackURL(text, from)
}

var sendgridText = expression(`SG\.\w{1,128}\.\w{1,128}[-_]?\w{1,128}`, 3)

// sendgridKey matches what looks like a key. Only one of 69 characters is.
func sendgridKey(text []byte, at int) (match, bool) {
	if at > 0 && letter(text[at-1]) {
		return match{}, false
	}
	m, ok := sendgridText(text, at)
	m.allowed = m.end-m.from != 69
	return m, ok
}

// A regular expression here counts to a thousand at most, thus two counts for 100 to 1280.
var onePasswordText = regexp.MustCompile(`^ops_(ey[A-Za-z0-9+/=]{100,1000}[A-Za-z0-9+/=]{0,280}fQ={0,2})`)

// onePassword matches what looks like a token. One that is no JSON object is none.
func onePassword(text []byte, at int) (match, bool) {
	m, ok := fits(onePasswordText, text, at, len("ops_"))
	if ok {
		m.allowed = !isObject(text[at+len("ops_") : m.end])
	}
	return m, ok
}

// isObject tells whether b is a JSON object in base64, padded or not.
func isObject(b []byte) bool {
	if len(b)%4 == 0 {
		b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("=")), []byte("="))
	}
	decoded, err := base64.RawStdEncoding.AppendDecode(nil, b)
	return err == nil && json.Valid(decoded)
}
