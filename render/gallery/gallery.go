// Package gallery writes the JSON of the VS Code gallery protocol: parts of responses when a
// site is built, and whole responses when a query arrives. The builder and galshim share
// only this package and the format of the index.
//
// When a site is built, [Document] returns what an extension can be found by. A [Renderer]
// renders each extension twice, with its newest versions and with all of them, as JSON with
// placeholders for the base URL of the gallery, and as fragments of package splice. Both end before
// the statistics, which change every night while the rest of an extension stays as it is.
//
// When a query arrives, [Respond] searches the index. [Response.WriteJSON] copies the JSON of
// the results and fills in the placeholders. [Response.WriteGzip] joins their compressed
// fragments. Both add the statistics, which are among the numbers of documents in the index.
// Nothing is marshalled or compressed, and a response of any length is written through a small
// buffer.
//
// A placeholder has the same width for every base URL: spaces before its member fill the rest.
// So fragments can be compressed before the base URL is known, and the JSON can be filled in
// without moving it.
//
// Every response to a query contains files, properties, tags, categories, flags, URLs and
// statistics, whether the query requests them or not. Static responses, see [Latest], have no
// statistics. Editors crash if "files" or "flags" is missing, and
// ignore fields that they did not request. The flags of a query decide only which versions it
// gets.
package gallery

// Paths of files of a site that responses refer to, or that are responses themselves.
const (
	LatestDir    = "api/vscode/"
	ControlPath  = "control.json"
	ManifestPath = "manifest.json"
	ItemDir      = "item/"    // pages of extensions, by id in lower case
	MissingPath  = "404.html" // the page for addresses that have none
)

// LatestPath returns the path of the static response to GET …/latest.
func LatestPath(publisher, name string) string {
	return LatestDir + publisher + "/" + name + "/latest"
}
