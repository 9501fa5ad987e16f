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
// # Leniency
//
// package.json must be a JSON object as editors parse it: no comments, no
// trailing commas. A byte order mark and UTF-16 are converted. name and version
// must be strings. Any other field of an unexpected type is ignored, keys
// are case-sensitive, and the last of two equal keys counts, as in JavaScript.
//
// package.nls.json may hold comments and trailing commas. A text that is a
// %key% as a whole is replaced by the translation, which is a string or the
// message of an object; an unknown key leaves the text as it is.
//
// The XML may be in any encoding that browsers know, may declare a wrong one,
// and may hold control characters, which are dropped. Elements are found by
// their local names.
//
// The package does no I/O. Callers limit the size of what they pass in; memory
// stays within about 16 times of it.
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
