package collect

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/errmsg"
	"galbuild/build/jsonc"
	"galbuild/build/npmsemver"
	"galbuild/build/regularfile"
	"galbuild/build/similar"
	"galbuild/build/source"
	"galbuild/build/vsix/manifest"
)

// maxFile is the limit of a list or another file of requests, in bytes.
const maxFile = 64 << 20

// A parser collects requests and mistakes.
type parser struct {
	ParseConfig
	requests []Request
	problems []error
	read     map[string]bool // files, by absolute path: each is read once
}

// err returns all mistakes, one a line, or nil.
func (p *parser) err() error { return errors.Join(p.problems...) }

// An origin is where a request is written.
type origin struct {
	source string
	line   int
}

// problem records a mistake.
func (p *parser) problem(o origin, format string, args ...any) {
	err := fmt.Errorf(format, args...)
	switch {
	case o.source == CommandLine:
	case o.line == 0:
		err = fmt.Errorf("%s: %w", o.source, err)
	default:
		err = fmt.Errorf("%s:%d: %w", o.source, o.line, err)
	}
	p.problems = append(p.problems, err)
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// argument reads an argument, or a line of a list whose paths are relative to dir.
func (p *parser) argument(arg, dir string, o origin) {
	file, isList := strings.CutPrefix(arg, "@")
	switch {
	case o.source == CommandLine && (arg == "-" || arg == "@-"):
		p.stdin()
	case isList && scheme.MatchString(file):
		p.problem(o, "%s: a list must be a local file; download it first", errmsg.Redact(arg))
	case isList:
		p.file(filepath.Join(dir, filepath.FromSlash(file)), o)
	case scheme.MatchString(arg), isGitHub(arg):
		p.address(arg, o)
	case o.source == CommandLine && isFile(arg):
		p.file(arg, o)
	default:
		p.id(arg, o)
	}
}

// isFile reports whether an argument is a file. An id may end in .json too, or .lock too, so such a
// file must exist.
func isFile(arg string) bool {
	switch base := filepath.Base(arg); {
	case arg == "":
		return false
	case base != arg, base == lock.FileName, base == "extensions.json", base == "product.json":
		return true
	case filepath.Ext(base) == ".code-workspace":
		return true
	default:
		return (filepath.Ext(base) == ".json" || filepath.Ext(base) == ".lock") && isRegular(arg)
	}
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func (p *parser) stdin() {
	if p.Stdin == nil {
		return
	}
	text, err := io.ReadAll(io.LimitReader(p.Stdin, maxFile+1))
	o := origin{source: "standard input"}
	switch {
	case err != nil:
		p.problem(o, "%w", errmsg.Error(err))
	case len(text) > maxFile:
		p.problem(o, "is larger than %d MiB", maxFile>>20)
	default:
		p.text(text, ".", o)
	}
}

// file reads a file of requests. Files that contain each other are read once.
func (p *parser) file(path string, from origin) {
	real, err := filepath.Abs(path)
	if err == nil && p.read[real] {
		return
	}
	p.read[real] = true
	o := origin{source: filepath.ToSlash(filepath.Clean(path))}
	text, err := regularfile.ReadFile(path, maxFile)
	if err != nil {
		p.problem(from, "%w", errmsg.Error(err))
		return
	}
	p.text(text, filepath.Dir(path), o)
}

// text reads the content of a file: JSON, or a list.
func (p *parser) text(text []byte, dir string, o origin) {
	if plain := manifest.PlainJSON(text); isJSON(plain) {
		p.json(plain, o)
		return
	}
	lines, err := source.ParseList(text)
	if err != nil {
		p.problem(o, "%w", err)
		return
	}
	found := len(p.requests) + len(p.problems) + len(p.read)
	for _, l := range lines {
		if !isHeading(l.Text) {
			p.argument(l.Text, dir, origin{o.source, l.Number})
		}
	}
	if found == len(p.requests)+len(p.problems)+len(p.read) && len(lines) == 0 {
		p.problem(o, "the list names no extension")
	}
}

// isHeading reports whether a line is one that code --list-extensions prints above the extensions
// of a remote host.
func isHeading(line string) bool {
	return strings.HasPrefix(line, "Extensions installed on ") && strings.HasSuffix(line, ":")
}

// isJSON reports whether a text begins as JSON does, after comments. No list of ids does.
func isJSON(text []byte) bool {
	rest := strings.TrimLeft(string(text[:min(len(text), 1<<16)]), " \t\r\n")
	return rest != "" && strings.Contains("{[/", rest[:1])
}

var github = regexp.MustCompile(`^(?i:github:)([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+(?:@[^\s@]+)?)$`)

func isGitHub(arg string) bool { return len(arg) > 7 && strings.EqualFold(arg[:7], "github:") }

func (p *parser) address(arg string, o origin) {
	r := Request{Address: arg, Source: o.source, Line: o.line}
	if isGitHub(arg) {
		m := github.FindStringSubmatch(arg)
		if m == nil {
			p.problem(o, "%q: want github:OWNER/REPO or github:OWNER/REPO@TAG", arg)
			return
		}
		r.Address = "github:" + m[1]
	} else if u, err := url.Parse(arg); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		p.problem(o, "%q: want an address that begins with https:// or http://", errmsg.Redact(arg))
		return
	}
	p.requests = append(p.requests, r)
}

const wantRequest = "want publisher.name[@VERSION][@PLATFORM], where VERSION is 1.2.3, a range such as ^1.2, latest, pre-release or all"

// id reads an id with what follows it.
func (p *parser) id(arg string, o origin) {
	parts := strings.Split(arg, "@")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	r := Request{ID: strings.ToLower(parts[0]), Source: o.source, Line: o.line}
	if err := checkExtension(arg, parts[0]); err != nil {
		p.problem(o, "%w", err)
		return
	}
	if err := r.qualify(parts[1:]); err != nil {
		p.problem(o, "%q: %w", arg, err)
		return
	}
	if p.Newest && o.source != CommandLine {
		r.Version = ""
	}
	p.requests = append(p.requests, r)
}

// checkExtension checks the part of an argument that is the id of an extension.
func checkExtension(arg, id string) error {
	publisher, name, ok := strings.Cut(id, ".")
	switch {
	case isRegular(arg) && strings.EqualFold(filepath.Ext(arg), ".vsix"):
		return fmt.Errorf("%q is a package: build a gallery of it, or add it to one, without collecting it", arg)
	case isRegular(arg):
		return fmt.Errorf("%q is a file%s", arg, similar.Ask([]string{"@" + arg}))
	case !ok || name == "":
		return fmt.Errorf("%q is not the id of an extension: %s", arg, wantRequest)
	}
	if err := catalog.CheckID(publisher, name); err != nil {
		return fmt.Errorf("%q is not the id of an extension: %w", arg, err)
	}
	return nil
}

// qualify reads what follows the id.
func (r *Request) qualify(parts []string) error {
	switch {
	case slices.Contains(parts, ""):
		return errors.New(`nothing follows an "@": ` + wantRequest)
	case len(parts) > 2:
		return fmt.Errorf(`there are %d "@", at most two are allowed: %s`, len(parts), wantRequest)
	case len(parts) == 2:
		if r.setPlatform(parts[0]) {
			return fmt.Errorf("the platform %s comes before the version: %s", parts[0], wantRequest)
		}
		if !r.setVersion(parts[0]) {
			return fmt.Errorf("%q is not a version%s", parts[0], orWant(parts[0], keywords()))
		}
		if !r.setPlatform(parts[1]) {
			return fmt.Errorf("%q is not a platform%s", parts[1], orWant(parts[1], platforms()))
		}
	case len(parts) == 1 && !r.setVersion(parts[0]) && !r.setPlatform(parts[0]):
		return fmt.Errorf("%q is neither a version nor a platform%s", parts[0], orWant(parts[0], append(keywords(), platforms()...)))
	}
	return nil
}

// orWant returns a suggestion of the most similar name, or else the form that is expected. For a
// version that begins with v, it suggests the version without it.
func orWant(part string, names []string) string {
	if rest := strings.TrimPrefix(part, "v"); rest != part && isVersion(rest) {
		return similar.Ask([]string{rest})
	}
	if question := similar.Question(part, names); question != "" {
		return question
	}
	return ": " + wantRequest
}

func keywords() []string { return []string{"latest", "pre-release", "all"} }

// ParsePlatform returns the name of a platform of editors, or of universal packages, in lower case.
func ParsePlatform(s string) (string, error) {
	platform := strings.ToLower(s)
	if known := platforms(); !slices.Contains(known, platform) {
		return "", fmt.Errorf("%.100q is not a platform%s", s, jsonc.OrOneOf(s, known))
	}
	return platform, nil
}

func platforms() []string { return append(catalog.Platforms(), catalog.Universal) }

// isVersion reports whether s is a complete version, which galleries can have.
func isVersion(s string) bool { return catalog.CheckIdentity("any", "any", s) == nil }

// setVersion reads a version, a range or a keyword.
func (r *Request) setVersion(s string) bool {
	switch strings.ToLower(s) {
	case "latest":
		r.Channel = Latest
		return true
	case "pre-release":
		r.Channel = PreRelease
		return true
	case "all":
		r.Channel = All
		return true
	}
	if isVersion(s) {
		r.Version = s
		return true
	}
	if _, err := npmsemver.ParseRange(s); err != nil || strings.HasPrefix(s, "v") {
		return false
	}
	r.Range = s
	return true
}

func (r *Request) setPlatform(s string) bool {
	platform, err := ParsePlatform(s)
	if err == nil {
		r.Platform = platform
	}
	return err == nil
}
