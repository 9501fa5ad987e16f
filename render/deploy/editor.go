package deploy

import (
	"embed"
	"io"
	"strings"
	"text/template"

	"galbuild/build/jsondoc"
)

// Editor is the gallery that an editor is configured for.
type Editor struct {
	BaseURL    string // of the gallery
	ContentURL string // of the files of packages; "" means BaseURL
}

//go:embed *.txt.tmpl
var editorTexts embed.FS

var editorTemplates = template.Must(template.New("editors").Funcs(template.FuncMap{"comment": comment}).ParseFS(editorTexts, "*.txt.tmpl"))

// CodeServer prints a shell script that sets EXTENSIONS_GALLERY. Comments contain the same for
// systemd and for containers.
func CodeServer(w io.Writer, e Editor) error { return e.write(w, "code-server.txt.tmpl") }

// VSCodium prints a shell script that sets VSCodium's variables. Comments contain the same for
// Windows, and as a product.json.
func VSCodium(w io.Writer, e Editor) error { return e.write(w, "vscodium.txt.tmpl") }

// VSCode prints the JSON to merge into product.json. Comments contain the path of that file, and
// the policy that needs no such change.
func VSCode(w io.Writer, e Editor) error { return e.write(w, "vscode.txt.tmpl") }

func (e Editor) write(w io.Writer, name string) error {
	b, err := parseBase(e.BaseURL)
	if err != nil {
		return err
	}
	content := b
	if e.ContentURL != "" {
		if content, err = parseContent(e.ContentURL); err != nil {
			return err
		}
	}
	g := galleryAt(b.String(), content.String())
	line, err := jsondoc.Line(g)
	if err != nil {
		return err
	}
	product, err := jsondoc.Indented(map[string]galleryAddresses{"extensionsGallery": g})
	if err != nil {
		return err
	}
	return editorTemplates.ExecuteTemplate(w, name, struct {
		galleryAddresses
		Base, Line, Product string
		Plain               bool // not encrypted
	}{g, b.String(), strings.TrimSpace(string(line)), strings.TrimSpace(string(product)), b.scheme == "http"})
}

// galleryAddresses is product.json's extensionsGallery.
type galleryAddresses struct {
	ServiceURL           string `json:"serviceUrl"`
	ItemURL              string `json:"itemUrl"`
	PublisherURL         string `json:"publisherUrl"`
	ResourceURLTemplate  string `json:"resourceUrlTemplate"`
	ExtensionURLTemplate string `json:"extensionUrlTemplate"`
	ControlURL           string `json:"controlUrl"`
	NLSBaseURL           string `json:"nlsBaseUrl"`
}

func galleryAt(base, content string) galleryAddresses {
	return galleryAddresses{
		ServiceURL:           base + "/api",
		ItemURL:              base + "/item",
		PublisherURL:         base + "/publishers",
		ResourceURLTemplate:  content + "/files/{publisher}/{name}/{version}/{path}",
		ExtensionURLTemplate: base + "/api/vscode/{publisher}/{name}/latest",
		ControlURL:           base + "/control.json",
	}
}

// comment puts each line of text into a comment.
func comment(text string) string { return "#   " + strings.ReplaceAll(text, "\n", "\n#   ") }
