package pages

import (
	"cmp"
	"strings"

	"galbuild/render/deploy"
)

// Client is an editor, and how it is pointed to the gallery.
type Client struct {
	Name, Note string
	Settings   []Setting
}

// Setting is what to write where.
type Setting struct{ Where, Text string }

// unknownBase stands for the address of the gallery where it is not known. The script replaces it.
const unknownBase = "https://gallery.example"

// Editors returns the page on how to point editors to the gallery.
func (s *Site) Editors() ([]byte, error) {
	clients, err := s.clients()
	return s.render("editors", view{
		Path: EditorsPath, Heading: "Set up your editor", Description: "How to point code-server, VS Code, VSCodium and other editors to this gallery", Body: clients,
	}), err
}

// clients returns the editors, also those that cannot use the gallery. Those for which galbuild
// config prints a configuration have that text.
func (s *Site) clients() ([]Client, error) {
	base := cmp.Or(s.BaseURL, unknownBase)
	gallery := deploy.Editor{BaseURL: base, ContentURL: s.ContentURL}
	var texts [3]strings.Builder
	for i, write := range []func(*strings.Builder) error{
		func(b *strings.Builder) error { return deploy.CodeServer(b, gallery) },
		func(b *strings.Builder) error { return deploy.VSCodium(b, gallery) },
		func(b *strings.Builder) error { return deploy.VSCode(b, gallery) },
	} {
		if err := write(&texts[i]); err != nil {
			return nil, err
		}
	}
	service, item := base+"/api", base+"/item"
	return []Client{
		{"code-server", "", []Setting{{"In the environment of code-server", texts[0].String()}}},
		{"VSCodium", "Also other editors that read VSCODE_GALLERY_ variables or a product.json of the user.", []Setting{{"In the environment of VSCodium", texts[1].String()}}},
		{"Visual Studio Code", "", []Setting{{"In product.json", texts[2].String()}}},
		{"Cursor", "", []Setting{{"Setting or policy ExtensionGalleryServiceUrl", service}}},
		{"Windsurf", "", []Setting{
			{"Setting windsurf.marketplaceExtensionGalleryServiceURL", service},
			{"Setting windsurf.marketplaceGalleryItemURL", item},
		}},
		{"Antigravity", "", []Setting{
			{"Setting antigravity.marketplaceExtensionGalleryServiceURL", service},
			{"Setting antigravity.marketplaceGalleryItemURL", item},
		}},
		{"GitLab Web IDE and workspaces", "An administrator sets these three addresses as the extension marketplace.", []Setting{
			{"Service URL", service}, {"Item URL", item},
			{"Resource URL template", cmp.Or(s.ContentURL, base) + "/files/{publisher}/{name}/{version}/{path}"},
		}},
		{"Positron", "It asks for paths that only galshim answers, so the gallery must not be only files.", []Setting{{"Setting Custom Gallery Url", base}}},
		{"Eclipse Theia, Eclipse Che and ovsx", "They use the REST API of Open VSX, which this gallery does not have. Download the file from the page of an extension, and install it from there: Theia has the command Extensions: Install from VSIX.", nil},
		{"Visual Studio", "Visual Studio 2026 has a group policy of the same name as VS Code, ExtensionGalleryServiceUrl, but its extensions are of another kind. This gallery has none of them.", nil},
	}, nil
}

// Report is what was refused or held back when the gallery was built.
type Report struct {
	Built  string // date
	Groups []ReportGroup
}

// ReportGroup is what one rule did.
type ReportGroup struct {
	Rule    string
	Entries []ReportEntry
}

// ReportEntry is a package that was refused, or a version that is held back.
type ReportEntry struct{ Subject, Reason, Until string }

// Report returns the page.
func (s *Site) Report(r *Report) []byte {
	return s.render("report", view{Path: ReportPath, Heading: "Build report", Description: "What was refused or held back, and by which rule", Body: r})
}

// Message is a text that an editor shows, with its cause and what to do.
type Message struct{ Text, Cause, Cure string }

