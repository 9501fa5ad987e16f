// Package secret finds what should not leave the author's machine: .env files,
// and keys and tokens in the text of a file.
//
// The rules are those of secretlint's recommended preset as vsce runs it, under
// the names that --allow-package-secrets takes:
//
//	1password   service account token, ops_… that holds a JSON object
//	aws         40 characters assigned to [AWS_]SECRET_ACCESS_KEY, in three spellings
//	gcp         service account: *.json with private_key_id and a private_key, or *.p12
//	            of the password that Google gives all of them
//	github      ghp_, gho_, ghu_, ghs_, ghr_ and 36 characters; github_pat_ and 82
//	linear      lin_api_ and at least 32 characters
//	npm         npm_ and 36 letters and digits
//	openai      sk-… around T3BlbkFJ
//	privatekey  PEM block of a private key with at least 50 characters of base64
//	sendgrid    SG.… of 69 characters
//	shopify     shppa_, shpca_, shpat_, shpss_ and at least 32 characters
//	slack       xoxb-… and its kin; the URL of an incoming webhook
//
// Not reported, as vsce reports none of it either: user and password in a URL, ids
// of AWS, and what is in UTF-16. Different from vsce on purpose:
//
//   - A token is one finding, also where two rules of secretlint see the same one
//     (_authToken of a .npmrc, x-oauth-basic of a package.json).
//   - An empty _authToken, which vsce takes the following line for, is none.
//   - A private_key of a service account is a string.
//   - A .env file is one whatever it holds, also if that looks binary.
//   - Only the path below the folder tells what is in node_modules.
//
// A comment suppresses findings, see disabled.
//
// Source: out/secretLint.js and out/package.js of @vscode/vsce 4.1.0;
// @secretlint/secretlint-rule-preset-recommend 10.2.2.
package secret

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"

	"galbuild/build/ecmascript"
	"galbuild/build/pack/finding"
)

// Options allow some of it.
type Options struct {
	Allow    []string // names of Rules
	AllowAll bool     // all Rules, but not .env files
	AllowEnv bool     // .env files
}

func (o Options) allows(rule string) bool {
	if rule == dotenv {
		return o.AllowEnv
	}
	return o.AllowAll || slices.Contains(o.Allow, rule)
}

// dotenv is the rule for .env files. It is not among Rules.
const dotenv = "no-dotenv"

// Rules returns the names that Options.Allow takes, sorted.
func Rules() []string {
	names := []string{gcp}
	for _, p := range patterns {
		names = append(names, p.rule)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var unscanned = regexp.MustCompile(`node_modules|\.(?:[jJ][pP][eE]?[gG]|[pP][nN][gG]|[gG][iI][fF]|[sS][vV][gG])$`)

// Skips tells whether Scan finds nothing in a file of that name, whatever it
// holds: a file of a dependency, or of a binary format.
func Skips(name string) bool {
	if unscanned.MatchString(name) {
		return true
	}
	text, known := textName(name)
	return known && !text && ecmascript.Extname(name) != ".p12"
}

// Scan looks through one file. name is its path below the folder, slashed. The
// findings are in order of their places. Safe for concurrent use.
func Scan(name string, content []byte, o Options) []finding.Finding {
	if Skips(name) {
		return nil
	}
	text := bytes.TrimPrefix(content, []byte("\uFEFF"))
	found := find(name, content, text, o)
	found = slices.DeleteFunc(found, func(m match) bool { return o.allows(m.rule) })
	if len(found) == 0 {
		return nil
	}
	lines := lineStarts(text)
	if !o.AllowAll {
		off := disabled(text, lines)
		found = slices.DeleteFunc(found, func(m match) bool { return covered(m, off) })
	}
	slices.SortStableFunc(found, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	findings := make([]finding.Finding, len(found))
	for i, m := range found {
		line, column := position(text, lines, m.from)
		findings[i] = m.finding(fmt.Sprintf("%s:%d:%d", name, line, column), name, text)
	}
	return findings
}

// find returns what is in a file, allowed or not. text is its content without the
// byte order mark.
func find(name string, content, text []byte, o Options) []match {
	var found []match
	if path.Base(name) == ".env" {
		found = append(found, match{rule: dotenv, to: len(text)})
	}
	if o.AllowAll {
		return found
	}
	if serviceAccount(name, content, text) {
		found = append(found, match{rule: gcp, to: len(text)})
	}
	if isText(name, content) {
		found = append(found, search(text)...)
	}
	return found
}

// shown is how many characters of a token a finding shows, so that its author can
// find it and a reader of the log cannot use it.
const shown = 4

// finding says where the match is and what it is.
func (m match) finding(where, name string, text []byte) finding.Finding {
	switch m.rule {
	case dotenv:
		return finding.Error(name, `leave it out by .vscodeignore or "files" of package.json, or allow it with --allow-package-env-file`,
			"a .env file holds secrets")
	case gcp:
		return finding.Error(where, way(gcp), "private key of a service account of Google Cloud [%s]", gcp)
	}
	begin := text[m.secret:min(m.hide, m.end)]
	return finding.Error(where, way(m.rule), "%s, %q [%s]", m.what, string(begin)+"…", m.rule)
}

func way(rule string) string {
	return "remove it, or allow it with --allow-package-secrets " + rule
}
