// Package gallery is the JSON of the VS Code gallery protocol: pieces of it when
// a site is built, whole answers when the site is asked.
//
// When building, [Document] renders each extension twice, with its newest
// versions and with all of them, as JSON with holes where the gallery's base URL
// goes. When asked, [AppendAnswer] copies the pieces of the hits one after the
// other, fills the holes and closes the brackets; nothing is marshalled. The
// builder and the shim meet only here and in the index file.
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
)

// LatestPath returns where a site keeps the static answer to …/latest.
func LatestPath(publisher, name string) string {
	return LatestDir + publisher + "/" + name + "/latest"
}
