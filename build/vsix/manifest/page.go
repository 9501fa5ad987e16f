package manifest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"galbuild/build/pagedata"
)

// Page returns what the page of the extension shows of package.json, translated. read returns a
// file of the package by its path below extension/, or nil if there is none. It is called for the
// files of colour themes.
func (p *Package) Page(read func(file string) []byte) pagedata.Document {
	contributions := p.contributions()
	d := pagedata.Document{Links: p.pageLinks(), Network: p.network(contributions)}
	themes := themeReader{read: read}
	for _, k := range contributedKinds {
		if c := contributions.listed(k, &themes); len(c.Items) > 0 {
			d.Contributions = append(d.Contributions, c)
		}
	}
	return d
}

// A contributedKind is a kind of contributions as a page lists it.
type contributedKind struct {
	contribution string
	label        string
	name, detail []string // the first field that has a text is used
}

// contributedKinds have the words and the order of the features of an extension in VS Code. Menus,
// activation events and what only other programs need are left out.
//
// Source: https://code.visualstudio.com/api/references/contribution-points
var contributedKinds = []contributedKind{
	{"commands", "Commands", []string{"title"}, []string{"command"}},
	{"configuration", "Settings", nil, nil},
	{"languages", "Programming Languages", []string{"aliases", "id"}, []string{"extensions", "filenames", "filenamePatterns"}},
	{"themes", "Color Themes", []string{"label", "id"}, nil},
	{"iconThemes", "File Icon Themes", []string{"label", "id"}, nil},
	{"productIconThemes", "Product Icon Themes", []string{"label", "id"}, nil},
	{"debuggers", "Debuggers", []string{"label"}, []string{"type"}},
	{"grammars", "Grammars", []string{"language"}, []string{"scopeName"}},
	{"snippets", "Snippets", []string{"language"}, []string{"path"}},
	{"keybindings", "Keyboard Shortcuts", []string{"key", "mac", "linux", "win"}, []string{"command"}},
	{"viewsContainers", "View Containers", []string{"title"}, []string{"id"}},
	{"views", "Views", []string{"name"}, []string{"id"}},
	{"customEditors", "Custom Editors", []string{"displayName"}, []string{"selector"}},
	{"notebooks", "Notebooks", []string{"displayName"}, []string{"selector"}},
	{"notebookRenderer", "Notebook Renderers", []string{"displayName"}, []string{"mimeTypes"}},
	{"walkthroughs", "Walkthroughs", []string{"title"}, []string{"id"}},
	{"authentication", "Authentication", []string{"label"}, []string{"id"}},
	{"taskDefinitions", "Task Types", []string{"type"}, nil},
	{"problemMatchers", "Problem Matchers", []string{"label"}, []string{"name"}},
	{"localizations", "Language Packs", []string{"localizedLanguageName", "languageName"}, []string{"languageId"}},
	{"colors", "Colors", []string{"description"}, []string{"id"}},
	{"jsonValidation", "JSON Validation", []string{"fileMatch"}, []string{"url"}},
	{"chatParticipants", "Chat Participants", []string{"fullName", "name"}, []string{"id"}},
	{"languageModelTools", "Language Model Tools", []string{"displayName"}, []string{"name"}},
	{"languageModelChatProviders", "Language Models", []string{"displayName"}, []string{"vendor"}},
	{"mcpServerDefinitionProviders", "MCP Servers", []string{"label"}, []string{"id"}},
}

