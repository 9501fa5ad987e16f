package query

import "strings"

// readText reads a search text. Editors replace the operators that people type, such as
// @category:themes, by criteria before they send the rest; other clients send the text as it
// was typed. So each operator becomes the criterion that VS Code would make of it, and the
// rest is searched. Operators in quotation marks are text.
//
// Source: Query in VS Code's extensionQuery.ts, queryGallery in its extensionsViews.ts and
// query in its extensionGalleryService.ts.
func (r *reader) readText(f *Filter, text string) {
	text = cut(strings.TrimSpace(text))
	if !strings.ContainsAny(text, "@:") { // as most are
		r.keepText(&f.Text, text)
		return
	}
	var rest strings.Builder
	for text != "" {
		token, after := nextToken(text)
		if !r.operator(f, token) {
			rest.WriteString(token)
		}
		text = after
	}
	r.keepText(&f.Text, rest.String())
}

// nextToken splits text after its first token: white space, a quotation, or what stands
// before the next white space, with the quotations in it.
func nextToken(text string) (token, after string) {
	inSpace := isSpace(text[0])
	quoted := false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' && (quoted || strings.Contains(text[i+1:], `"`)):
			if inSpace {
				return text[:i], text[i:]
			}
			if quoted = !quoted; !quoted {
				return text[:i+1], text[i+1:]
			}
		case !quoted && isSpace(c) != inSpace:
			return text[:i], text[i:]
		}
	}
	return text, ""
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// operator applies a token that is an operator. It returns false if the token is none, or
// one that the index reads, or one that is not known.
func (r *reader) operator(f *Filter, token string) bool {
	name, value, valued := strings.Cut(token, ":")
	name, at := strings.CutPrefix(strings.ToLower(name), "@")
	value = strings.TrimSpace(strings.ReplaceAll(value, `"`, ""))
	switch {
	case name == "category" && (at || value != ""):
		r.criterionOf(f, kindCategory, value)
	case name == "tag" && (at || value != ""):
		r.criterionOf(f, kindTag, value)
	case name == "ext" && (at || value != ""):
		r.addFileType(f, value)
	case !at || name == "publisher":
		return false
	case name == "id":
		r.criterionOf(f, kindName, value)
	case name == "sort":
		by, _, _ := strings.Cut(value, "-") // @sort:name-asc: editors disregard what follows
		r.sort = sortNamed(strings.ToLower(by))
	case name == "featured":
		f.Featured = true
	case name == "web":
		r.criterionOf(f, kindTag, "__web_extension")
	case !valued && sortNamed(name) != Relevance:
		r.sort = sortNamed(name)
	default:
		return isLocal(name)
	}
	return true
}

// criterionOf adds a criterion, unless its value is still being typed.
func (r *reader) criterionOf(f *Filter, kind int64, value string) {
	if value != "" {
		r.add(f, kind, value)
	}
}

// addFileType adds the tags that packagers write for a type of files, and the one that
// authors do.
func (r *reader) addFileType(f *Filter, extension string) {
	if extension = strings.TrimLeft(extension, "."); extension != "" {
		for _, tag := range []string{"__ext_" + extension, "__ext_." + extension, extension} {
			r.add(f, kindTag, tag)
		}
	}
}

// sortNamed returns the order of @sort:name, or of an operator that stands for one.
func sortNamed(name string) Sort {
	switch name {
	case "installs", "popular", "trending", "hot":
		return InstallCount
	case "rating":
		return WeightedRating
	case "name":
		return Title
	case "publisheddate", "recentlypublished":
		return Released
	case "updatedate":
		return Updated
	}
	return Relevance
}

// isLocal reports whether editors apply an operator to what is installed or recommended,
// without the gallery. It says nothing about the extensions that are searched.
func isLocal(name string) bool {
	switch name {
	case "installed", "builtin", "enabled", "disabled", "outdated", "updates", "recommended", "recentlyupdated",
		"deprecated", "restartrequired", "group", "workspaceunsupported", "workspaceunsupportedpartial",
		"workspacepartial", "feature", "contribute", "exe", "mcp":
		return true
	}
	return false
}
