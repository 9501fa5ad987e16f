// Package check checks package.json and the files of a package by the rules of vsce 4.1. It
// reports all findings at once.
//
// [Manifest] has the rules that vsce applies whenever it reads package.json, including to list
// files. [Package] has those that it applies only to packages, and [Editors] those of editors.
// Errors are what vsce refuses. Warnings are what it warns of, or what it asks to confirm in a
// terminal. Findings name fields like contributes.languages[0].id. Finding.Where has the line of
// the field in package.json, if the field exists.
//
// As in JavaScript, null is the same as a missing field, keys are case-sensitive, and the last
// of several equal keys is used. Fields that vsce only tests for truth may have any type.
//
// # Differences
//
// These are errors although vsce packs them, because galleries, editors or npm cannot use the
// result:
//
//   - no publisher, or the publisher "undefined", which vsce writes instead; not for lists
//   - a version with a leading v or spaces, and an id or version of more than 100 bytes; not
//     for lists; and an invalid Options.Version: see [manifest.CheckIdentity]
//   - name, version, publisher, engines.vscode, @types/vscode, icon, or the url of a badge or
//     sponsor that is not a string, even if JavaScript can convert it
//   - a list or an object in a field that is a text in the XML: vsce writes [object Object]
//   - "files" that is not a list of strings, even if .vscodeignore is used instead
//   - characters that XML cannot represent, in fields that are written to it, and control
//     characters in names of files
//
// A string instead of a list in keywords, extensionDependencies and extensionPack is a warning:
// vsce treats each letter as an item. Values with which no editor installs the extension, such as
// "main": null, are a warning and not an error, because editors allow them in built-in extensions,
// see manifest.Package.CheckEditors. "files": null together with .vscodeignore is allowed; vsce
// fails.
//
// extensionDependencies and extensionPack of another wrong type, such as 0, are errors in Manifest.
//
// Source: src/package.ts and src/validation.ts of
// https://github.com/microsoft/vscode-vsce at 4.1.
package check

import (
	"galbuild/build/pack/finding"
	"galbuild/build/vsix/manifest"
)

// Options select rules. They have the same meaning as in package pack.
type Options struct {
	Platform   string // "" is universal
	PreRelease bool
	Version    string // replaces the version of package.json; "" keeps it
	List       bool   // files are only listed: use the rules of vsce ls for publisher and version

	AllowStar       bool // do not warn of activation by *
	AllowRepository bool // do not warn of a missing repository
	SkipLicense     bool // do not warn of a missing licence
}

// A Folder has the files of a package.
type Folder struct {
	Files      []File   // without the two XML documents
	License    string   // entry of the licence; "" if there is none
	IgnoreFile string   // such as .vscodeignore; "" if there is none
	Unused     []string // items of "files" that match no file, unless they are allowed
}

// A File is a file of a package.
type File struct {
	Entry  string // its name in the package, such as extension/readme.md
	Source string // its path below the folder, such as README.md
}

// Manifest checks the original package.json. If it is not JSON, that is the only finding, with
// line and column.
func Manifest(text []byte, o Options) []finding.Finding {
	pkg, err := parse(text)
	if err != nil {
		return []finding.Finding{syntaxError(text, err)}
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
		r.apiTypes(pkg, e)
	}
	r.badges(pkg)
	r.otherFields(pkg)
	return r.findings
}

// Package checks the translated package.json and the files by the rules for packages. It
// returns nothing if package.json is not a JSON object, which Manifest reports.
func Package(text []byte, f Folder, o Options) []finding.Finding {
	pkg, err := parse(text)
	if err != nil || pkg.kind != object {
		return nil
	}
	var r report
	r.xmlTypes(pkg)
	r.platform(pkg, o)
	r.confirmations(pkg, f, o)
	r.entryPoints(pkg, f)
	r.iconFile(pkg, f)
	r.fileNames(f)
	r.fileCount(f)
	r.selection(pkg, f)
	r.xmlCharacters(pkg)
	return r.findings
}

// Editors warns if no editor installs an extension with this package.json, which is the original
// one. Manifest and Package must have found no errors in it.
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
