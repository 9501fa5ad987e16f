// Package manifest reads the two documents that describe an extension, and
// derives the one from the other.
//
// [Package] is package.json, the author's: editors install by it, so it decides
// where the two disagree. [XML] is extension.vsixmanifest, the packager's: no
// editor reads it, galleries do. What the XML says follows from package.json,
// by the rules of vsce 4.1 (https://github.com/microsoft/vscode-vsce,
// src/package.ts); [Derive] is those rules, for packing a folder and for
// packages that come without the XML or with an incomplete one.
//
// # Two readings
//
// Derivation is one, reading is two. A gallery takes packages of others with
// [ParsePackage] and makes the best of them; a packager takes a folder with
// [Translated] and [ForPacking], and writes what vsce would.
//
//	                     gallery                     packing
//	text of no string    ignored, but for objects    as JavaScript prints it, but for objects
//	                     with a message or value
//	empty item of a list left out                    stays
//	display name,        on one line; the name, or   as written
//	description          nothing, for a %key%
//	%key%                any key; one that is        letters, digits, _ and . only; one
//	                     unknown stays               that is unknown is an error
//	translation          a string, message or value  any value
//	readme, licence, …   found by name               given in [Options]
//	translation's file   path cleaned, any case      path as written, but for ./
//	control characters   stay                        left out
//
// For packing, these differ from vsce on purpose; testdata/vsce has each:
//   - a translation with comments for translators is its message, where vsce
//     writes [object Object], as it does for objects in place of texts;
//   - a package.nls.json with a mistake in it is refused, where vsce reads it up
//     to the mistake;
//   - a member that a badge lacks is empty, where vsce writes undefined;
//   - characters that XML forbids are left out, where vsce's XML cannot be read;
//     line ends and tabs in attributes, and carriage returns, reach the reader;
//   - a name that is no string is none, as for editors;
//   - a repository without an owner or branch where one must be (github:name,
//     …/tree) is read without null and undefined.
//
// # Leniency of galleries
//
// package.json must be a JSON object as editors parse it: no comments, no trailing commas,
// no byte order mark. publisher, name and version must be strings, and
// [Package.CheckEditors] has the other fields that editors check. Any other field of an
// unexpected type is ignored, keys are case-sensitive, and of two equal keys the last is
// used, as in JavaScript.
//
// package.nls.json may hold comments and trailing commas, for packing too. A text that is a
// %key% as a whole is replaced by the translation, which is a string or the
// message or value of an object; an unknown key leaves the text as it is.
//
// The XML may be in any encoding that browsers know, may declare a wrong one,
// and may hold control characters, which are dropped. Elements are found by
// their local names.
//
// The package does no I/O. Callers limit the size of what they pass in; memory
// stays within about 16 times of it, for packing within 300 times.
package manifest

// Names of the entries of a package.
const (
	XMLPath          = "extension.vsixmanifest"
	ContentTypesPath = "[Content_Types].xml"
	PackagePath      = "extension/package.json"
	NLSPath          = "extension/package.nls.json"
)

// Asset types.
const (
	AssetManifest     = "Microsoft.VisualStudio.Code.Manifest"
	AssetVsixManifest = "Microsoft.VisualStudio.Services.VsixManifest"
	AssetPackage      = "Microsoft.VisualStudio.Services.VSIXPackage"
	AssetDetails      = "Microsoft.VisualStudio.Services.Content.Details"
	AssetChangelog    = "Microsoft.VisualStudio.Services.Content.Changelog"
	AssetLicense      = "Microsoft.VisualStudio.Services.Content.License"
	AssetIcon         = "Microsoft.VisualStudio.Services.Icons.Default"
	AssetSignature    = "Microsoft.VisualStudio.Services.VsixSignature"
	AssetPublicKey    = "Microsoft.VisualStudio.Services.PublicKey"

	translationPrefix = "Microsoft.VisualStudio.Code.Translation."
)

// Property keys that callers look at.
const (
	PropertyEngine     = "Microsoft.VisualStudio.Code.Engine"
	PropertyPreRelease = "Microsoft.VisualStudio.Code.PreRelease"
)

// TagWeb marks an extension that runs in the browser.
const TagWeb = "__web_extension"
