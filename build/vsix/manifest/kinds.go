package manifest

import "slices"

// runsIn has the contributions that limit the kinds of an extension without code, and these kinds.
var runsIn = []struct {
	contribution string
	kinds        []string
}{
	{"jsonValidation", []string{"workspace", "web"}},
	{"localizations", []string{"ui", "workspace"}},
	{"debuggers", []string{"workspace"}},
	{"terminal", []string{"workspace"}},
	{"typescriptServerPlugins", []string{"workspace"}},
	{"markdown.previewStyles", []string{"workspace", "web"}},
	{"markdown.previewScripts", []string{"workspace", "web"}},
	{"markdown.markdownItPlugins", []string{"workspace", "web"}},
	{"html.customData", []string{"workspace", "web"}},
	{"css.customData", []string{"workspace", "web"}},
}

// Kinds returns the kinds of the extension, which are the places where it can run: ui, workspace
// and web.
func (p *Package) Kinds() []string {
	deduced := p.deducedKinds()
	kinds := p.declaredKinds()
	if kinds == nil {
		return deduced
	}
	if slices.Contains(deduced, "web") && !slices.Contains(kinds, "web") {
		kinds = append(kinds, "web")
	}
	return kinds
}

// DecidedKinds returns Kinds, and whether they are given in package.json by extensionKind, main or
// browser. For other extensions, older and newer packagers deduce different kinds.
func (p *Package) DecidedKinds() (kinds []string, decided bool) {
	return p.Kinds(), p.declaredKinds() != nil || p.truthy("main") || p.Browser()
}

// declaredKinds returns extensionKind, or nil if it is missing.
func (p *Package) declaredKinds() []string {
	if p.list("extensionKind") != nil {
		return append([]string{}, p.texts("extensionKind")...)
	}
	switch kind := p.truthyText("extensionKind"); kind {
	case "":
		return nil
	case "ui":
		return []string{"ui", "workspace"}
	default:
		return []string{kind}
	}
}

func (p *Package) deducedKinds() []string {
	switch main, browser := p.truthy("main"), p.Browser(); {
	case main && browser:
		return []string{"workspace", "web"}
	case main:
		return []string{"workspace"}
	case browser:
		return []string{"web"}
	}
	kinds := []string{"ui", "workspace", "web"}
	if len(p.list("extensionPack")) > 0 || len(p.list("extensionDependencies")) > 0 {
		kinds = []string{"workspace", "web"}
	}
	contributions := p.contributions()
	for _, rule := range runsIn {
		if contributions.has(rule.contribution) {
			kinds = slices.DeleteFunc(kinds, func(k string) bool { return !slices.Contains(rule.kinds, k) })
		}
	}
	return kinds
}
