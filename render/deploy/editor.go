package deploy

import (
	"embed"
	"errors"
	"io"
	"strings"
	"text/template"

	"github.com/google/uuid"

	"galbuild/build/jsondoc"
	"galbuild/build/tokens"
)

// Editor is the gallery that an editor is configured for.
type Editor struct {
	BaseURL    string // of the gallery
	ContentURL string // of the files of packages; "" means BaseURL
	Token      string // of the user, for all addresses; "" for a gallery that everybody may read
}

//go:embed editors/*.tmpl
var editorTexts embed.FS

var editorTemplates = template.Must(template.New("editors").Funcs(template.FuncMap{"comment": comment}).ParseFS(editorTexts, "editors/*.tmpl"))

// CodeServer prints a shell script that sets EXTENSIONS_GALLERY. Comments contain the same for
// systemd and for containers.
func CodeServer(w io.Writer, e Editor) error { return e.write(w, "code-server.txt.tmpl") }

// VSCodium prints a shell script that sets VSCodium's variables. Comments contain the same for
// Windows, and as a product.json.
func VSCodium(w io.Writer, e Editor) error { return e.write(w, "vscodium.txt.tmpl") }

// VSCode prints the JSON to merge into product.json. Comments contain the path of that file, and
// the policy that needs no such change.
func VSCode(w io.Writer, e Editor) error { return e.write(w, "vscode.txt.tmpl") }

// VSCodePatch prints a script for Node.js that changes product.json.
func VSCodePatch(w io.Writer, e Editor) error { return e.write(w, "vscode-patch.js.tmpl") }

// VSCodePolicy prints VS Code's policies for Linux, as the file /etc/vscode/policy.json.
func VSCodePolicy(w io.Writer, e Editor) error { return e.write(w, "vscode-policy.json.tmpl") }

// VSCodeRegistry prints VS Code's policies for Windows, as a file for regedit.
func VSCodeRegistry(w io.Writer, e Editor) error { return e.write(w, "vscode-registry.reg.tmpl") }

// VSCodeProfile prints VS Code's policies for macOS, as a configuration profile.
func VSCodeProfile(w io.Writer, e Editor) error { return e.write(w, "vscode-mobileconfig.plist.tmpl") }

// Cursor prints the address for Cursor's policy.
func Cursor(w io.Writer, e Editor) error { return e.write(w, "cursor.txt.tmpl") }

// Windsurf prints the settings of Windsurf.
func Windsurf(w io.Writer, e Editor) error { return e.write(w, "windsurf.txt.tmpl") }

// Antigravity prints the settings of Antigravity.
func Antigravity(w io.Writer, e Editor) error { return e.write(w, "antigravity.txt.tmpl") }

// Positron prints the address for Positron's setting.
func Positron(w io.Writer, e Editor) error { return e.write(w, "positron.txt.tmpl") }

// GitLab prints a command that sets the gallery of GitLab's Web IDE and workspaces.
func GitLab(w io.Writer, e Editor) error { return e.write(w, "gitlab.txt.tmpl") }

// editorText is what the templates of editors are filled with.
type editorText struct {
	galleryAddresses
	Base                     string
	Line, Product            string // extensionsGallery as one line of JSON; as a product.json
	Plain                    bool   // not encrypted
	Secret                   bool   // it has a token
	ProfileUUID, PayloadUUID uuid.UUID
}

// write prints a template. Base URLs have no characters that its language would need to escape.
func (e Editor) write(w io.Writer, name string) error {
	text, err := e.text()
	if err != nil {
		return err
	}
	return editorTemplates.ExecuteTemplate(w, name, text)
}

func (e Editor) text() (editorText, error) {
	b, err := parseBase(e.BaseURL)
	if err != nil {
		return editorText{}, err
	}
	content := b
	if e.ContentURL != "" {
		if content, err = parseContent(e.ContentURL); err != nil {
			return editorText{}, err
		}
	}
	if e.Token != "" {
		if !tokens.Is(e.Token) {
			return editorText{}, errors.New("token: want gal_ and 43 characters")
		}
		b.prefix, content.prefix = b.prefix+"/t/"+e.Token, content.prefix+"/t/"+e.Token
	}
	g := galleryAt(b.String(), content.String())
	line, err := jsondoc.Line(g)
	if err != nil {
		return editorText{}, err
	}
	product, err := jsondoc.Indented(map[string]galleryAddresses{"extensionsGallery": g})
	if err != nil {
		return editorText{}, err
	}
	profile := uuid.NewSHA1(uuid.NameSpaceURL, []byte(b.String()))
	return editorText{
		galleryAddresses: g, Base: b.String(), Plain: b.scheme == "http", Secret: e.Token != "",
		Line: strings.TrimSpace(string(line)), Product: strings.TrimSpace(string(product)),
		ProfileUUID: profile, PayloadUUID: uuid.NewSHA1(profile, []byte("policy")),
	}, nil
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
