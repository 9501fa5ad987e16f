package modules

import (
	"regexp"
	"strings"

	"galbuild/build/npmsemver"
)

// An origin is the kind of source of a package, according to a spec.
type origin int

const (
	unknown   origin = iota // not valid for npm
	elsewhere               // a path, a URL, a repository, or a tag
	registry                // a range of versions
)

// Forms of a spec. Source: npm-package-arg 13, lib/npa.js.
var (
	pathSpec    = regexp.MustCompile(`(?i)^(file:|\.|~?/|[a-z]:)`)
	urlSpec     = regexp.MustCompile(`(?i)^(?:git\+)?([a-z]+):`)
	archiveSpec = regexp.MustCompile(`(?i)/|\.(tgz|tar\.gz|tar)$`)
	tagSpec     = regexp.MustCompile(`^[A-Za-z0-9_.!~*'()-]+$`)
)

// protocols are those that npm installs from. workspace:, catalog:, link:, portal:, patch:
// and jsr: belong to other tools.
var protocols = map[string]bool{
	"git": true, "http": true, "https": true, "rsync": true, "ftp": true, "file": true, "ssh": true,
	"github": true, "gitlab": true, "bitbucket": true, "gist": true, "sourcehut": true,
}

// matchesSpec reports whether a package with this version satisfies a spec. Its package.json
// does not record its origin, so any version satisfies file:../lib, owner/repo and latest.
func matchesSpec(spec, version string) bool {
	from, versions := readSpec(spec)
	if from != registry || versions == "*" { // * allows prereleases and a missing version; x does not
		return from != unknown
	}
	r, _ := npmsemver.ParseLooseRange(versions)
	return r.Contains(version)
}

// readSpec returns the origin of a spec, and its range of versions if that is registry.
func readSpec(spec string) (from origin, versions string) {
	const alias = "npm:"
	if len(spec) >= len(alias) && strings.EqualFold(spec[:len(alias)], alias) {
		return readAlias(spec[len(alias):])
	}
	if pathSpec.MatchString(spec) {
		return elsewhere, ""
	}
	if m := urlSpec.FindStringSubmatch(spec); m != nil {
		if protocols[strings.ToLower(m[1])] {
			return elsewhere, ""
		}
		return unknown, ""
	}
	if archiveSpec.MatchString(spec) {
		return elsewhere, ""
	}
	return readVersions(strings.TrimSpace(spec))
}

func readVersions(spec string) (from origin, versions string) {
	if spec == "" {
		return registry, "*"
	}
	if _, err := npmsemver.ParseLooseRange(spec); err == nil {
		return registry, spec
	}
	if tagSpec.MatchString(spec) {
		return elsewhere, ""
	}
	return unknown, ""
}

// readAlias reads name, name@range or @scope/name@range, which follow npm: in a spec.
func readAlias(spec string) (from origin, versions string) {
	name, versions := spec, ""
	if i := strings.LastIndex(spec, "@"); i > 0 {
		name, versions = spec[:i], spec[i+1:]
	}
	if !isFolderName(name) || strings.Contains(name, ":") {
		return unknown, ""
	}
	return readVersions(strings.TrimSpace(versions))
}
