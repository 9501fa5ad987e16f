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
	"github.com/yuin/goldmark/renderer"
	markup "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"

	"galbuild/build/markdownlimit"
)

// lineAttribute is an attribute for the line of an image, which the HTML parser keeps.
const lineAttribute = "galbuild-line"

// openTag matches the beginning of a tag that the HTML parser can make an <img> or <svg>.
var openTag = regexp.MustCompile(`(?i)<(?:img|image|svg)([\s/>])`)

// render converts GitHub's Markdown to HTML. All <img> and <svg> tags have a lineAttribute. It
// returns nil if the text cannot contain an image.
func render(s string, r *report) []byte {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	if !strings.Contains(s, "![") && !openTag.MatchString(s) {
		return nil
	}
	if line := markdownlimit.TooDeep(s); line > 0 {
		r.add(line, "nest it less", "more than %d nested quotes and lists", markdownlimit.MaxDepth)
		return nil
	}
	lines, limit := newLines(s), new(markdownlimit.Limiter)
	md := goldmark.New(
		goldmark.WithExtensions(extension.GFM, limit),
		goldmark.WithRendererOptions(markup.WithUnsafe(), renderer.WithNodeRenderers(util.Prioritized(&imageRenderer{lines}, 1))),
	)
	var b bytes.Buffer
	if err := md.Convert([]byte(s), &b); err != nil {
		panic(err) // writing to memory does not fail
	}
	if offset, ok := limit.Literal(); ok {
		r.warn(lines.at(offset), "divide the paragraph",
			"more than %d of the characters ! [ * _ ~ in one paragraph: images after them were not checked", markdownlimit.MaxMarks)
	}
	return b.Bytes()
}

// An imageRenderer renders nodes that can be images, with their lines.
type imageRenderer struct{ lines lines }

func (r *imageRenderer) RegisterFuncs(register renderer.NodeRendererFuncRegisterer) {
	register.Register(ast.KindImage, r.image)
	register.Register(ast.KindHTMLBlock, r.block)
	register.Register(ast.KindRawHTML, r.inline)
}

// image omits the alternative text, which cannot contain an image. It does not percent-encode the
// address, because that is checked without encoding.
func (r *imageRenderer) image(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		address := n.(*ast.Image).Destination
		address = util.ResolveEntityNames(util.ResolveNumericReferences(address))
		w.WriteString("<img" + r.lineOf(n.Pos()) + `src="` + html.EscapeString(string(address)) + `">`)
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

// raw writes HTML. offset is its position in the Markdown.
func (r *imageRenderer) raw(w util.BufWriter, html []byte, offset int) {
	end := 0
	for _, m := range openTag.FindAllSubmatchIndex(html, -1) {
		w.Write(html[end:m[2]])
		w.WriteString(r.lineOf(offset + m[0]))
		end = m[2]
	}
	w.Write(html[end:])
}

// lineOf returns the lineAttribute for an offset in the Markdown.
func (r *imageRenderer) lineOf(offset int) string {
	return " " + lineAttribute + "=" + strconv.Itoa(r.lines.at(offset)) + " "
}
