// Package mediatype is the one table of media types: of a package's files by their
// names, of assets by their types, and which of them a browser may act on.
//
// The builder writes the types into the catalogue, so that galshim and the stores
// send them; the printed nginx configuration holds the same table. The machine's own
// table is never consulted: the same input gives the same site anywhere.
//
// Files of packages are written by strangers and are served from the gallery's own
// address. A file whose type is [Active] must not run as a page of that address:
// servers send it with [Policy], stores as a download.
package mediatype

import (
	"cmp"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
)

// Octets is the type of everything that the table does not know.
const Octets = "application/octet-stream"

const plainText = "text/plain" + charset

// Policy is the Content-Security-Policy of active files of packages: in a sandbox
// without scripts, and without anything from elsewhere but their own style. Files
// that are not active carry no policy, because a worker takes its policy from the
// response its script came with, and would lose importScripts and fetch.
const Policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'"

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

// plainTexts are extensions of text that has no type of its own.
var plainTexts = []string{
	".bat", ".c", ".cc", ".cfg", ".conf", ".cpp", ".cs", ".cts", ".go", ".h", ".hpp", ".ini", ".java", ".jsonc", ".jsx",
	".less", ".log", ".lua", ".mts", ".php", ".ps1", ".py", ".rb", ".rs", ".rst", ".scss", ".sh", ".sql", ".svelte",
	".toml", ".ts", ".tsx", ".txt", ".vue",
}

// byAssetEnd holds the types of assets by the part behind the last full stop of
// their own type. An icon is a picture of any kind; most are PNG, and a server that
// knows only the path of an asset says so of all.
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
}

// Translation begins the types of assets that are translations: JSON, whatever
// language they end in.
const Translation = "Microsoft.VisualStudio.Code.Translation."

// Of returns the media type for a file of that name, with "; charset=utf-8" for
// text/*, and Octets if the name does not tell. Names without an extension do not
// tell, and neither do names that begin with their only full stop, such as .html:
// nginx reads names the same way.
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

// OfAsset returns the media type for an asset of that type whose bytes are those of
// a file of that name. Only a picture is told apart by its name; an asset of another
// known type has one media type whatever its file is called.
func OfAsset(assetType, name string) string {
	end := strings.ToLower(assetType[strings.LastIndexByte(assetType, '.')+1:])
	known := byAssetEnd[end]
	switch {
	case strings.HasPrefix(assetType, Translation):
		return "application/json"
	case known == "" || strings.HasPrefix(known, "image/"):
		return Of(name)
	}
	return known
}

// Essence returns a media type without its charset.
func Essence(mediaType string) string { return strings.TrimSuffix(mediaType, charset) }

const charset = "; charset=utf-8"

// Active reports whether a browser may treat a file of the media type as a document
// or act on it otherwise: HTML, SVG, every kind of XML, PDF, and all types that are
// not known to be inert. It is a list of what is inert, because catalogues are
// written by others: a type that is spelled in any other way than here is active.
func Active(mediaType string) bool {
	kind := Essence(mediaType)
	if family, name, _ := strings.Cut(kind, "/"); slices.Contains(inertFamilies, family) {
		return strings.HasSuffix(name, "xml") || strings.ContainsFunc(name, notInName)
	}
	return !slices.Contains(inert, kind)
}

func notInName(r rune) bool {
	return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("+-.", r))
}

// Attached reports whether a store, which sends no policy, must offer a file of the
// media type as a download. Of the active types those of the table are; what is not
// in the table is Octets, which browsers do not show.
func Attached(mediaType string) bool {
	return Active(mediaType) && Essence(mediaType) != Octets
}

var inertFamilies = []string{"audio", "font", "image", "video"}

var inert = []string{
	"application/gzip", "application/json", "application/manifest+json", "application/vnd.ms-fontobject", "application/vsix",
	"application/wasm", "application/zip",
	"text/css", "text/csv", "text/javascript", "text/markdown", "text/plain", "text/yaml",
}

// Extensions yields every media type of the table, without parameters, with its file
// extensions, without the full stop; both are sorted.
func Extensions() iter.Seq2[string, []string] {
	all := make(map[string][]string)
	for ext, mediaType := range byExtension {
		all[Essence(mediaType)] = append(all[Essence(mediaType)], ext[1:])
	}
	for _, ext := range plainTexts {
		all[Essence(plainText)] = append(all[Essence(plainText)], ext[1:])
	}
	return sorted(all)
}

// AssetEnds yields the same for assets: every media type with the ends, in lower case,
// of the asset types that have it.
func AssetEnds() iter.Seq2[string, []string] {
	all := make(map[string][]string)
	for end, mediaType := range byAssetEnd {
		all[Essence(mediaType)] = append(all[Essence(mediaType)], end)
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
