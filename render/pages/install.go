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

// Commands returns the commands of the editors that no link opens, or else that of the first
// editor.
func (v view) Commands() []string {
	first, _ := v.commands()
	return first
}

// OtherCommands returns the commands of the other editors.
func (v view) OtherCommands() []string {
	_, others := v.commands()
	return others
}

func (v view) commands() (first, others []string) {
	for _, e := range v.installing() {
		if e.scheme == "" {
			first = append(first, e.command)
		} else {
			others = append(others, e.command)
		}
	}
	if len(first) == 0 && len(others) > 0 {
		return others[:1], others[1:]
	}
	return first, others
}

// Command returns the data of a command that installs an extension.
func (v view) Command(command, id string) part {
	return part{View: v, Label: command, Card: Card{ID: id}}
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
