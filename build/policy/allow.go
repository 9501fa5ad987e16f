package policy

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/jsonc"
)

// An allowRule has the grammar of VS Code's setting extensions.allowed. The entry of an extension
// takes precedence over that of its publisher, and that one over the entry "*".
//
// Unlike VS Code, it never compares a publisher's display name, which anyone can choose.
//
// Source: https://github.com/microsoft/vscode/blob/056c62245c23e458de6dae45291d6ca33d9c53de/src/vs/platform/extensionManagement/common/allowedExtensionsService.ts
type allowRule struct {
	line    int
	entries map[string]allowed // by publisher.name, publisher, or "*", in lower case
}

// allowed is the value of an entry.
type allowed struct {
	line     int
	no       bool     // false
	stable   bool     // "stable": no pre-releases
	versions []string // only these: 1.2.3 or 1.2.3@linux-x64; nil is all
}

// goodVersion matches a version in a list, as VS Code does.
var goodVersion = regexp.MustCompile(`^(\d+\.\d+\.\d+(?:-[^@]*)?)(?:@(.+))?$`)

func (r *reader) readAllow(f jsonc.Field) *allowRule {
	rule := &allowRule{line: f.Line, entries: make(map[string]allowed)}
	for scope, x := range r.scopes(f) {
		rule.entries[scope] = r.readAllowed(x, scope)
	}
	return rule
}

func (r *reader) readAllowed(f jsonc.Field, scope string) allowed {
	a := allowed{line: f.Line}
	kind := f.Value.Value.Kind()
	isExtension := strings.Contains(scope, ".")
	switch text := r.Show(f); {
	case kind == 't':
	case kind == 'f':
		a.no = true
	case text == `"stable"` && scope != "*":
		a.stable = true
	case kind == '[' && isExtension:
		a.versions = r.readVersions(f)
	case isExtension:
		r.Problem(f, `want true, false, "stable" or a list of versions such as ["1.2.3"], found %s`, text)
	case scope == "*":
		r.Problem(f, "want true or false, found %s", text)
	default:
		r.Problem(f, `want true, false or "stable", found %s`, text)
	}
	return a
}

func (r *reader) readVersions(f jsonc.Field) []string {
	const want = `a version such as "1.2.3" or "1.2.3@linux-x64"`
	versions := []string{}
	for _, x := range r.Elements(f) {
		s, ok := r.String(x, want)
		if !ok {
			continue
		}
		parts := goodVersion.FindStringSubmatch(s)
		if parts == nil {
			r.Problem(x, "want %s, found %.100q", want, s)
			continue
		}
		if parts[2] == "" || r.isPlatform(x, parts[2]) {
			versions = append(versions, s)
		}
	}
	return versions
}

// check returns the line and the reason for which a candidate is not allowed, or 0.
func (a *allowRule) check(c *Candidate) (line int, detail string) {
	id, publisher := names(c.Key)
	for _, scope := range []string{id, publisher} {
		if entry, ok := a.entries[scope]; ok {
			return entry.check(scope, c.Version)
		}
	}
	all, ok := a.entries["*"]
	if ok && !all.no {
		return 0, ""
	}
	return cmp.Or(all.line, a.line), id + " is not among the allowed extensions"
}

func (a *allowed) check(scope string, v *catalog.Version) (line int, detail string) {
	switch {
	case a.no:
		return a.line, scope + " is not allowed"
	case a.stable && v.PreRelease:
		return a.line, "pre-releases of " + scope + " are not allowed"
	case a.versions != nil && !slices.ContainsFunc(a.versions, func(s string) bool { return matches(s, v) }):
		return a.line, fmt.Sprintf("%s is not among the allowed versions of %s", idWithin(v), scope)
	}
	return 0, ""
}

// matches reports whether v is a version of a list. A universal version is for all platforms.
func matches(s string, v *catalog.Version) bool {
	version, platform, _ := strings.Cut(s, "@")
	return version == v.Version && (platform == "" || v.Platform == "" || platform == v.Platform)
}

// idWithin returns the version, and its platform if it has one.
func idWithin(v *catalog.Version) string {
	if v.Platform == "" {
		return v.Version
	}
	return v.Version + "@" + v.Platform
}

// names returns the id of the extension and the name of the publisher in a key.
func names(key string) (id, publisher string) {
	id, _, _ = strings.Cut(key, "@")
	publisher, _, _ = strings.Cut(id, ".")
	return id, publisher
}
