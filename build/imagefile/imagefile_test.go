package imagefile

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for content, want := range map[string]string{
		"\x89PNG\r\n\x1a\n…":                   "image/png",
		"\xff\xd8\xff\xe0":                     "image/jpeg",
		"GIF87a…":                              "image/gif",
		"GIF89a…":                              "image/gif",
		"RIFF\x00\x00\x00\x00WEBPVP8 ":         "image/webp",
		"\x00\x00\x00\x1cftypavif":             "image/avif",
		"\ufeff <?xml version='1.0'?>\n<svg/>": SVG,
		"RIFF\x00\x00\x00\x00WAVE":             "",
		"\x89PNG":                              "",
		"<html><img src='x'></html>":           "",
		"<svg>":                                "",
		"":                                     "",
	} {
		got, err := Check([]byte(content))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Check(%q) = %q, %v; want %q", content, got, err, want)
		}
		if err == nil && Extension(got) == "" {
			t.Errorf("%s has no extension", got)
		}
	}
	if got := Extension("text/html"); got != "" {
		t.Errorf("text/html has the extension %q", got)
	}
}

// TestParseSVG has drawings that are harmless, and those of which each does one thing that is not
// allowed.
func TestParseSVG(t *testing.T) {
	for _, content := range []string{
		`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><use xlink:href="#a"/></svg>`,
		`<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg/>`,
		`<svg><a href="https://acme.example"><text>built</text></a></svg>`,
		`<svg><image href="data:image/png;base64,AA=="/></svg>`,
		`<svg><image href="data:image/svg+xml;base64,PHN2Zy8+"/><image href="data:image/svg+xml,%3Csvg/%3E"/></svg>`,
		`<svg><style>.a { fill: url(#gradient) }</style><rect fill="url('#gradient')"/></svg>`,
		`<svg xmlns:inkscape="http://x/"><g inkscape:export-filename="C:\a.png"/></svg>`,
		`<?xml version="1.0" encoding="ISO-8859-1"?><svg><text>https://acme.example url(https://x) @import</text></svg>`,
	} {
		if _, err := ParseSVG([]byte(content)); err != nil {
			t.Errorf("%s: %v", content, err)
		}
	}
	for content, want := range map[string]string{
		`<svg><script>alert(1)</script></svg>`:                                     "can run a script",
		`<svg><h:script xmlns:h="http://www.w3.org/1999/xhtml">x</h:script></svg>`: "can run a script",
		`<svg><foreignObject><body/></foreignObject></svg>`:                        "can run a script",
		`<svg onload="x"/>`:                                                              "can run a script",
		`<svg><a href="java&#10;script:x"/></svg>`:                                       "can run a script",
		`<svg><a><set attributeName="xlink:href" to="x"/></a></svg>`:                     "can run a script",
		`<svg><image href="https://acme.example/pixel"/></svg>`:                          `loads "https://acme.example/pixel" from elsewhere`,
		`<svg><image href="//acme.example/pixel"/></svg>`:                                "from elsewhere",
		`<svg><use xmlns:l="http://www.w3.org/1999/xlink" l:href="other.svg#a"/></svg>`:  "from elsewhere",
		`<svg><image href="data:image/svg+xml;base64,AA=="/></svg>`:                      "from elsewhere",
		`<svg><image href="data:image/svg+xml,%3Csvg%3E%3Cscript/%3E%3C/svg%3E"/></svg>`: "from elsewhere",
		`<svg><use href="data:image/svg+xml;base64,PHN2Zy8+"/></svg>`:                    "from elsewhere",
		`<svg><rect fill="URL( 'https://x' )"/></svg>`:                                   "from elsewhere",
		`<svg><rect style="fill:u\72l(https://x)"/></svg>`:                               "from elsewhere",
		`<svg><style>@import "https://x";</style></svg>`:                                 "style sheet loads",
		`<svg><style><![CDATA[a{background:url(//x)}]]></style></svg>`:                   "style sheet loads",
		`<?xml-stylesheet href="https://x"?><svg/>`:                                      "<?xml-stylesheet?>",
		`<!DOCTYPE svg [<!ENTITY x "y">]><svg>&x;</svg>`:                                 "declares entities",
		`<?xml version="1.0" encoding="ISO-2022-JP"?><svg/>`:                             "not XML",
		`<html/>`:                           "its element is <html>, not <svg>",
		`<svg>&x;</svg>`:                    "not XML",
		strings.Repeat("<svg>", maxDepth+1): "within each other",
	} {
		if _, err := ParseSVG([]byte(content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.100s: %v, want %q", content, err, want)
		}
	}
}

func FuzzParseSVG(f *testing.F) {
	f.Add([]byte(`<svg><style>a{fill:url(#a)}</style><a href="#"/></svg>`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := Check(content); err == nil && strings.Contains(string(content), "<script") && !strings.Contains(string(content), "<!") {
			t.Errorf("%q is accepted", content)
		}
	})
}
