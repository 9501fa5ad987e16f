package secret

import (
	"bytes"
	"path"
	"strings"
	"unicode/utf8"
)

// textExtensions and binaryExtensions are file extensions, and names without a dot, that
// decide whether a file is text. They are case-sensitive.
// Source: textextensions and binaryextensions 6.11.0, https://github.com/bevry/textextensions.
var (
	textExtensions = words(`
	Dockerfile Makefile Rakefile ada adb ads applescript as ascx asm asmx asp aspx atom bas bash bashrc bat
	bbcolors bdsgroup bdsproj bib bowerrc c cbl cc cfc cfg cfm cfml cgi clj cls cmake cmd cnf cob coffee
	coffeekup conf cpp cpt cpy crt cs csh cson csr css csslintrc csv ctl curlrc cxx dart dfm diff dockerignore
	dof dpk dproj dtd eco editorconfig ejs el emacs eml ent erb erl eslintignore eslintrc ex exs f f03 f77 f90
	f95 fish for fpp frm ftn gemrc gitattributes gitconfig gitignore gitkeep gitmodules go gpp gradle groovy
	groupproj grunit gtmpl gvimrc h haml hbs hgignore hh hpp hrl hs hta htaccess htc htm html htpasswd hxx iced
	inc ini ino int irbrc itcl itermcolors itk jade java jhtm jhtml js jscsrc jshintignore jshintrc json json5
	jsonld jsp jspx jsx ksh less lhs lisp log ls lsp lua m mak map markdown master md mdown mdwn mdx metadata mht
	mhtml mjs mk mkd mkdn mkdown ml mli mm mxml nfm nfo njk noon npmignore npmrc nvmrc ops pas pasm patch pbxproj
	pch pem pg php php3 php4 php5 phpt phtml pir pl pm pmc pod pot properties props pt pug py r rake rb rdoc
	rdoc_options resx rhtml rjs rlib rmd ron rs rss rst rtf rvmrc rxml s sass scala scm scss seestyle sh shtml
	sls spec sql sqlite ss sss st strings sty styl stylus sub sublime-build sublime-commands sublime-completions
	sublime-keymap sublime-macro sublime-menu sublime-project sublime-settings sublime-workspace sv svc svg t tcl
	tcsh terminal tex text textile tg tmLanguage tmTheme tmpl toml tpl ts tsv tsx tt tt2 ttml txt v vb vbs vh vhd
	vhdl vim viminfo vimrc vue webapp wxml wxss x-php xaml xht xhtml xml xs xsd xsl xslt yaml yml zsh zshrc`)
	binaryExtensions = words("dds eot gif ico jar jpeg jpg pdf png swf tga ttf zip")
)

func words(s string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(s) {
		set[word] = true
	}
	return set
}

// isText reports whether secretlint treats a file as text. If its name has a known extension, the
// name decides, and otherwise the content.
// Source: istextorbinary 9.5.0.
func isText(name string, content []byte) bool {
	if text, known := textName(name); known {
		return text
	}
	return textContent(content)
}

// textName decides by the name of a file. It splits the name at its dots, and uses the last part
// that is a known extension. A name without a dot, such as Makefile, is one part.
func textName(name string) (text, known bool) {
	rest := path.Base(name)
	for found := true; found; {
		var part string
		i := strings.LastIndexByte(rest, '.')
		part, found = rest[i+1:], i >= 0
		if textExtensions[part] || binaryExtensions[part] {
			return textExtensions[part], true
		}
		rest = rest[:max(i, 0)]
	}
	return false, false
}

// sampleBytes is the size of each of the three samples that textContent reads.
const sampleBytes = 24

// textContent decides by three samples: at the beginning, before the middle and at the end
// of a file. Each is moved to whole characters. Invalid UTF-8 and control characters below
// U+0009 are not text.
func textContent(content []byte) bool {
	for _, at := range []int{0, max(0, len(content)/2-sampleBytes), max(0, len(content)-sampleBytes)} {
		from := charBegin(content, at)
		if from < 0 {
			return false
		}
		to := charEnd(content, min(len(content), from+sampleBytes))
		if to > len(content) || !clean(content[from:to]) {
			return false
		}
	}
	return true
}

func clean(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsRune(b, utf8.RuneError) &&
		!bytes.ContainsFunc(b, func(r rune) bool { return r <= 8 })
}

// charSize returns the length of the UTF-8 sequence whose first byte is c, or 0 if c is not
// the first of several bytes.
func charSize(c byte) int {
	switch {
	case c>>3 == 0b11110:
		return 4
	case c>>4 == 0b1110:
		return 3
	case c>>5 == 0b110:
		return 2
	}
	return 0
}

// charBegin returns the offset of the first byte of the character at an offset, or -1 if
// there is no such byte.
func charBegin(b []byte, at int) int {
	if at == 0 || b[at]>>6 != 0b10 {
		return at
	}
	for back := 3; back >= 1; back-- {
		if at >= back && charSize(b[at-back]) > back {
			return at - back
		}
	}
	return -1
}

// charEnd returns the offset after the character that contains an offset. It may be larger
// than len(b).
func charEnd(b []byte, at int) int {
	if at == len(b) {
		return at
	}
	for back := 3; back >= 1; back-- {
		if at < back {
			continue
		}
		if size := charSize(b[at-back]); size > back {
			return at - back + size
		}
	}
	return at
}
