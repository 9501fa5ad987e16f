package modules

import (
	"regexp"
	"strings"

	"galbuild/build/pack/npm/semver"
)

// An origin is where a spec says that a package comes from.
type origin int

const (
	unknown   origin = iota // npm does not understand it
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

// fetched are the protocols that npm installs from; not workspace:, catalog:,
// link:, portal:, patch: and jsr:, which are other tools'.
var fetched = map[string]bool{
	"git": true, "http": true, "https": true, "rsync": true, "ftp": true, "file": true, "ssh": true,
	"github": true, "gitlab": true, "bitbucket": true, "gist": true, "sourcehut": true,
}

// satisfied tells whether a package of this version is what spec asks for. Where a
// package came from is not written in it; so any is good for file:../lib,
// owner/repo and latest.
func satisfied(spec, version string) bool {
	from, versions := readSpec(spec)
	if from != registry || versions == "*" { // unlike x, any version, even a prerelease or none
		return from != unknown
	}
	r, _ := semver.ParseLooseRange(versions)
	return r.Contains(version)
}

// readSpec returns the range as well, if it is one.
func readSpec(spec string) (from origin, versions string) {
	const alias = "npm:"
	if len(spec) >= len(alias) && strings.EqualFold(spec[:len(alias)], alias) {
		return readAlias(spec[len(alias):])
	}
	if pathSpec.MatchString(spec) {
		return elsewhere, ""
	}
	if m := urlSpec.FindStringSubmatch(spec); m != nil {
		if fetched[strings.ToLower(m[1])] {
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
	if _, err := semver.ParseLooseRange(spec); err == nil {
		return registry, spec
	}
	if tagSpec.MatchString(spec) {
		return elsewhere, ""
	}
	return unknown, ""
}

// readAlias is for name, name@range and @scope/name@range.
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
