// Package manifest reads the two documents that describe an extension, and derives one from the
// other.
//
// [Package] is package.json, which the author writes. Editors read it, so its values are used where
// the documents differ. [XML] is extension.vsixmanifest, which the packager writes. Galleries read
// it, and editors do not. [Derive] derives the XML from package.json by the rules of vsce 4.1
// (https://github.com/microsoft/vscode-vsce, src/package.ts). It is used to pack a folder, and for
// packages whose XML is missing or incomplete.
//
// # For galleries and for packing
//
// package.json is read in two ways. A gallery reads packages of others with [ParsePackage], and
// tolerates mistakes. A packager reads a folder with [Translated] and [ForPacking], and writes the
// same as vsce.
//
//	                     gallery                     packing
//	value, not a string  ignored, except for objects as JavaScript prints it, except for
//	                     with a message or value     objects, which are empty
//	empty item of a list left out                    kept
//	display name,        on one line; for a %key%,   as written
//	description          the name or ""
//	%key%                any key; an unknown one     letters, digits, _ and . only; an
//	                     is kept                     unknown one is an error
//	translation          a string, message or value  any value
//	readme, licence, …   found by name               given in [Options]
//	path of translation  cleaned, in any case        as written, without ./
//	control characters   kept                        left out
//
// For packing, these differ from vsce on purpose; testdata/vsce has a case for each:
//   - for a translation with comments for translators, the message is used. vsce writes
//     [object Object], as for other objects in place of texts;
//   - a package.nls.json with a mistake in it is refused. vsce reads it up to the mistake;
//   - a missing member of a badge is empty. vsce writes undefined;
//   - characters that XML forbids are left out. vsce writes XML that cannot be parsed. Line ends
//     and tabs in attributes, and carriage returns, are escaped, so that parsers keep them;
//   - a name that is not a string is treated as missing, as in editors;
//   - for a repository with a missing owner or branch (github:name, …/tree), null and undefined
//     are not written.
//
// # Leniency of galleries
//
// package.json must be a JSON object as editors parse it: no comments, no trailing commas,
// no byte order mark. publisher, name and version must be strings, and
// [Package.CheckEditors] has the other fields that editors check. Any other field of an
// unexpected type is ignored, keys are case-sensitive, and of two equal keys the last is
// used, as in JavaScript.
//
// package.nls.json may contain comments and trailing commas, for packing too. A text that consists
// of a %key% is replaced by the translation, which is a string or the message or value of an
// object. With an unknown key, the text stays.
//
// The XML may be in any encoding of browsers, may declare a wrong one, and may contain control
// characters, which are removed. Elements are found by their local names.
//
// The package does no I/O. Callers limit the size of the texts. Memory is at most about 16 times
// that size, and 300 times for packing.
package manifest

// Names of the entries of a package.
const (
	XMLPath          = "extension.vsixmanifest"
	ContentTypesPath = "[Content_Types].xml"
	PackagePath      = "extension/package.json"
	NLSPath          = "extension/package.nls.json"
)

// Asset types, besides those of package catalog.
const (
	AssetManifest     = "Microsoft.VisualStudio.Code.Manifest"
	AssetVsixManifest = "Microsoft.VisualStudio.Services.VsixManifest"
	AssetLicense      = "Microsoft.VisualStudio.Services.Content.License"
	AssetIcon         = "Microsoft.VisualStudio.Services.Icons.Default"
	AssetPublicKey    = "Microsoft.VisualStudio.Services.PublicKey"

	translationPrefix = "Microsoft.VisualStudio.Code.Translation."
)

// TagWeb marks an extension that runs in the browser.
const TagWeb = "__web_extension"
