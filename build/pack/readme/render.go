package readme

import (
	"bytes"
	"html"
	"regexp"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	markup "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// lineAttribute carries the line an image is on through the HTML parser.
const lineAttribute = "galbuild-line"

// openTag is the beginning of a tag that can become an <img> or <svg>.
var openTag = regexp.MustCompile(`(?i)<(?:img|image|svg)([\s/>])`)

// render makes HTML of GitHub's Markdown. All <img> and <svg> tags in it have a
// lineAttribute. Nothing is made of a text that can hold no image.
func render(s string, r *report) []byte {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	if !strings.Contains(s, "![") && !openTag.MatchString(s) {
		return nil
	}
	if line := tooDeep(s); line > 0 {
		r.add(line, "nest it less", "more than %d quotes and lists in each other", maxDepth)
		return nil
	}
	lines, limit := newLines(s), &limiter{over: -1}
	md := goldmark.New(
		goldmark.WithExtensions(extension.GFM),
		goldmark.WithParserOptions(parser.WithInlineParsers(util.Prioritized(limit, 1))),
		goldmark.WithRendererOptions(markup.WithUnsafe(), renderer.WithNodeRenderers(util.Prioritized(&imageRenderer{lines}, 1))),
	)
	var b bytes.Buffer
	if err := md.Convert([]byte(s), &b); err != nil {
		panic(err) // writing to memory does not fail
	}
	if limit.over >= 0 {
		r.warn(lines.at(limit.over), "divide the paragraph",
			"more than %d of the marks ! [ * _ ~ in one paragraph: images after them were not looked for", maxMarks)
	}
	return b.Bytes()
}

// An imageRenderer renders what can be an image, and adds the line it is on.
type imageRenderer struct{ lines lines }

func (r *imageRenderer) RegisterFuncs(register renderer.NodeRendererFuncRegisterer) {
	register.Register(ast.KindImage, r.image)
	register.Register(ast.KindHTMLBlock, r.block)
	register.Register(ast.KindRawHTML, r.inline)
}

// image leaves out the text, where there can be no image. The address is not
// escaped as an address: checks are made on the unescaped one.
func (r *imageRenderer) image(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		address := n.(*ast.Image).Destination
		address = util.ResolveEntityNames(util.ResolveNumericReferences(address))
		w.WriteString("<img" + r.mark(n.Pos()) + `src="` + html.EscapeString(string(address)) + `">`)
	}
	return ast.WalkSkipChildren, nil
}

func (r *imageRenderer) block(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	block := n.(*ast.HTMLBlock)
	if entering {
		for _, segment := range block.Lines().Sliced(0, block.Lines().Len()) {
			r.raw(w, segment.Value(source), segment.Start)
		}
	} else if block.HasClosure() {
		r.raw(w, block.ClosureLine.Value(source), block.ClosureLine.Start)
	}
	return ast.WalkContinue, nil
}

func (r *imageRenderer) inline(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		segments := n.(*ast.RawHTML).Segments
		for _, segment := range segments.Sliced(0, segments.Len()) {
			r.raw(w, segment.Value(source), segment.Start)
		}
	}
	return ast.WalkSkipChildren, nil
}

// raw writes HTML that is at offset in the text.
func (r *imageRenderer) raw(w util.BufWriter, html []byte, offset int) {
	end := 0
	for _, m := range openTag.FindAllSubmatchIndex(html, -1) {
		w.Write(html[end:m[2]])
		w.WriteString(r.mark(offset + m[0]))
		end = m[2]
	}
	w.Write(html[end:])
}

// mark returns the attribute for what is at offset in the text.
func (r *imageRenderer) mark(offset int) string {
	return " " + lineAttribute + "=" + strconv.Itoa(r.lines.at(offset)) + " "
}