// Messages returns the page of messages.
func (s *Site) Messages() []byte {
	return s.render("messages", view{Path: MessagesPath, Heading: "What the editor said", Description: "Messages of editors, what they mean here, and what to do", Body: messages})
}

// messages are texts of VS Code 1.139, with … for what differs each time.
var messages = []Message{
	{"No extensions found.", "The gallery has no extension that matches. Filters such as @category: and @installed also count.",
		"Search with fewer words here, on the home page. If it is here, look at its versions: the editor leaves out those that need a newer editor or another platform. If the editor finds nothing at all, its address of the gallery is wrong: see how to set it up."},
	{"Error while fetching extensions. …", "The request to the gallery failed: the address is wrong, a proxy refused it, or the certificate is not trusted.",
		"Open the address of the gallery in a browser on the same machine. For a certificate of a private authority, install the authority, and set NODE_EXTRA_CA_CERTS for code-server. A desktop editor sends requests only over https."},
	{"Marketplace returned 'ECONNREFUSED'. Please check the 'http.proxy' setting.", "Nothing listens at the address, or the editor goes through a proxy that cannot reach the gallery.",
		"Add the gallery's host to http.noProxy, or remove http.proxy."},
	{"Unable to search the Marketplace when offline, please check your network connection.", "The browser or the operating system says that there is no network.",
		"Connect to the network that the gallery is in. The editor sends no request until then."},
	{"This extension is not signed by the Extension Marketplace.", "The gallery offers the version without a signature, and the editor was not told that it is a private gallery.",
		"Update the editor to 1.100 or later. Whoever runs the gallery can build it with a current galbuild, which tells editors so."},
	{"Signature verification failed with '…' error.", "The gallery offers a signature, and it does not belong to the file that arrived: the file was changed on the way, or the signature is an empty one, which current editors refuse.",
		"Compare the SHA-256 of the file with the one on the page of the extension. If they are the same, tell whoever runs the gallery: it should not be built with --sign empty. Do not switch off extensions.verifySignature."},
	{"Can't install '…' extension because it is not compatible.", "No version fits the editor or the platform.",
		"The page of the extension lists which VS Code each version needs and for which platform it is. Update the editor, or install an older version from its menu."},
	{"Can't install '…' extension because it is not compatible with the current version of … (version …).", "The version needs a newer editor.",
		"Install an older version, or update the editor."},
	{"Can't install release version of '…' extension because it has no release version.", "The gallery has only pre-releases of it.",
		"Choose Install Pre-Release Version, or --pre-release on the command line. A policy can also keep a release out: see the build report."},
	{"Extension '…' not found.", "The command line says so if the id is not in the gallery, or does not have the version that was asked for. An extension that was reported as malicious is not in the gallery any more.",
		"Search for it here, and compare the id, which is publisher.name. The page of the extension lists all versions."},
	{"The extension '…' cannot be installed because it was not found.", "The id is not in the gallery. It may also be a dependency of what you install.",
		"Search for it here. The page of an extension marks the dependencies that are missing. Ask whoever runs the gallery for it."},
	{"The extension '…' cannot be installed because the requested version '…' was not found.", "The gallery does not have that version, or a policy removed it.",
		"The page of the extension lists all versions. Install one of them."},
	{"Can't install '…' extension since it was reported to be problematic.", "The gallery lists the extension as malicious, and does not offer it. Editors also disable it where it is installed.",
		"Do not install it. Uninstall it if it is installed, and ask whoever runs the gallery for the reason."},
	{"Cannot install '…' extension because of manifest mismatch with Marketplace", "The file that arrived is another version or extension than was asked for: a cache or a proxy sent an old file.",
		"Try again. If it stays, empty the cache of the proxy. galbuild verify says whether the gallery itself is sound."},
	{"End of central directory record signature not found", "What arrived is not a package, but usually the error page of a proxy or a sign-in page.",
		"Download the file from the page of the extension with the same network. Its SHA-256 must be the one on the page."},
	{"Extension is not allowed.", "The setting extensions.allowed, which an administrator sets, does not list the extension.",
		"Ask the administrator of the editor. The gallery's own policy may be another one."},
}
