// Package mediatype is the only table of media types: those of files by name, and those of assets
// by asset type. It defines which of them a browser may run. The other headers of files are in
// package headers.
//
// The builder writes the types into the catalogue, and galshim and the targets send them. The
// printed nginx configuration contains the same table. The table of the operating system is never
// used, so that the same input gives the same site on every machine. If the table changes,
// readingVersion in build/cache.go must be raised.
//
// Files of packages are not trusted, and are served from the address of the gallery. A file whose
// type is [Active] must not run as a page of that address: servers send it with a
// Content-Security-Policy, and targets send it as a download.
package mediatype

import (
	"cmp"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
)

// Octets is the type of all files that the table does not contain.
const Octets = "application/octet-stream"

const plainText = "text/plain" + charset

// byExtension holds the types of the file extensions that occur in packages.
var byExtension = map[string]string{
	".css":          "text/css; charset=utf-8",
	".csv":          "text/csv; charset=utf-8",
	".htm":          "text/html; charset=utf-8",
	".html":         "text/html; charset=utf-8",
	".js":           "text/javascript; charset=utf-8",
	".cjs":          "text/javascript; charset=utf-8",
	".mjs":          "text/javascript; charset=utf-8",
	".markdown":     "text/markdown; charset=utf-8",
	".md":           "text/markdown; charset=utf-8",
	".vsixmanifest": "text/xml; charset=utf-8",
	".xml":          "text/xml; charset=utf-8",
	".xsd":          "text/xml; charset=utf-8",
	".xsl":          "text/xml; charset=utf-8",
	".plist":        "text/xml; charset=utf-8",
	".tmlanguage":   "text/xml; charset=utf-8",
	".tmtheme":      "text/xml; charset=utf-8",
	".yaml":         "text/yaml; charset=utf-8",
	".yml":          "text/yaml; charset=utf-8",

	".atom":          "application/atom+xml",
	".json":          "application/json",
	".map":           "application/json",
	".code-snippets": "application/json",
	".webmanifest":   "application/manifest+json",
	".wasm":          "application/wasm",
	".pdf":           "application/pdf",
	".gz":            "application/gzip",
	".zip":           "application/zip",
	".vsix":          "application/vsix",

	".avif": "image/avif",
	".bmp":  "image/bmp",
	".gif":  "image/gif",
	".ico":  "image/x-icon",
	".jpeg": "image/jpeg",
	".jpg":  "image/jpeg",
	".png":  "image/png",
	".svg":  "image/svg+xml",
	".webp": "image/webp",

	".eot":   "application/vnd.ms-fontobject",
	".otf":   "font/otf",
	".ttf":   "font/ttf",
	".woff":  "font/woff",
	".woff2": "font/woff2",

	".mp3":  "audio/mpeg",
	".mp4":  "video/mp4",
	".ogg":  "audio/ogg",
	".wav":  "audio/wav",
	".webm": "video/webm",
}

// plainTexts are extensions of text files that have no media type of their own.
var plainTexts = []string{
	".bat", ".c", ".cc", ".cfg", ".conf", ".cpp", ".cs", ".cts", ".go", ".h", ".hpp", ".ini", ".java", ".jsonc", ".jsx",
	".less", ".log", ".lua", ".mts", ".php", ".ps1", ".py", ".rb", ".rs", ".rst", ".scss", ".sh", ".sql", ".svelte",
	".toml", ".ts", ".tsx", ".txt", ".vue",
}

// byAssetEnd holds the media types of assets by the last part of the asset type, after the
// last full stop. An icon may be any kind of picture; most are PNG, so a server that has
// only the path of an asset sends image/png for all of them.
var byAssetEnd = map[string]string{
	"manifest":      "application/json",
	"vsixpackage":   "application/vsix",
	"vsixsignature": "application/zip",
	"default":       "image/png",
	"small":         "image/png",
	"changelog":     "text/markdown; charset=utf-8",
	"details":       "text/markdown; charset=utf-8",
	"license":       plainText,
	"vsixmanifest":  "text/xml; charset=utf-8",
	"page":          "application/json",
	"readme":        "text/markdown; charset=utf-8",
}

