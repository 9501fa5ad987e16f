package vsix

import (
	"path"
	"strings"
)

const (
	octets    = "application/octet-stream"
	plainText = "text/plain; charset=utf-8"
)

// mediaTypes are by file extension, those that occur in extensions. The
// machine's own table is not asked: the same input gives the same site anywhere.
var mediaTypes = map[string]string{
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

// plainTexts are extensions of text without a type of its own, and names of
// text files that have no extension.
var plainTexts = map[string]bool{
	".bat": true, ".c": true, ".cc": true, ".cfg": true, ".conf": true, ".cpp": true, ".cs": true, ".cts": true,
	".go": true, ".h": true, ".hpp": true, ".ini": true, ".java": true, ".jsonc": true, ".jsx": true, ".less": true,
	".log": true, ".lua": true, ".mts": true, ".php": true, ".ps1": true, ".py": true, ".rb": true, ".rs": true,
	".rst": true, ".scss": true, ".sh": true, ".sql": true, ".svelte": true, ".toml": true, ".ts": true, ".tsx": true,
	".txt": true, ".vue": true,
	"authors": true, "changelog": true, "copying": true, "dockerfile": true, "licence": true, "license": true,
	"makefile": true, "notice": true, "readme": true,
}

// MediaType returns the media type for a file of that name, with
// "; charset=utf-8" for text/*, and application/octet-stream if the name does
// not tell.
func MediaType(name string) string {
	base := strings.ToLower(path.Base(name))
	ext := path.Ext(base)
	switch {
	case mediaTypes[ext] != "":
		return mediaTypes[ext]
	case plainTexts[ext], plainTexts[base], ext == base: // the last are dot files
		return plainText
	}
	return octets
}
