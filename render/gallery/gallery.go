// Package gallery is the JSON of the VS Code gallery protocol: pieces of it when
// a site is built, whole answers when the site is asked.
//
// When building, [Document] says what an extension is found by, and a [Renderer]
// renders it twice, with its newest versions and with all of them, as JSON with
// holes where the gallery's base URL goes, and as pieces of package splice. When
// asked, [Respond] finds the hits. [Response.WriteJSON] copies their JSON one after the
// other, fills the placeholders and closes the brackets, and [Response.WriteGzip] joins their
// compressed forms. Nothing is marshalled or compressed. A response of any length is written
// through a small buffer. The builder and the shim meet only here and in
// the index file.
//
// A hole is as wide whatever the base URL: spaces before the member that holds it
// make up for what it lacks. Pieces can therefore be compressed before it is known,
// and JSON is filled in where it lies.
//
// Every answer holds files, properties, tags, categories, flags, URLs and
// statistics, whether asked for or not: editors crash on a missing "files" or
// "flags", and none minds a field too many. Only the choice of versions follows
// the flags of the question.
package gallery

// Paths of a site that answers point to, or that stand in for answers.
const (
	LatestDir     = "api/vscode/"
	ControlPath   = "control.json"
	ManifestPath  = "manifest.json"
	PagePath      = "index.html"
	ItemPath      = "item/index.html"
	PublisherPath = "publishers/index.html"
	ScriptPath    = "page.js"
	StylePath     = "page.css"
)

// LatestPath returns where a site keeps the static answer to …/latest.
func LatestPath(publisher, name string) string {
	return LatestDir + publisher + "/" + name + "/latest"
}