// Translation is the prefix of asset types that are translations. They are JSON whatever
// language the type ends in.
const Translation = "Microsoft.VisualStudio.Code.Translation."

// Of returns the media type for a file of that name, with "; charset=utf-8" for text/*. It is
// Octets if the name has no known extension. As in nginx, a name that begins with its only full
// stop, such as .html, has no extension.
func Of(name string) string {
	base := strings.ToLower(path.Base(name))
	ext := path.Ext(base)
	if ext == base {
		return Octets
	}
	if slices.Contains(plainTexts, ext) {
		return plainText
	}
	return cmp.Or(byExtension[ext], Octets)
}

// OfAsset returns the media type for an asset of that type, whose content is a file of that name.
// The name decides only for icons and for unknown asset types. All others have one media type.
func OfAsset(assetType, name string) string {
	end := strings.ToLower(assetType[strings.LastIndexByte(assetType, '.')+1:])
	mediaType := byAssetEnd[end]
	switch {
	case strings.HasPrefix(assetType, Translation):
		return "application/json"
	case mediaType == "" || strings.HasPrefix(mediaType, "image/"):
		return Of(name)
	}
	return mediaType
}

// essence returns a media type without its charset.
func essence(mediaType string) string { return strings.TrimSuffix(mediaType, charset) }

const charset = "; charset=utf-8"

// Active reports whether a browser may run a file of the media type or show it as a document: HTML,
// SVG, every kind of XML, PDF, and all types that are not known to be inert. The package lists
// inert types and not active ones, because others write catalogues: a type with an unusual spelling
// must be active.
func Active(mediaType string) bool {
	kind := essence(mediaType)
	if family, name, _ := strings.Cut(kind, "/"); slices.Contains(inertFamilies, family) {
		return strings.HasSuffix(name, "xml") || strings.ContainsFunc(name, notInName)
	}
	return !slices.Contains(inert, kind)
}

func notInName(r rune) bool {
	return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("+-.", r))
}

// Attached reports whether a target, which cannot send a policy, must send a file of the media
// type as a download. These are the active types of the table. Files of other active types are
// sent as Octets, which browsers do not show.
func Attached(mediaType string) bool {
	return Active(mediaType) && essence(mediaType) != Octets
}

var inertFamilies = []string{"audio", "font", "image", "video"}

var inert = []string{
	"application/gzip", "application/json", "application/manifest+json", "application/vnd.ms-fontobject", "application/vsix",
	"application/wasm", "application/zip",
	"text/css", "text/csv", "text/javascript", "text/markdown", "text/plain", "text/yaml",
}

// Extensions yields every media type of the table, without parameters, with its file
// extensions, without the full stop. Both are sorted.
func Extensions() iter.Seq2[string, []string] {
	all := make(map[string][]string)
	for ext, mediaType := range byExtension {
		all[essence(mediaType)] = append(all[essence(mediaType)], ext[1:])
	}
	for _, ext := range plainTexts {
		all[essence(plainText)] = append(all[essence(plainText)], ext[1:])
	}
	return sorted(all)
}

// AssetEnds yields every media type of assets, without parameters, with the last parts of the
// asset types that have it, in lower case. Both are sorted.
func AssetEnds() iter.Seq2[string, []string] {
	all := make(map[string][]string)
	for end, mediaType := range byAssetEnd {
		all[essence(mediaType)] = append(all[essence(mediaType)], end)
	}
	return sorted(all)
}

func sorted(all map[string][]string) iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for _, mediaType := range slices.Sorted(maps.Keys(all)) {
			slices.Sort(all[mediaType])
			if !yield(mediaType, all[mediaType]) {
				return
			}
		}
	}
}
