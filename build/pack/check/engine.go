package check

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"galbuild/build/catalog"
	"galbuild/build/pack/finding"
	npmsemver "galbuild/build/pack/npm/semver"
	"galbuild/build/vsix/manifest"
)

var engineForm = regexp.MustCompile(`^(?:\*|(?:\^|>=)?(?:[0-9]+|x)\.(?:[0-9]+|x)\.(?:[0-9]+|x)(?:-[^\n\r\x{2028}\x{2029}]*)?)$`)

// engine is engines.vscode: the editors that an extension is for.
type engine struct {
	text   string
	plain  string // from the first digit on; "" is any editor
	editor npmsemver.Range
}

func (r *report) engine(pkg *node) (engine, bool) {
	const way = `say which editors it is for, such as "engines": {"vscode": "^1.90.0"}`
	switch engines := pkg.at("engines"); {
	case engines.absent():
		r.error(engines, way, "engines is missing")
		return engine{}, false
	case engines.kind != object:
		r.wrongType(engines, "engines", "an object")
		return engine{}, false
	}
	n := pkg.at("engines", "vscode")
	s, ok := r.needText(n, "engines.vscode", way)
	if !ok {
		return engine{}, false
	}
	e, why := parseEngine(s)
	if why != "" {
		r.error(n, "", "engines.vscode %q: %s", s, why)
	}
	return e, why == ""
}

// parseEngine reads engines.vscode, or tells why it cannot.
func parseEngine(s string) (e engine, why string) {
	if !engineForm.MatchString(s) {
		return engine{}, "want *, or three numbers such as ^1.90.0, >=1.90.0 or 1.90.0, of which x may stand for any"
	}
	editors, err := npmsemver.ParseRange(s)
	if err != nil {
		return engine{}, "no range of versions by npm's rules"
	}
	return engine{s, fromDigit(s), editors}, ""
}

func fromDigit(s string) string {
	return strings.TrimLeftFunc(s, func(c rune) bool { return c < '0' || c > '9' })
}

// release is the lowest version, a prerelease, of editor 1.minor.
func release(minor uint64) *semver.Version { return semver.New(1, minor, 0, "0", "") }

// implicit tells whether its editors, 1.74 and later, know from contributions when to
// activate an extension. vsce looks at the text only: 1.x.x does not count.
func (e engine) implicit() bool {
	v, err := npmsemver.ParseVersion(e.plain)
	return e.text == "*" || err == nil && !v.LessThan(release(74))
}

// activation checks that main or browser and activationEvents come together.
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
		r.error(events, `add "main" or "browser", the file to run, or take activationEvents out`, "activationEvents without main or browser: there is nothing to activate")
	case events.truthy():
	case e.implicit() && others && !languages && !hasCode:
		r.error(contributes, `add "main" or "browser", the file to run`, "contributes commands, views or such without main or browser: there is nothing to activate")
	case hasCode && !(e.implicit() && (languages || others)):
		r.error(pkg.at(code), `add "activationEvents": ["onStartupFinished"] or the like, or commands with engines.vscode of at least ^1.74.0`,
			"%s without activationEvents: it would never be activated", code)
	}
}

// types checks that @types/vscode is not of a later editor than engines.vscode. vsce
// compares the first two numbers of both texts, not the ranges: <1.91.0 is 1.91, and
// so do we; x is 0 in engines.vscode, and no later than any in @types/vscode.
func (r *report) types(pkg *node, e engine) {
	n := pkg.at("devDependencies", "@types/vscode")
	if !n.truthy() || e.text == "*" {
		return
	}
	if n.kind != text {
		r.wrongType(n, `devDependencies["@types/vscode"]`, "a string")
		return
	}
	if _, err := npmsemver.ParseRange(n.text); err != nil {
		r.error(n, "give a range such as "+e.text, "@types/vscode %q: no range of versions by npm's rules", n.text)
		return
	}
	major, minor := numbers(fromDigit(n.text))
	engineMajor, engineMinor := numbers(strings.ReplaceAll(e.plain, "x", "0"))
	if major > engineMajor || major == engineMajor && minor > engineMinor {
		r.error(n, "raise engines.vscode, or use an older @types/vscode",
			"@types/vscode %q is later than engines.vscode %q: the extension could use what its oldest editor does not have", n.text, e.text)
	}
}

// numbers returns the first two numbers between dots, NaN for what is none.
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

// platform checks what a target platform and a pre-release ask of the editors.
func (r *report) platform(pkg *node, o Options) {
	if o.Platform != "" && !manifest.KnownPlatform(o.Platform) {
		r.general(finding.Error("", "", "target platform %q: want one of %s", o.Platform, strings.Join(catalog.Platforms(), ", ")))
	}
	n := pkg.at("engines", "vscode")
	e, why := parseEngine(n.string())
	if why != "" || o.Platform == "" && !o.PreRelease {
		return
	}
	lowest, ok := e.editor.Lowest()
	if !ok {
		r.error(n, "", "engines.vscode %q: no version is in this range", e.text)
		return
	}
	if o.Platform != "" && e.plain != "" && lowest.LessThan(release(61)) {
		r.error(n, "raise it to ^1.61.0, or give no target platform", "engines.vscode %q: editors before 1.61 know no target platforms", e.text)
	}
	if o.PreRelease && e.plain != "" && lowest.LessThan(release(63)) {
		r.error(n, "raise it to ^1.63.0, or give no --pre-release", "engines.vscode %q: editors before 1.63 know no pre-releases", e.text)
	}
}
