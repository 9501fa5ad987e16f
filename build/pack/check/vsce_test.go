package check

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"galbuild/build/pack/finding"
	"galbuild/build/vsix/manifest"
)

// recorded has results of vsce. The columns are the name of the case, options, files,
// package.nls.json, package.json, the results of ls and package ("ok" or an error), and the
// warnings of package; "-" is none. package.json is literal, a JSON string, or hex: and
// hexadecimal digits. 3*js stands for three files.
//
//go:embed testdata/vsce.tsv
var recorded string

type vsceCase struct{ name, options, files, nls, pkg, ls, pack, warnings string }

func vsceCases(t testing.TB) []vsceCase {
	t.Helper()
	var all []vsceCase
	for line := range strings.Lines(recorded) {
		c := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(c) != 8 {
			t.Fatalf("%d columns in %q", len(c), line)
		}
		all = append(all, vsceCase{c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]})
	}
	if len(all) < 150 {
		t.Fatalf("only %d cases", len(all))
	}
	return all[1:] // without the header
}

func (c vsceCase) manifest(t testing.TB) []byte {
	t.Helper()
	text := c.pkg
	if digits, ok := strings.CutPrefix(text, "hex:"); ok {
		b, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal([]byte(c.pkg), &text); err != nil {
			t.Fatal(err)
		}
	}
	return []byte(text)
}

// translated returns the translated package.json, and an error for each missing text. It
// ignores a package.nls.json that is not an object, which another package reports.
func (c vsceCase) translated(t *testing.T) ([]byte, []finding.Finding) {
	t.Helper()
	nls := c.nls
	switch {
	case nls == "-":
		nls = ""
	case !strings.HasPrefix(nls, "{"):
		nls = "{}"
	}
	text, missing, _ := manifest.Translated(c.manifest(t), []byte(nls))
	var findings []finding.Finding
	for _, m := range missing {
		findings = append(findings, finding.Error("package.json", "", "no %s", m.Key))
	}
	return text, findings
}

func (c vsceCase) flags() (o Options) {
	for word := range strings.FieldsSeq(c.options) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "target":
			o.Platform = value
		case "version":
			o.Version = value
		case "pre-release":
			o.PreRelease = true
		case "star":
			o.AllowStar = true
		case "repository":
			o.AllowRepository = true
		case "license":
			o.SkipLicense = true
		}
	}
	return o
}

func (c vsceCase) folder() (f Folder) {
	paths := c.paths()
	for word := range strings.FieldsSeq(c.options) {
		key, value, _ := strings.Cut(word, "=")
		if key == "packed" {
			paths = strings.Split(value, ",")
		}
		if key == "unused" && !strings.Contains(c.options, "allow-unused") {
			f.Unused = append(f.Unused, value)
		}
	}
	f.add(paths)
	if slices.Contains(strings.Fields(c.files), ".vscodeignore") {
		f.IgnoreFile = ".vscodeignore"
	}
	if strings.Contains(c.pkg, "SEE LICENSE IN nope.txt") {
		f.License = ""
	}
	return f
}

func (c vsceCase) paths() []string {
	paths := []string{"package.json"}
	for name := range strings.FieldsSeq(c.files) {
		n, ext, many := strings.Cut(name, "*")
		count, _ := strconv.Atoi(n)
		switch {
		case many:
			for i := range count {
				paths = append(paths, fmt.Sprintf("many/%d.%s", i, ext))
			}
		case name != "-" && name != ".vscodeignore":
			paths = append(paths, name)
		}
	}
	if c.nls != "-" {
		paths = append(paths, "package.nls.json")
	}
	return paths
}

// add adds files with the entries that package pack gives them.
func (f *Folder) add(paths []string) {
	for _, p := range paths {
		entry := "extension/" + p
		stem := strings.ToLower(strings.TrimSuffix(p, path.Ext(p)))
		switch {
		case strings.EqualFold(p, "readme.md"):
			entry = "extension/readme.md"
		case p == "LICENSE":
			entry += ".txt"
		}
		if f.License == "" && (stem == "license" || stem == "licence") {
			f.License = entry
		}
		f.Files = append(f.Files, File{entry, p})
	}
}

// warningsOf pairs the beginnings of vsce's warnings with texts in our findings.
var warningsOf = [][2]string{
	{"Using '*' activation", "slows down every start"},
	{"A 'repository' field is missing", "repository is missing"},
	{"LICENSE, LICENSE.md, or", "LICENSE, LICENSE.md or LICENSE.txt not found"},
	{"nope.txt not found", "nope.txt not found"},
	{"The 'extensionKind' property should", "extensionKind is a string"},
	{`The "GitHub.copilot" extension is being`, "is being replaced by"},
	{"Neither a .vscodeignore", "neither .vscodeignore"},
	{"This extension consists of", "files, 10"},
	{"This extension consists of", "there are 5001 files"},
}

