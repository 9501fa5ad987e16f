package pages

import (
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// An editor is how an extension is installed in one.
type editor struct {
	label   string
	scheme  string // of links that open it, "" for none
	command string
}

// editors are those that a gallery can name for installing, by their names in its policy.
var editors = map[string]editor{
	"antigravity":     {"Antigravity", "antigravity", "antigravity"},
	"code-server":     {"code-server", "", "code-server"},
	"cursor":          {"Cursor", "cursor", "cursor"},
	"positron":        {"Positron", "positron", "positron"},
	"vscode":          {"VS Code", "vscode", "code"},
	"vscode-insiders": {"VS Code Insiders", "vscode-insiders", "code-insiders"},
	"vscodium":        {"VSCodium", "vscodium", "codium"},
	"windsurf":        {"Windsurf", "windsurf", "windsurf"},
}

// EditorNames returns the names that [Site.Install] may have, sorted.
func EditorNames() []string { return slices.Sorted(maps.Keys(editors)) }

// installing returns the editors for which pages say how to install an extension.
func (s *Site) installing() (all []editor) {
	names := s.Install
	if names == nil {
		names = []string{"vscode", "vscodium", "code-server"}
	}
	for _, name := range names {
		if e, ok := editors[name]; ok {
			all = append(all, e)
		}
	}
	return all
}

// An opener is a link that makes an editor install an extension.
type opener struct {
	Label   string
	Address template.URL
}

// Openers returns the links to install an extension.
func (v view) Openers(id string) (all []opener) {
	for _, e := range v.installing() {
		if e.scheme != "" {
			all = append(all, opener{e.label, template.URL(e.scheme + ":extension/" + url.PathEscape(id))})
		}
	}
	return all
}

// Commands returns the commands to install an extension.
func (v view) Commands(id string) (all []string) {
	for _, e := range v.installing() {
		all = append(all, e.command+" --install-extension "+id)
	}
	return all
}

// Rate returns the address to rate an extension, or "" if there is none.
func (v view) Rate(id string) string {
	address := strings.ReplaceAll(v.RateURL, "{id}", url.QueryEscape(id))
	if !isLink(address) {
		return ""
	}
	return address
}

// LogoPath returns the path of the logo, by the name of its file: logo.svg or logo.png.
func LogoPath(file string) string {
	if strings.HasSuffix(strings.ToLower(file), ".svg") {
		return "logo.svg"
	}
	return "logo.png"
}
