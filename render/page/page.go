// Package page is the gallery's page for people: search, one extension, one publisher. Except for
// the recommended extensions, it is the same for every gallery. In the browser, it requests
// everything that it shows from the gallery's API. So it is not rendered again when an extension is
// added, and works wherever editors can use the gallery.
//
// The page consists of HTML without inline scripts or styles, a script and a style sheet.
// The HTML of the home page contains the ids of recommended extensions, which the page shows until
// somebody searches. The HTML contains the relative address of the gallery's base. The script must
// not derive the base from the page's address, because an attacker who sends a link chooses that
// address.
package page

import (
	_ "embed"
	"encoding/hex"
	escape "html"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/headers"
)

//go:embed page.html
var html string

// Script is the page's script, which is served at gallery.ScriptPath.
//
//go:embed page.js
var Script []byte

// Style is the page's style sheet, which is served at gallery.StylePath.
//
//go:embed page.css
var Style []byte

// HTML returns the page for a folder. The argument is the relative address from the folder
// to the gallery's base: "./" or "../". contentURL is the address of the gallery's assets,
// or "" if they are below the base. The page names its script and style sheet with a part
// of their hash, so that a cache cannot mix two versions. recommended are ids of extensions.
func HTML(base, contentURL string, recommended []string) []byte {
	return []byte(strings.NewReplacer(
		"{base}", base, "{policy}", headers.PagePolicy(contentURL),
		"{recommended}", escape.EscapeString(strings.Join(recommended, " ")),
		"{js}", short(Script), "{css}", short(Style),
	).Replace(html))
}

func short(b []byte) string {
	ref := blob.Sum(b)
	return hex.EncodeToString(ref[:4])
}
