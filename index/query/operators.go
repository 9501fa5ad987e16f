package query

import "strings"

// readText reads a search text. Editors replace the operators that people type, such as
// @category:themes, by criteria and send the rest. Other clients send the text as it was
// typed. So readText replaces each operator by the criterion that VS Code would send, and
// adds the rest as a text. Operators within quotation marks are text.
//
// Source: Query in VS Code's extensionQuery.ts, queryGallery in its extensionsViews.ts and
// query in its extensionGalleryService.ts.
func (r *reader) readText(f *Filter, text string) {
	text = truncate(strings.TrimSpace(text))
	if !strings.ContainsAny(text, "@:") { // most texts
		r.addText(&f.Text, text)
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
	r.addText(&f.Text, rest.String())
}

// nextToken splits text after its first token: white space, a quotation, or the characters
// up to the next white space, including quotations within them.
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

// operator applies a token that is an operator. It returns false if the token is not an
// operator, if it is unknown, or if package index applies it.
func (r *reader) operator(f *Filter, token string) bool {
	name, value, valued := strings.Cut(token, ":")
	name, at := strings.CutPrefix(strings.ToLower(name), "@")
	value = strings.TrimSpace(strings.ReplaceAll(value, `"`, ""))
	switch {
	case name == "category" && (at || value != ""):
		r.addOperatorValue(f, kindCategory, value)
	case name == "tag" && (at || value != ""):
		r.addOperatorValue(f, kindTag, value)
	case name == "ext" && (at || value != ""):
		r.addFileType(f, value)
	case !at || name == "publisher":
		return false
	case name == "id":
		r.addOperatorValue(f, kindName, value)
	case name == "sort":
		by, _, _ := strings.Cut(value, "-") // editors ignore the suffix of @sort:name-asc
		r.sort = sortNamed(strings.ToLower(by))
	case name == "featured":
		f.Featured = true
	case name == "web":
		r.addOperatorValue(f, kindTag, "__web_extension")
	case !valued && sortNamed(name) != Relevance:
		r.sort = sortNamed(name)
	default:
		return isLocal(name)
	}
	return true
}

// addOperatorValue adds a criterion, unless its value is empty because it is still being
// typed.
func (r *reader) addOperatorValue(f *Filter, kind int64, value string) {
	if value != "" {
		r.add(f, kind, value)
	}
}

// addFileType adds the tags that packagers and authors use for a file type.
func (r *reader) addFileType(f *Filter, extension string) {
	if extension = strings.TrimLeft(extension, "."); extension != "" {
		for _, tag := range []string{"__ext_" + extension, "__ext_." + extension, extension} {
			r.add(f, kindTag, tag)
		}
	}
}

// sortNamed returns the order of @sort:name, or of an operator with that name.
func sortNamed(name string) Sort {
	switch name {
	case "installs", "popular":
		return InstallCount
	case "trending", "hot":
		return TrendingWeekly
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

// isLocal reports whether editors apply the operator to installed or recommended
// extensions, without a query to the gallery. Such an operator does not restrict a search.
func isLocal(name string) bool {
	switch name {
	case "installed", "builtin", "enabled", "disabled", "outdated", "updates", "recommended", "recentlyupdated",
		"deprecated", "restartrequired", "group", "workspaceunsupported", "workspaceunsupportedpartial",
		"workspacepartial", "feature", "contribute", "exe", "mcp":
		return true
	}
	return false
}
