// Package secret finds secrets that an author must not publish: .env files, and keys and tokens in
// the text of a file.
//
// The rules are those of secretlint's recommended preset as vsce runs it:
//
//	1password   service account token: ops_… with a JSON object in base64
//	aws         40 characters assigned to [AWS_]SECRET_ACCESS_KEY, in three spellings
//	gcp         service account: *.json with private_key_id and a private_key, or *.p12
//	            with the password that Google gives to each of them
//	github      ghp_, gho_, ghu_, ghs_, ghr_ and 36 characters; github_pat_ and 82
//	linear      lin_api_ and at least 32 characters
//	npm         npm_ and 36 letters and digits
//	openai      sk-… around T3BlbkFJ
//	privatekey  PEM block of a private key with at least 50 characters of base64
//	sendgrid    SG.… of 69 characters
//	shopify     shppa_, shpca_, shpat_, shpss_ and at least 32 characters
//	slack       xoxb-… and the like; the URL of an incoming webhook
//
// Like vsce, Scan does not report a user and password in a URL, ids of AWS, or anything
// in UTF-16. It differs from vsce on purpose:
//
//   - A token is reported once, even if two rules of secretlint match it (_authToken in
//     a .npmrc, x-oauth-basic in a package.json).
//   - An empty _authToken is not reported. vsce takes the following line for its value.
//   - The private_key of a service account must be a string.
//   - A .env file is reported whatever it contains, even if it looks binary.
//   - Whether a file is in node_modules depends only on its path below the folder.
//
// Comments in a file can suppress reports, see suppressions.
//
// Source: out/secretLint.js and out/package.js of @vscode/vsce 4.1.0;
// @secretlint/secretlint-rule-preset-recommend 10.2.2.
package secret

import (
	"bytes"
	"cmp"
	"path"
	"regexp"
	"slices"
	"strconv"

	"galbuild/build/ecmascript"
)

// Options select what Scan does not report.
type Options struct {
	Allow    []string // names from Rules
	AllowAll bool     // all of Rules, but not DotEnv
	AllowEnv bool     // DotEnv
}

func (o Options) allows(rule string) bool {
	if rule == DotEnv {
		return o.AllowEnv
	}
	return o.AllowAll || slices.Contains(o.Allow, rule)
}

// DotEnv is the rule for .env files. Rules does not list it, because Options.AllowEnv
// allows it and Options.Allow does not.
const DotEnv = "no-dotenv"

// Rules returns the names that Options.Allow takes, sorted.
func Rules() []string {
	names := []string{gcp}
	for _, p := range patterns {
		names = append(names, p.rule)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// A Secret is one secret in a file.
type Secret struct {
	Rule string // one of Rules, or DotEnv
	// Line and Column are the position, both from 1; 0 for DotEnv, which reports a whole
	// file. Columns count UTF-16 code units, as editors and vsce do.
	Line, Column int
	// Description is the kind of secret and its beginning, such as: access token of npm,
	// "npm_aB3d…". It contains no more of the secret than its author needs to recognize it.
	Description string
}

var skippedNames = regexp.MustCompile(`node_modules|\.(?:[jJ][pP][eE]?[gG]|[pP][nN][gG]|[gG][iI][fF]|[sS][vV][gG])$`)

// Skips reports whether Scan ignores a file because of its name: a file of a dependency
// or of a binary format.
func Skips(name string) bool {
	if skippedNames.MatchString(name) {
		return true
	}
	text, known := textName(name)
	return known && !text && ecmascript.Extname(name) != ".p12"
}

// Scan returns the secrets in one file, sorted by position. name is the slashed path of
// the file below the folder. Scan is safe for concurrent use.
func Scan(name string, content []byte, o Options) []Secret {
	if Skips(name) {
		return nil
	}
	text := bytes.TrimPrefix(content, []byte("\uFEFF"))
	found := matches(name, content, text, o)
	found = slices.DeleteFunc(found, func(m match) bool { return o.allows(m.rule) })
	if len(found) == 0 {
		return nil
	}
	lines := lineStarts(text)
	if !o.AllowAll {
		suppressed := suppressions(text, lines)
		found = slices.DeleteFunc(found, func(m match) bool { return isSuppressed(m, suppressed) })
	}
	slices.SortStableFunc(found, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	secrets := make([]Secret, len(found))
	for i, m := range found {
		secrets[i] = m.secret(text, lines)
	}
	return secrets
}

// matches returns the matches of all rules, whether they are allowed or not. text is
// content without its byte order mark.
func matches(name string, content, text []byte, o Options) []match {
	var found []match
	if path.Base(name) == ".env" {
		found = append(found, match{rule: DotEnv, to: len(text)})
	}
	if o.AllowAll {
		return found
	}
	if isServiceAccount(name, content, text) {
		found = append(found, match{rule: gcp, to: len(text)})
	}
	if isText(name, content) {
		found = append(found, search(text)...)
	}
	return found
}

// shownChars is the number of characters of a token in a Description: enough for the
// author to find the token, too few for a reader of the log to use it.
const shownChars = 4

// secret returns the match as Scan returns it.
func (m match) secret(text []byte, lines []int) Secret {
	if m.rule == DotEnv {
		return Secret{Rule: DotEnv, Description: "a .env file holds secrets"}
	}
	s := Secret{Rule: m.rule}
	s.Line, s.Column = position(text, lines, m.from)
	if m.rule == gcp {
		s.Description = "private key of a service account of Google Cloud"
		return s
	}
	start := text[m.shownFrom:min(m.shownTo, m.end)]
	s.Description = m.what + ", " + strconv.Quote(string(start)+"…")
	return s
}
