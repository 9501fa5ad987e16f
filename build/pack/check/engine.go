package check

import (
	"math"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"galbuild/build/catalog"
	"galbuild/build/npmsemver"
	"galbuild/build/pack/finding"
	"galbuild/build/vsix/manifest"
)

// engine is a parsed engines.vscode: the range of editors that an extension supports.
type engine struct {
	text    string
	plain   string // text from the first digit; "" for *
	editors npmsemver.Range
}

func (r *report) engine(pkg *node) (engine, bool) {
	const hint = `add the editors that it supports, such as "engines": {"vscode": "^1.90.0"}`
	switch engines := pkg.at("engines"); {
	case engines.absent():
		r.error(engines, hint, "engines is missing")
		return engine{}, false
	case engines.kind != object:
		r.wrongType(engines, "engines", "an object")
		return engine{}, false
	}
	n := pkg.at("engines", "vscode")
	s, ok := r.needText(n, "engines.vscode", hint)
	if !ok {
		return engine{}, false
	}
	e, why := parseEngine(s)
	if why != "" {
		r.error(n, "", "engines.vscode %q: %s", s, why)
	}
	return e, why == ""
}

// parseEngine parses engines.vscode. why is the reason if it is invalid.
func parseEngine(s string) (e engine, why string) {
	if err := manifest.CheckEngine(s); err != nil {
		return engine{}, err.Error()
	}
	editors, err := npmsemver.ParseRange(s)
	if err != nil {
		return engine{}, "not a range of versions by npm's rules"
	}
	return engine{s, fromDigit(s), editors}, ""
}

func fromDigit(s string) string {
	return strings.TrimLeftFunc(s, func(c rune) bool { return c < '0' || c > '9' })
}

// editor returns the lowest version, a prerelease, of editor 1.minor.
func editor(minor uint64) *semver.Version { return semver.New(1, minor, 0, "0", "") }

// infersActivation reports whether all editors in the range are 1.74 or later, which infer
// activation events from contributions. As in vsce, this depends on the text, and 1.x.x is not
// such a range.
func (e engine) infersActivation() bool {
	v, err := npmsemver.ParseVersion(e.plain)
	return e.text == "*" || err == nil && !v.LessThan(editor(74))
}

// activation checks that there are activation events if and only if there is main or browser.
func (r *report) activation(pkg *node, e engine) {
	events, contributes := pkg.at("activationEvents"), pkg.at("contributes")
	languages, others := contributes.at("languages").truthy(), false
	for _, key := range []string{"commands", "authentication", "customEditors", "views"} {
		others = others || contributes.at(key).truthy()
	}
	code := "main"
	if !pkg.at("main").truthy() {
		code = "browser"
	}
	hasCode := pkg.at(code).truthy()
	switch {
	case events.truthy() && !hasCode:
		r.error(events, `add "main" or "browser", the file to run, or remove activationEvents`, "activationEvents without main or browser: there is nothing to activate")
	case events.truthy():
	case e.infersActivation() && others && !languages && !hasCode:
		r.error(contributes, `add "main" or "browser", the file to run`, "contributes commands, views or such without main or browser: there is nothing to activate")
	case hasCode && !(e.infersActivation() && (languages || others)):
		r.error(pkg.at(code), `add "activationEvents": ["onStartupFinished"] or the like, or commands with engines.vscode of at least ^1.74.0`,
			"%s without activationEvents: it would never be activated", code)
	}
}

// apiTypes checks that @types/vscode is not of a later editor than engines.vscode. As in vsce,
// the first two numbers of the texts are compared, not the ranges: <1.91.0 is 1.91. An x is 0 in
// engines.vscode, and never later in @types/vscode.
func (r *report) apiTypes(pkg *node, e engine) {
	n := pkg.at("devDependencies", "@types/vscode")
	if !n.truthy() || e.text == "*" {
		return
	}
	if n.kind != text {
		r.wrongType(n, `devDependencies["@types/vscode"]`, "a string")
		return
	}
	if _, err := npmsemver.ParseRange(n.text); err != nil {
		r.error(n, "give a range such as "+e.text, "@types/vscode %q: not a range of versions by npm's rules", n.text)
		return
	}
	major, minor := numbers(fromDigit(n.text))
	engineMajor, engineMinor := numbers(strings.ReplaceAll(e.plain, "x", "0"))
	if major > engineMajor || major == engineMajor && minor > engineMinor {
		r.error(n, "raise engines.vscode, or use an older @types/vscode",
			"@types/vscode %q is later than engines.vscode %q: the extension could use an API that its oldest editor does not have", n.text, e.text)
	}
}

// numbers returns the first two numbers between dots, or NaN if they are not numbers.
func numbers(s string) (major, minor float64) {
	parts := append(strings.SplitN(s, ".", 3), "")
	return leading(parts[0]), leading(parts[1])
}

func leading(s string) float64 {
	rest := strings.TrimLeft(s, "0123456789")
	f, err := strconv.ParseFloat(s[:len(s)-len(rest)], 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

// platform checks that the editors support a target platform and pre-releases.
func (r *report) platform(pkg *node, o Options) {
	if o.Platform != "" && !manifest.KnownPlatform(o.Platform) {
		r.add(finding.Error("", "", "target platform %q: want one of %s", o.Platform, strings.Join(catalog.Platforms(), ", ")))
	}
	n := pkg.at("engines", "vscode")
	e, why := parseEngine(n.string())
	if why != "" || o.Platform == "" && !o.PreRelease {
		return
	}
	lowest, ok := e.editors.Lowest()
	if !ok {
		r.error(n, "", "engines.vscode %q: no version is in this range", e.text)
		return
	}
	if o.Platform != "" && e.plain != "" && lowest.LessThan(editor(61)) {
		r.error(n, "raise it to ^1.61.0, or pack without a target platform", "engines.vscode %q: editors before 1.61 do not support target platforms", e.text)
	}
	if o.PreRelease && e.plain != "" && lowest.LessThan(editor(63)) {
		r.error(n, "raise it to ^1.63.0, or pack without --pre-release", "engines.vscode %q: editors before 1.63 do not support pre-releases", e.text)
	}
}
