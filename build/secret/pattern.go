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

// A pattern matches one kind of secret. Its matches do not overlap: like a search with a
// global regular expression, the search continues after the last match, even if that one
// was allowed.
type pattern struct {
	rule, what string
	// Each match contains one of literals. They have at least minLiteral bytes.
	literals []string
	// match returns the match that contains the literal at text[at:].
	match func(text []byte, at int) (match, bool)
}

// A match is an occurrence of a secret. Positions are offsets in bytes.
type match struct {
	rule, what string
	from, to   int  // the range that secretlint reports and that suppressions must cover
	shownFrom  int  // the beginning of the text in a Description
	shownTo    int  // the end of it
	end        int  // the end of the match
	allowed    bool // an example or the like, which is not reported
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

// search returns the matches of all patterns in text, except allowed ones.
func search(text []byte) []match {
	var found []match
	ends := make([]int, len(patterns))
	filter().each(text, func(i, at int) {
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

var filter = sync.OnceValue(func() *prefilter { return newPrefilter(patterns) })

// maxMatch is larger than any match of the expressions that are bounded, in bytes.
const maxMatch = 512

// space matches what \s matches in JavaScript.
const space = "[" + ecmascript.Space + "]"

// token matches a literal of prefix bytes, followed by minLen to maxLen letters, digits and bytes
// in more. It matches as many of them as possible.
func token(prefix, minLen, maxLen int, more string) func([]byte, int) (match, bool) {
	var allowed [256]bool
	for c := range allowed {
		allowed[c] = alphanumeric(byte(c)) || strings.IndexByte(more, byte(c)) >= 0
	}
	return func(text []byte, at int) (match, bool) {
		end := at + prefix
		for end < len(text) && end < at+prefix+maxLen && allowed[text[end]] {
			end++
		}
		return match{from: at, to: end, shownFrom: at, shownTo: at + prefix + shownChars, end: end}, end >= at+prefix+minLen
	}
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func alphanumeric(c byte) bool { return letter(c) || '0' <= c && c <= '9' }

var openAIText = expression(`sk-(?:proj|svcacct|admin)-(?:[A-Za-z0-9_-]{74}|[A-Za-z0-9_-]{58})T3BlbkFJ(?:[A-Za-z0-9_-]{74}|[A-Za-z0-9_-]{58})\b`+
	`|sk-[a-zA-Z0-9]{20}T3BlbkFJ[a-zA-Z0-9]{20}`, 3)

// openAI matches a token, which contains "OpenAI" in base64.
func openAI(text []byte, at int) (match, bool) {
	if !bytes.Contains(text[at:min(len(text), at+100)], []byte("T3BlbkFJ")) {
		return match{}, false
	}
	return openAIText(text, at)
}

// expression matches a regular expression at the literal, within maxMatch bytes. prefix is that of
// matchAt.
func expression(expr string, prefix int) func([]byte, int) (match, bool) {
	re := regexp.MustCompile(`^(?:` + expr + `)`)
	return func(text []byte, at int) (match, bool) {
		return matchAt(re, text[:min(len(text), at+maxMatch)], at, prefix)
	}
}

// matchAt matches re, which is anchored, at an offset. A Description shows the first prefix bytes
// and shownChars more.
func matchAt(re *regexp.Regexp, text []byte, at, prefix int) (match, bool) {
	loc := re.FindIndex(text[at:])
	if loc == nil {
		return match{}, false
	}
	end := at + loc[1]
	return match{from: at, to: end, shownFrom: at, shownTo: at + prefix + shownChars, end: end}, true
}

var awsValue = regexp.MustCompile(`^(?:SECRET|secret|Secret)_?(?:ACCESS|access|Access)_?(?:KEY|key|Key)["']?` +
	space + `*(?::|=>|=)` + space + `*["']?([A-Za-z0-9/+=]{40})["']?\b`)

// awsExample is the key in the documentation of AWS. It is allowed.
const awsExample = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

// awsKey matches an assignment. The range that secretlint reports begins with the name and
// has the length of the value.
func awsKey(text []byte, at int) (match, bool) {
	// Most names with "secret" in a program are not of secret access keys.
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
		shownFrom: value, shownTo: value + shownChars, end: at + loc[1],
		allowed: string(text[value:at+loc[3]]) == awsExample,
	}, true
}

// awsName returns the offset at which the name of an assignment begins. text ends before
// the word SECRET in that name.
func awsName(text []byte) int {
	text = bytes.TrimSuffix(text, []byte("_"))
	if n := len(text) - 3; n >= 0 && slices.Contains([]string{"AWS", "aws", "Aws"}, string(text[n:])) {
		text = text[:n]
	}
	if n := len(text) - 1; n >= 0 && strings.IndexByte(`"'`, text[n]) >= 0 {
		return n
	}
	return len(text)
}

var npmText = token(4, 36, 36, "_")

// npmToken matches text of the length of a token. vsce allows text with more than one
// underscore.
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
	return matchAt(slackText, text, at, 5)
}

// The expression ignores the case of ASCII letters only; (?i) would fold others to them.
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

// sendgridKey matches text that looks like a key. Only text of 69 characters is one.
func sendgridKey(text []byte, at int) (match, bool) {
	if at > 0 && letter(text[at-1]) {
		return match{}, false
	}
	m, ok := sendgridText(text, at)
	m.allowed = m.end-m.from != 69
	return m, ok
}

// Package regexp allows at most 1000 repetitions, so two of them stand for 100 to 1280.
var onePasswordText = regexp.MustCompile(`^ops_(ey[A-Za-z0-9+/=]{100,1000}[A-Za-z0-9+/=]{0,280}fQ={0,2})`)

// onePassword matches text that looks like a token. Only a JSON object in base64 is one.
func onePassword(text []byte, at int) (match, bool) {
	m, ok := matchAt(onePasswordText, text, at, len("ops_"))
	if ok {
		m.allowed = !isJSON(text[at+len("ops_") : m.end])
	}
	return m, ok
}

// isJSON reports whether b is JSON in base64, with or without padding.
func isJSON(b []byte) bool {
	if len(b)%4 == 0 {
		b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("=")), []byte("="))
	}
	decoded, err := base64.RawStdEncoding.AppendDecode(nil, b)
	return err == nil && json.Valid(decoded)
}
