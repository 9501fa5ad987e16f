// Package page is the gallery's page for people: search, one extension, one
// publisher. It is a single file without anything from elsewhere, the same for
// every gallery; in the browser it asks the gallery's own API for what it shows.
// So it needs no rendering when an extension is added, and works wherever editors
// can use the gallery.
package page

import _ "embed"

// HTML is the page. It stands at /, /item (?itemName=publisher.name) and
// /publishers/<publisher>, and finds the gallery's base from its own address.
//
//go:embed page.html
var HTML []byte
