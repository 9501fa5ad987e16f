package readme

import (
	"fmt"
	"regexp"
	"strings"

	"galbuild/build/ecmascript"
)

// Source: src/package.ts of https://github.com/microsoft/vscode-vsce at 4.1.
var (
	// link is !, text and target; the text may be an image.
	link     = regexp.MustCompile(`(!?)\[([^\]\[]*|!\[[^\]\[]*]\([^)]+\))\]\(([^)]+)\)`)
	mail     = regexp.MustCompile(`(?i)^mailto:`)
	absolute = regexp.MustCompile(`^\w+://|^#`)
	// tag is one with a source of few characters, of its last src.
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

// link rewrites one link, given as all of it, !, text and target. line is what it
// begins in, and for an image in the text as well.
func (l linker) link(m []string, line int) string {
	all, mark, text, target := m[0], m[1], m[2], m[3]
	if mail.MatchString(target) {
		return all
	}
	kind, prefix := "link", l.base.content
	if mark != "" {
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
	return mark + "[" + text + "](" + target + ")"
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
		// The first such text in the tag need not be the source; so it is in vsce.
		return strings.Replace(all, source, join(l.base.images, clean(source)), 1)
	})
}

func (l linker) reportBroken(line int, kind, target string) {
	why := "package.json names no repository"
	if l.options.Repository != "" {
		why = fmt.Sprintf("package.json's repository %q tells of no place on GitHub or GitLab", short(l.options.Repository))
	}
	option := "--baseContentUrl"
	if kind == "image" {
		option = "--baseImagesUrl"
	}
	l.report.addBroken(target)
	l.report.add(line, "write the repository as https://github.com/OWNER/NAME or https://gitlab.com/GROUP/NAME into package.json, say with "+
		option+" what comes before it, or leave all links alone with --no-rewrite-relative-links",
		"relative %s %q will be broken, as %s", kind, short(target), why)
}

// replace replaces all matches of re in s by what f makes of their parts and the
// offset in s.
func replace(re *regexp.Regexp, s string, f func(parts []string, at int) string) string {
	var b strings.Builder
	end := 0
	for _, m := range re.FindAllStringSubmatchIndex(s, -1) {
		parts := make([]string, len(m)/2)
		for i := range parts {
			if m[2*i] >= 0 {
				parts[i] = s[m[2*i]:m[2*i+1]]
			}
		}
		b.WriteString(s[end:m[0]])
		b.WriteString(f(parts, m[0]))
		end = m[1]
	}
	b.WriteString(s[end:])
	return b.String()
}
