package manifest

import (
	"path"
	"slices"
	"strings"

	"galbuild/build/pagedata"
)

// Limits of reading colour themes.
const (
	maxThemes   = 24 // themes of a package whose files are read; the others have no colours
	maxIncludes = 4  // files that include each other
)

// uiThemes are the colours of the background and the text in VS Code, for themes without their own.
var uiThemes = map[string][2]string{
	"vs": {"#ffffff", "#000000"}, "vs-dark": {"#1e1e1e", "#bbbbbb"}, "hc-black": {"#000000", "#ffffff"}, "hc-light": {"#ffffff", "#292929"},
}

// themeTokens are the parts of code whose colours are shown, by their TextMate scopes.
var themeTokens = [...]string{"comment", "keyword.control", "string.quoted", "entity.name.function", "constant.numeric", "entity.name.type"}

// A themeReader reads the files of colour themes.
type themeReader struct {
	read   func(file string) []byte
	themes int
}

// A theme is what a file, and those that it includes, say about colours. Texts that are no colours
// are "".
type theme struct {
	background, text string
	tokens           [len(themeTokens)]themeToken
}

type themeToken struct {
	selector int // length of the selector that has set the colour
	colour   string
}

// colours returns the colours of a contributed theme, each once: the background, the text, and
// parts of code. It returns nil if its file cannot be read.
func (r *themeReader) colours(contributed object) []string {
	if r.themes++; r.themes > maxThemes {
		return nil
	}
	var t theme
	if !r.load(contributed.text("path"), &t, maxIncludes) {
		return nil
	}
	colours := []string{t.background, t.text}
	if standard, ok := uiThemes[contributed.text("uiTheme")]; ok {
		for i := range colours {
			if colours[i] == "" {
				colours[i] = standard[i]
			}
		}
	}
	for i := range themeTokens {
		colours = append(colours, t.tokens[i].colour)
	}
	colours = unique(colours)
	return colours[:min(len(colours), pagedata.MaxColours)]
}

// load adds the colours in a file to t, after those of the file that it includes. It returns false
// if the file is missing or is not JSON.
func (r *themeReader) load(file string, t *theme, files int) bool {
	file = strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(file, `\`, "/")), "/")
	o, err := parseObject(plainComments(PlainJSON(r.read(file))))
	if err != nil {
		return false
	}
	if include := o.text("include"); include != "" && files > 1 {
		r.load(path.Join(path.Dir(file), include), t, files-1)
	}
	for _, rule := range o.objects("tokenColors") {
		t.apply(rule)
	}
	colors := o.object("colors")
	replace(&t.background, colourOf(colors.text("editor.background")))
	replace(&t.text, colourOf(colors.text("editor.foreground")))
	return true
}

// apply applies a rule about the colour of code. Of the rules for a part of code, the one with the
// longest selector decides, and of several such rules, the last one. Selectors with more than one
// scope are ignored. A rule without any is about the editor.
func (t *theme) apply(rule object) {
	settings := rule.object("settings")
	colour := colourOf(settings.text("foreground"))
	selectors := append(strings.Split(rule.text("scope"), ","), rule.texts("scope")...)
	if !rule.has("scope") {
		replace(&t.text, colour)
		replace(&t.background, colourOf(settings.text("background")))
		return
	}
	for i, token := range themeTokens {
		for _, s := range selectors {
			s = strings.TrimSpace(s)
			if applies := s != "" && (token == s || strings.HasPrefix(token, s+".")); applies && colour != "" && len(s) >= t.tokens[i].selector {
				t.tokens[i] = themeToken{len(s), colour}
			}
		}
	}
}

func replace(colour *string, by string) {
	if by != "" {
		*colour = by
	}
}

// colourOf returns a colour such as #1e1e1e: in lower case, in the long form, and without opacity.
// It returns "" for anything else.
func colourOf(s string) string {
	digits, ok := strings.CutPrefix(strings.ToLower(s), "#")
	if ok && (len(digits) == 3 || len(digits) == 4) {
		digits = string(slices.Concat([]byte{digits[0]}, []byte{digits[0]}, []byte{digits[1]}, []byte{digits[1]}, []byte{digits[2]}, []byte{digits[2]}))
	}
	if ok && len(digits) == 8 {
		digits = digits[:6]
	}
	if colour := "#" + digits; ok && pagedata.IsColour(colour) {
		return colour
	}
	return ""
}