// compareWarnings returns the warnings of vsce that are missing in findings, and additional ones.
func (c vsceCase) compareWarnings(findings []finding.Finding) (missing, extra []string) {
	theirs := strings.Split(strings.TrimPrefix(c.warnings, "-"), " | ")
	ours := map[string]bool{} // beginnings of vsce's warnings that findings correspond to
	for _, f := range findings {
		for _, pair := range warningsOf {
			if f.Warning && strings.Contains(f.What, pair[1]) {
				ours[pair[0]] = true
			}
		}
	}
	for _, their := range theirs {
		i := slices.IndexFunc(warningsOf, func(pair [2]string) bool { return strings.HasPrefix(their, pair[0]) })
		if i >= 0 && ours[warningsOf[i][0]] {
			delete(ours, warningsOf[i][0])
		} else if their != "" {
			missing = append(missing, their)
		}
	}
	for their := range ours {
		extra = append(extra, their)
	}
	return missing, extra
}

// stricter has the cases with errors that vsce does not report, with the reason: see the package
// comment.
var stricter = map[string]string{
	"publisher-missing": "no publisher", "publisher-empty": "no publisher", "publisher-null": "no publisher", "publisher-false": "no publisher",
	"publisher-undefined": "no publisher", "publisher-number": "type", "publisher-list": "type", "publisher-long101": "too long",
	"name-number": "type", "name-true": "type", "name-list": "type", "name-long101": "too long",
	"version-v": "v", "version-lead": "spaces", "version-trail": "spaces", "version-long": "too long",
	"version-option-patch": "no version", "version-option-nonsense": "no version", "version-option-v2.0.0": "v",
	"engine-list": "type", "types-number": "type", "types-list": "type", "icon-list": "type", "icon-listsvg": "type: only when it is packed", "badge-list-url": "type", "sponsor-listurl": "type",
	"files-bothobject": "type", "files-bothtrue": "type", "files-numberitem": "type", "files-nullitem": "type", "files-bothtext": "type",
	"categories-odd": "type", "keywords-odd": "type", "enabledApiProposals-odd": "type", "languages-id-object": "type",
	"description-object": "type", "displayName-object": "type", "homepage-object": "type",
	"description-list": "type", "displayName-list": "type", "homepage-list": "type",
	"extensionDependencies-zero": "type", "extensionDependencies-false": "type", "extensionDependencies-lengthless": "type",
	"extensionPack-zero": "type", "extensionPack-false": "type", "extensionPack-lengthless": "type",
	"control-displayName-backspace": "XML", "control-displayName-nul": "XML", "control-displayName-esc": "XML", "control-displayName-ffff": "XML",
	"control-description-backspace": "XML", "control-description-nul": "XML", "control-description-esc": "XML", "control-description-ffff": "XML",
	"control-homepage-backspace": "XML", "control-homepage-nul": "XML", "control-homepage-esc": "XML", "control-homepage-ffff": "XML",
	"control-keyword": "XML", "nls-samples": "XML",
}

// laxer has the cases without the errors that vsce reports, with the reason.
var laxer = map[string]string{"files-bothnull": "null is absent"}

func TestVsce(t *testing.T) {
	used := map[string]bool{}
	for _, c := range vsceCases(t) {
		t.Run(c.name, func(t *testing.T) {
			folder, options := c.folder(), c.flags()
			translated, missing := c.translated(t)
			ls := append(Manifest(c.manifest(t), options), missing...)
			all := append(slices.Clone(ls), Package(translated, folder, options)...)
			_, isStricter := stricter[c.name]
			_, isLaxer := laxer[c.name]
			if isStricter || isLaxer {
				used[c.name] = true
				if same := hasErrors(ls) == (c.ls != "ok") && hasErrors(all) == (c.pack != "ok"); same || hasErrors(all) != isStricter {
					t.Errorf("no difference: vsce ls: %s; vsce package: %s; findings %v", c.ls, c.pack, all)
				}
				return
			}
			if hasErrors(ls) != (c.ls != "ok") {
				t.Errorf("vsce ls: %s; findings %v", c.ls, ls)
			}
			if hasErrors(all) != (c.pack != "ok") {
				t.Errorf("vsce package: %s; findings %v", c.pack, all)
			}
			if missing, extra := c.compareWarnings(all); c.pack == "ok" && len(missing)+len(extra) > 0 {
				t.Errorf("missing warnings %q, additional ones %q", missing, extra)
			}
		})
	}
	if len(used) != len(stricter)+len(laxer) {
		t.Errorf("%d differences occur, %d are listed", len(used), len(stricter)+len(laxer))
	}
}

func hasErrors(findings []finding.Finding) bool {
	return slices.ContainsFunc(findings, func(f finding.Finding) bool { return !f.Warning })
}
