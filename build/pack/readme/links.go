package readme

import (
	"fmt"
	"regexp"
	"strings"

	"galbuild/build/ecmascript"
)

// Source: src/package.ts of https://github.com/microsoft/vscode-vsce at 4.1.
var (
	// link matches !, text and target. The text may be an image.
	link     = regexp.MustCompile(`(!?)\[([^\]\[]*|!\[[^\]\[]*]\([^)]+\))\]\(([^)]+)\)`)
	mail     = regexp.MustCompile(`(?i)^mailto:`)
	absolute = regexp.MustCompile(`^\w+://|^#`)
	// tag matches an <img> or <video>, and the source in its last src, if that has only common
	// characters.
	tag = regexp.MustCompile(`<(?:img|video)[^>]+src=["']([/.\w` + ecmascript.Space + `#-]+)['"][^>]*>`)
)

// A linker makes relative links absolute.
type linker struct {
	base    base
	options Options
	report  *report
}

// markdown rewrites [text](target) and ![text](target).
func (l linker) markdown(s string) string {
	lines := newLines(s)
	return replace(link, s, func(m []string, at int) string {
		return l.link(m, lines.at(at))
	})
}

// link rewrites one link, given as the groups of the expression link. line is its first line,
// which is also used for an image in its text.
func (l linker) link(m []string, line int) string {
	all, bang, text, target := m[0], m[1], m[2], m[3]
	if mail.MatchString(target) {
		return all
	}
	kind, prefix := "link", l.base.content
	if bang != "" {
		kind, prefix = "image", l.base.images
	}
	relative := !absolute.MatchString(target)
	if relative && l.base == (base{}) {
		l.reportBroken(line, kind, target)
	}
	text = replace(link, text, func(m []string, _ int) string { return l.link(m, line) })
	if relative && prefix != "" {
		target = join(prefix, clean(target))
	}
	return bang + "[" + text + "](" + target + ")"
}

// tags rewrites the sources of <img> and <video>.
func (l linker) tags(s string) string {
	lines := newLines(s)
	return replace(tag, s, func(m []string, at int) string {
		all, source := m[0], m[1]
		if absolute.MatchString(source) {
			return all
		}
		if l.base.images == "" {
			l.reportBroken(lines.at(at), "image", source)
			return all
		}
		// As in vsce, this replaces the first occurrence, which may not be the source.
		return strings.Replace(all, source, join(l.base.images, clean(source)), 1)
	})
}

func (l linker) reportBroken(line int, kind, target string) {
	why := "package.json has no repository"
	if l.options.Repository != "" {
		why = fmt.Sprintf("the repository %q in package.json is not on GitHub or GitLab", short(l.options.Repository))
	}
	option := "--baseContentUrl"
	if kind == "image" {
		option = "--baseImagesUrl"
	}
	l.report.addBroken(target)
	l.report.add(line, "set repository in package.json to https://github.com/OWNER/NAME or https://gitlab.com/GROUP/NAME, set the base URL with "+
		option+", or keep all links with --no-rewrite-relative-links",
		"relative %s %q will be broken, as %s", kind, short(target), why)
}

// replace replaces all matches of re in s by the result of f, which gets the groups of a match
// and its offset.
func replace(re *regexp.Regexp, s string, f func(groups []string, at int) string) string {
	var b strings.Builder
	end := 0
	for _, m := range re.FindAllStringSubmatchIndex(s, -1) {
		groups := make([]string, len(m)/2)
		for i := range groups {
			if m[2*i] >= 0 {
				groups[i] = s[m[2*i]:m[2*i+1]]
			}
		}
		b.WriteString(s[end:m[0]])
		b.WriteString(f(groups, m[0]))
		end = m[1]
	}
	b.WriteString(s[end:])
	return b.String()
}
