package policy

import (
	"slices"
	"strings"
)

// AllowedExtensions returns the value of VS Code's setting extensions.allowed: what allow says,
// without what deny and the lists name. The setting cannot express all of that, see
// [Policy.NotInAllowed].
func (p *Policy) AllowedExtensions() map[string]any {
	result := make(map[string]any)
	if p.allow == nil {
		result["*"] = true
	} else {
		for scope, entry := range p.allow.entries {
			result[scope] = entry.value(p.deny.ids[scope])
		}
	}
	for publisher := range p.deny.publishers {
		for scope := range result {
			if strings.HasPrefix(scope, publisher+".") {
				delete(result, scope)
			}
		}
		p.forbid(result, publisher, "*")
	}
	for id, all := range p.deny.ids {
		publisher, _, _ := strings.Cut(id, ".")
		if slices.ContainsFunc(all, func(x deniedID) bool { return x.CheckExtension() == nil }) {
			delete(result, id)
			p.forbid(result, id, publisher, "*")
		}
	}
	return result
}

// forbid sets the value of a scope to false, unless none of the wider scopes allows it.
func (p *Policy) forbid(result map[string]any, scope string, wider ...string) {
	delete(result, scope)
	for _, w := range wider {
		if value, ok := result[w]; ok {
			if value != false {
				result[scope] = false
			}
			return
		}
	}
}

// value returns the value of an entry in the setting, without the versions that are denied.
func (a *allowed) value(denied []deniedID) any {
	switch {
	case a.no:
		return false
	case a.stable:
		return "stable"
	case a.versions == nil:
		return true
	}
	versions := slices.DeleteFunc(slices.Clone(a.versions), func(s string) bool {
		return slices.ContainsFunc(denied, func(x deniedID) bool { return x.denies(s) })
	})
	if len(versions) == 0 {
		return false
	}
	return versions
}

// denies reports whether an entry of a list of versions, such as 1.2.3@linux-x64, stands only for
// packages that are denied.
func (x *deniedID) denies(s string) bool {
	version, platform, _ := strings.Cut(s, "@")
	return (x.Version == "" || strings.EqualFold(x.Version, version)) && (x.Platform == "" || x.Platform == platform)
}

// NotInAllowed returns the entries of deny and of the lists that [Policy.AllowedExtensions] lacks,
// sorted, because the setting cannot express them: versions, platforms and hashes.
func (p *Policy) NotInAllowed() (subjects []string) {
	for id, all := range p.deny.ids {
		for _, x := range all {
			if x.CheckExtension() != nil && !p.isExpressed(id, &x) {
				subjects = append(subjects, x.subject)
			}
		}
	}
	for _, x := range p.deny.hashes {
		subjects = append(subjects, x.subject)
	}
	slices.Sort(subjects)
	return slices.Compact(subjects)
}

// isExpressed reports whether the setting keeps out all that x denies: allow has false for the
// extension, or a list of versions of which x denies none or whole entries.
func (p *Policy) isExpressed(id string, x *deniedID) bool {
	if p.allow == nil {
		return false
	}
	a, ok := p.allow.entries[id]
	return ok && (a.no || a.versions != nil && !slices.ContainsFunc(a.versions, func(s string) bool { return matchesDenied(s, x) && !x.denies(s) }))
}

// matchesDenied reports whether an entry of a list of versions stands for a package that is denied.
func matchesDenied(s string, x *deniedID) bool {
	version, platform, _ := strings.Cut(s, "@")
	return (x.Version == "" || strings.EqualFold(x.Version, version)) && (x.Platform == "" || platform == "" || x.Platform == platform)
}