// listed returns the contributions of a kind. Items that look the same are listed once.
func (o object) listed(k contributedKind, themes *themeReader) pagedata.Contribution {
	c := pagedata.Contribution{Kind: k.label}
	seen := make(map[[2]string]bool)
	add := func(item pagedata.Item) (full bool) {
		if item.Name == "" {
			item.Name, item.Detail = item.Detail, ""
		}
		if same := [2]string{item.Name, item.Detail}; item.Name != "" && !seen[same] {
			seen[same] = true
			c.Items = append(c.Items, item)
		}
		return len(c.Items) >= pagedata.MaxItems
	}
	if k.contribution == "configuration" {
		all := o.settings()
		for i, s := range all {
			if add(s.item()) {
				c.More = len(all) - i - 1
				break
			}
		}
		return c
	}
	all := o.elements(k.contribution)
	for i, element := range all {
		item := pagedata.Item{Name: element.first(k.name), Detail: element.first(k.detail)}
		switch k.contribution {
		case "commands":
			if category := shownText(element.text("category")); category != "" && item.Name != "" {
				item.Name = category + ": " + item.Name
			}
		case "themes":
			item.Colours = themes.colours(element)
		}
		if add(item) {
			c.More = len(all) - i - 1
			break
		}
	}
	return c
}

// elements returns the objects of a contribution: a list, a single object, or an object with a list
// for each place in the editor.
func (o object) elements(contribution string) []object {
	if all := o.objects(contribution); len(all) > 0 {
		return all
	}
	places := o.object(contribution)
	if contribution != "views" && contribution != "viewsContainers" {
		return []object{places}
	}
	var all []object
	for _, place := range slices.Sorted(maps.Keys(places.fields)) {
		all = append(all, places.objects(place)...)
	}
	return all
}

// first returns the text of the first field that has one. A language has the first of its aliases;
// the texts of all other lists are joined.
func (o object) first(keys []string) string {
	for _, key := range keys {
		if text := shownText(o.text(key)); text != "" {
			return text
		}
		texts := o.texts(key)
		if key == "aliases" {
			texts = texts[:min(len(texts), 1)]
		}
		for _, pattern := range o.objects(key) { // of a custom editor or notebook
			texts = append(texts, pattern.text("filenamePattern"))
		}
		if text := shownText(strings.Join(texts[:min(len(texts), 50)], ", ")); text != "" {
			return text
		}
	}
	return ""
}

// shownText returns a text for a page: on one line, and without icons. A text that no page shows
// completely is cut before that.
func shownText(s string) string {
	const most = 2000 // bytes
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return displayText(icon.ReplaceAllString(s, " "))
}

// A setting is a setting that the extension contributes.
type setting struct {
	key string
	object
}

// settings returns the settings, sorted by key. Of several with the same key, it returns the last.
func (o object) settings() []setting {
	byKey := make(map[string]object)
	for _, c := range append(o.objects("configuration"), o.object("configuration")) {
		properties := c.object("properties")
		for key := range properties.fields {
			byKey[key] = properties.object(key)
		}
	}
	var all []setting
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		all = append(all, setting{key, byKey[key]})
	}
	return all
}

func (s setting) item() pagedata.Item {
	item := pagedata.Item{Name: s.first([]string{"description", "markdownDescription"}), Detail: s.key}
	var value bytes.Buffer
	if raw := s.fields["default"]; raw != nil && json.Compact(&value, raw) == nil {
		item.Default = shownDefault(value.String())
	}
	return item
}

// shownDefault cuts a long default.
func shownDefault(s string) string {
	const most = 200 // bytes
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// pageLinks returns the addresses in package.json. The repository is the address of its page.
func (p *Package) pageLinks() pagedata.Links {
	source, issues := strings.TrimPrefix(p.Repository(), "git+"), ""
	if known, ok := findHosted(p.Repository()); ok {
		source, issues = known.page(), known.issues()
	}
	qna, _ := p.str("qna")
	links := pagedata.Links{
		Repository: strings.TrimSuffix(source, ".git"), Directory: p.object.object("repository").text("directory"),
		Homepage: p.truthyText("homepage"), Bugs: cmp.Or(p.support(), issues), QnA: qna, Sponsor: p.sponsor(),
	}
	for _, address := range []*string{&links.Repository, &links.Homepage, &links.Bugs, &links.QnA, &links.Sponsor} {
		if *address = strings.TrimSpace(*address); !pagedata.IsLink(*address) {
			*address = ""
		}
	}
	return links
}
