// Package check knows what package.json must say, and what must be packed beside
// it: the rules of vsce 4.1, all of what they find at once.
//
// [Manifest] is what vsce checks whenever it reads package.json, also to list files;
// [Packed] is what it checks when it packs; [Editors] is what editors check. Errors are what it refuses, warnings what
// it warns of or asks about on a terminal. Findings name fields as contributes.languages[0].id
// and have package.json's line in Where, if the field is there.
//
// Presence is JavaScript's: null is absent, keys are case-sensitive, the last of two
// equal keys counts. Fields that vsce merely checks for truth may be of any type.
//
// # Differences
//
// We refuse what vsce packs, but no gallery or editor of ours can use, or npm can read:
//
//   - no publisher, or "undefined", which is what vsce would write, except to list files
//   - a version with a leading v or with spaces, an id or version of more than 100
//     bytes, except to list files, and a version given for this package only that is none:
//     see manifest.CheckIdentity
//   - name, version, publisher, engines.vscode, @types/vscode, icon and the url of a
//     badge or sponsor of another type than string, even if JavaScript can make
//     a fitting string of it
//   - a list or an object in place of a text that goes into the XML, such as [object Object]
//   - "files" of another type than a list of strings, even if .vscodeignore decides
//   - characters that XML has no way to write, in what is written to it, and control
//     characters in names of files
//
// We warn of a string where a list is meant, in keywords, extensionDependencies
// and extensionPack: vsce takes its letters for items. We warn of what no editor installs,
// such as "main": null: see manifest.Package.CheckEditors. Editors make an exception for what
// they bring themselves, which is packed as well. We allow "files": null beside
// .vscodeignore, on which vsce fails.
//
// Lists of ids of a wrong type, such as 0, are errors in Manifest already.
//
// Source: src/package.ts and src/validation.ts of
// https://github.com/microsoft/vscode-vsce at 4.1.
package check

import (
	"galbuild/build/pack/finding"
	"galbuild/build/vsix/manifest"
)

// Options are what package.json does not say, spelled as pack.Options.
type Options struct {
	Platform   string // "" is universal
	PreRelease bool
	Version    string // instead of package.json's; "" is package.json's
	List       bool   // files are listed, not packed: publisher and version may be what vsce lets pass

	AllowStar       bool // activation by *
	AllowRepository bool // no repository
	SkipLicense     bool // no licence
}

// A Folder is what is packed beside package.json.
type Folder struct {
	Files      []File
	License    string   // entry of the licence, "" if none was found
	IgnoreFile string   // such as .vscodeignore, "" if there is none
	Unused     []string // items of "files" that fit no file, unless that is allowed
}

// A File is one that is packed. The two XML documents are not among them.
type File struct {
	Entry  string // its name in the package, such as extension/readme.md
	Source string // its path below the folder, such as README.md
}

// Manifest checks package.json as its author wrote it. Text that is not JSON is one
// finding, with line and column.
func Manifest(text []byte, o Options) []finding.Finding {
	pkg, err := parse(text)
	if err != nil {
		return []finding.Finding{fault(text, err)}
	}
	var r report
	if pkg.kind != object {
		r.wrongType(pkg, "package.json", "an object")
		return r.findings
	}
	e, engineKnown := r.engine(pkg)
	r.identity(pkg, o)
	r.pricing(pkg)
	if engineKnown {
		r.activation(pkg, e)
		r.types(pkg, e)
	}
	r.badges(pkg)
	r.others(pkg)
	return r.findings
}

// Packed checks package.json, translated, for what only matters when it is packed, and
// the files beside it. It has no findings of text that is not a JSON object: Manifest
// has.
func Packed(text []byte, f Folder, o Options) []finding.Finding {
	pkg, err := parse(text)
	if err != nil || pkg.kind != object {
		return nil
	}
	var r report
	r.shapes(pkg)
	r.platform(pkg, o)
	r.asked(pkg, f, o)
	r.entryPoints(pkg, f)
	r.iconFile(pkg, f)
	r.names(f)
	r.count(f)
	r.selection(pkg, f)
	r.xmlTexts(pkg)
	return r.findings
}

// Editors warns of what no editor installs in package.json, as its author wrote it. It is for
// text in which Manifest and Packed find no error.
func Editors(text []byte) []finding.Finding {
	pkg, err := manifest.ParsePackage(text)
	if err == nil {
		err = pkg.CheckEditors()
	}
	if err == nil {
		return nil
	}
	return []finding.Finding{finding.Warning(packageJSON, "", "no editor installs it, and galleries of galbuild refuse it: %v", err)}
}
