package manifest

import (
	"regexp"
	"slices"
	"strings"
)

// contributionTags are the tags for contributions that are not empty, in the order of vsce.
var contributionTags = []struct {
	in           string // the contribution that contains it, or ""
	contribution string
	tags         []string
}{
	{"", "themes", []string{"theme", "color-theme"}},
	{"", "iconThemes", []string{"theme", "icon-theme"}},
	{"", "productIconThemes", []string{"theme", "product-icon-theme"}},
	{"", "snippets", []string{"snippet"}},
	{"", "keybindings", []string{"keybindings"}},
	{"", "debuggers", []string{"debuggers"}},
	{"", "jsonValidation", []string{"json"}},
	{"menus", "statusBar/remoteIndicator", []string{"remote-menu"}},
	{"", "chatParticipants", []string{"chat-participant"}},
	{"", "languageModelTools", []string{"tools", "language-model-tools"}},
	{"", "languageModelChatProviders", []string{"language-models"}},
	{"", "modelContextServerCollections", []string{"mcp", "language-model-tools"}},
}

// Tags returns the keywords of the author and the tags by which galleries search: languages, file
// extensions (__ext_py), contributions, __web_extension.
func (p *Package) Tags() []string {
	contributions := p.contributions()
	tags := p.spread("keywords")
	for _, c := range contributionTags {
		from := contributions
		if c.in != "" {
			from = contributions.object(c.in)
		}
		if from.filled(c.contribution) {
			tags = append(tags, c.tags...)
		}
	}
	tags = append(tags, localizationTags(contributions)...)
	tags = append(tags, languageTags(contributions)...)
	for _, event := range p.texts("activationEvents") {
		if language, ok := strings.CutPrefix(event, "onLanguage:"); ok {
			tags = append(tags, language)
		}
	}
	for _, grammar := range contributions.objects("grammars") {
		tags = append(tags, grammar.text("language"))
	}
	tags = append(tags, describedTags(p.Description())...)
	if slices.Contains(p.Kinds(), "web") {
		tags = append(tags, TagWeb)
	}
	if p.sponsor() != "" {
		tags = append(tags, "__sponsor_extension")
	}
	return unique(tags)
}

// spread returns the texts of a list. For packing, if the field is a string, it returns the letters
// of the string, like vsce.
func (p *Package) spread(key string) []string {
	if s, ok := p.str(key); ok && p.exact {
		return strings.Split(s, "")
	}
	return p.texts(key)
}

// filled reports whether the field is a list or a string that is not empty.
func (o object) filled(key string) bool {
	s, _ := o.str(key)
	return s != "" || len(o.list(key)) > 0
}

func localizationTags(contributions object) []string {
	var tags []string
	for _, l := range contributions.objects("localizations") {
		language := l.text("languageId")
		if language == "" {
			continue
		}
		tags = append(tags, "lp-"+language)
		for _, t := range l.objects("translations") {
			tags = append(tags, "__lp_"+t.text("id"), "__lp-"+language+"_"+t.text("id"))
		}
	}
	return tags
}

var outsideTag = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

func languageTags(contributions object) []string {
	var tags []string
	for _, l := range contributions.objects("languages") {
		tags = append(tags, l.text("id"))
		for _, alias := range l.texts("aliases") {
			tags = append(tags, outsideTag.ReplaceAllString(alias, ""))
		}
		for _, extension := range l.texts("extensions") {
			name := strings.Replace(outsideTag.ReplaceAllString(extension, ""), ".", "", 1)
			if name != "" {
				tags = append(tags, "__ext_"+name)
			}
		}
	}
	return tags
}

// described are words in descriptions and their tags. If a word has no tags, its tag is the word in
// lower case.
var described = []struct {
	word string
	tags []string
}{
	{"git", nil}, {"npm", []string{"node"}}, {"spell", []string{"markdown"}}, {"bootstrap", nil},
	{"lint", []string{"linters"}}, {"linting", []string{"linters"}}, {"react", []string{"javascript"}},
	{"js", []string{"javascript"}}, {"node", []string{"javascript", "node"}}, {"c++", nil},
	{"Cplusplus", []string{"c++"}}, {"xml", nil}, {"angular", []string{"javascript"}},
	{"jquery", []string{"javascript"}}, {"php", nil}, {"python", nil}, {"latex", nil}, {"ruby", nil},
	{"java", nil}, {"erlang", nil}, {"sql", nil}, {"nodejs", []string{"node"}}, {"c#", nil},
	{"css", nil}, {"javascript", nil}, {"ftp", nil}, {"haskell", nil}, {"unity", nil}, {"terminal", nil},
	{"powershell", nil}, {"laravel", nil}, {"meteor", nil}, {"emmet", nil},
	{"eslint", []string{"linters"}}, {"tfs", nil}, {"rust", nil},
}

// describedTags returns the tags of the words in a description.
func describedTags(s string) []string {
	var tags []string
	s = lowerASCII(s)
	for _, d := range described {
		word := lowerASCII(d.word)
		switch {
		case !containsWord(s, word):
		case d.tags != nil:
			tags = append(tags, d.tags...)
		default:
			tags = append(tags, word)
		}
	}
	return tags
}

// lowerASCII returns s with ASCII letters in lower case. Other letters do not change, as in regular
// expressions of JavaScript that ignore case: the Kelvin sign is not equal to k.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func containsWord(s, word string) bool {
	for from := 0; ; {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(word)
		if (start == 0 || !wordByte(s[start-1])) && (end == len(s) || !wordByte(s[end])) {
			return true
		}
		from = start + 1
	}
}

func wordByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}
