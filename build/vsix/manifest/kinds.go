package manifest

import "slices"

// runsIn narrows, by contribution, where an extension without code can run.
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

// Kinds returns where it runs: some of ui, workspace and web.
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

// DecidedKinds returns Kinds, and whether package.json says them: by extensionKind, or by
// main and browser. Of other extensions, packagers of different age deduce different kinds.
func (p *Package) DecidedKinds() (kinds []string, decided bool) {
	return p.Kinds(), p.declaredKinds() != nil || p.truthy("main") || p.Browser()
}

// declaredKinds returns extensionKind, nil if it is not given.
func (p *Package) declaredKinds() []string {
	if p.list("extensionKind") != nil {
		return append([]string{}, p.texts("extensionKind")...)
	}
	switch kind := p.some("extensionKind"); kind {
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
