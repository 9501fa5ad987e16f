// Package galshim is the galshim command: a stateless server that responds to extension
// queries from the index of a site, which it holds in memory, and serves the site's files.
//
// # Requests
//
// Paths are matched below the path of the base URL and at the root, because some proxies
// remove that path. Doubled and trailing slashes are ignored, and so is case in publishers,
// names and platforms. API is each of /api, /_apis/public/gallery and /vscode/gallery.
//
//	POST API/extensionquery                      a query, see package query
//	GET  API/vscode/{publisher}/{name}/latest    one extension; also without vscode/
//	GET  API, API/manifest.json, /manifest.json  the manifest of the services of the gallery
//	GET  /control.json                           the control manifest; an empty one by default
//	GET  [API]/publishers/{p}/vsextensions/{n}/{version|latest}/vspackage[?targetPlatform=]
//	GET  [API]/publisher/{p}/extension/{n}/{version}/assetbyname/{type}[?targetPlatform=]
//	POST [API]/publishers/{p}/extensions/{n}/{version}/stats  counted or ignored, status 204
//	POST [API]/itemName/…                                     counted or ignored, status 204
//	GET  /assets/{p}/{n}/{version}[@{platform}]/{type}  also /vscode/asset/…?targetPlatform=
//	GET  /files/{p}/{n}/{version}[@{platform}]/{path}   also {version}+{platform}, ?target=,
//	                                                    /vscode/unpkg/…
//	GET  /item?itemName={p}.{n}                    the page of an extension, by a redirect
//	GET  every other path that the index lists     pages, and files for them
//	GET  /healthz  /livez  /readyz  /version       for operators, see type health
//	GET  /auth                                     for a web server, with --tokens
//
// HEAD works wherever GET does, and OPTIONS everywhere. No request of an editor is redirected:
// editors do not follow a relative Location, and browsers repeat the preflight request after
// a redirect. Only addresses of pages are redirected. Pages of every origin may read every
// response. An error is a JSON object with one member, "error", a sentence about what was not found
// or not understood. A browser that opens an address without a page gets the page 404.html, with
// status 404.
//
// # Files
//
// The authors of packages are not trusted. Files that a browser could run are sent with
// a policy that puts them in a sandbox (see package build/mediatype), and every response
// forbids browsers to guess media types. With --content-url, responses point editors to
// another host for assets and files. galshim itself serves them on every host name; the
// printed nginx configuration separates the two hosts.
//
// galshim serves only files that the index lists, from the blob that the index names. The path
// of a request is never used as a path of the file system. The entity tag is the SHA-256 of
// the file, and Range is supported. Paths with a version are immutable, and other responses
// may be cached for five minutes. So may readmes: galshim fills in the gallery's address before
// paths of pictures that a package holds, see [catalog.ReadmeBase], and serves no range of them.
//
// With --accel-redirect, the response to a request for a file has no body. Its header
// X-Accel-Redirect names the blob below a path that nginx does not serve to clients.
//
// # Published sites
//
// --index and the flags of targets name a site at a URL, in a bucket or in a repository. galshim
// reads it with the credentials of the target, keeps its index in the folder of --cache, and passes
// its files on. It holds back the last 64 KiB of each file until the SHA-256 is verified, and if
// that is wrong, it closes the connection. With --redirect, clients are sent to the bucket for
// packages, which galshim then cannot verify.
//
// # Views
//
// With --view NAME=SITE, paths below /NAME/ are those of another site, a view of the gallery. All
// requests above work there, with the index and the pages of the view. A view has no files of
// packages: galshim sends those of the gallery of --index, if that lists the same content at the
// same path, and otherwise responds with status 404.
//
// Each view has generations, caches of responses and trusted heads of its own. The limits are those
// of the server.
//
// # The address of the gallery
//
// Responses contain the base URL. Without --base-url it is taken from the request, and shared
// caches may not store the response. Forwarded and X-Forwarded-* are trusted only from Unix
// sockets, and from the addresses that --trusted-proxy names, by default loopback addresses.
//
// # Tokens
//
// With --tokens, every request but OPTIONS, /livez, /readyz and /healthz needs a token of the file,
// in its path, /t/TOKEN/…, or in the header Authorization; see package build/tokens. If the token
// was in the path, it is also in the addresses of the response. Shared caches may not store
// responses. The log has the names of tokens, never the tokens. A changed file takes effect within
// a second. A web server that serves the files sends GET /auth before each, with the token of the
// path in X-Gallery-Token.
//
// # Limits
//
// SECURITY.md lists the limits, which keep one client from using up what other clients need. With
// --client-rate, the queries of each client are limited too, see type clientRates. Only queries get
// status 503, with Retry-After. After other errors, editors show an empty list or send more
// requests.
//
// TotalCount also counts the extensions that do not fit in a response. If a response to ids
// or names cannot hold all versions, the remaining extensions have only their latest ones. A
// client that requests a range of a published site's file gets the whole file if it is
// larger than 64 KiB.
//
// # Statistics
//
// With --stats-log, galshim counts the packages that it serves, and the installs and uninstalls
// that editors report, for each extension of the index and each day; see package build/stats for
// what counts, and type counter for what is lost if the process is killed. Anyone who can send
// requests can raise the counts. Queries are not slower: only downloads and reports are counted.
//
// # Metrics and the log
//
// With --metrics, galshim serves metrics for Prometheus at a second address, see type metrics. The
// log has a line for each request: who has sent it, the response, and what was searched for. The id
// in the line is also in the header X-Request-Id of the response.
//
// # Generations
//
// galshim reads index/CURRENT every few seconds and on SIGHUP. If it names a new index, galshim
// checks that index, and its SHA-256 if it was downloaded, and then serves it. The old index
// is closed after its last request. If the new index is missing, incomplete or damaged,
// galshim logs this once and continues to serve the old one.
//
// With --trust, galshim serves only generations whose head of the history is signed by a trusted
// key, and that are not older than the newest one it has served; see package build/history. It
// verifies the head when it looks for a new generation, never for a request. A generation that is
// not trusted is refused like a damaged one. --state keeps the newest head across restarts, and
// --max-age refuses heads that were signed too long ago: /healthz then returns "frozen" with
// status 503, and requests are still responded to from the old generation.
//
// # Chunks
//
// The index has the part that search needs, and a table of chunks, which have the responses. A
// chunk is a file that is named by its SHA-256, and is mapped and verified when a request first
// needs it. So galshim responds at once after the start. In the background, it opens all other
// chunks, slowly, those of popular extensions first, so that a damaged one is found soon. Chunks
// that only a newer generation has are opened before that generation is served.
//
// Chunks of a published site are downloaded into the cache, each once. A request that needs a chunk
// waits for it without a turn, see turns, and then searches again. If the chunk does not arrive, a
// query gets status 503, and any other request status 502.
//
// # Damage
//
// Replace a site by renaming a new folder, never in place. galshim does not read the file of the
// index again after it has opened it. If a chunk is damaged, or truncated while it is served, or
// its disk fails, requests that read it get status 500, /healthz returns "damaged" with status 503,
// and galshim opens the index again when all chunks are sound. A chunk that is damaged in the cache
// is downloaded again.
//
// Sources: VS Code's extensionGalleryService.ts and extensionResourceLoader.ts, and the paths
// that Open VSX, code-marketplace and scripts use.
package galshim

import (
	"context"
	"errors"
	"io"

	"github.com/alecthomas/kong"

	"galbuild/build/tokens"
	"galbuild/cmd/internal/completion"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/usage"
	"galbuild/publish/target/reading"
)

// Exit statuses.
const (
	exitFailed = 1
	exitUsage  = 80
)

// Main runs the command until ctx ends or a signal stops it, and returns the exit status: 0 after
// that, 1 after a failure, 80 for a command line that is wrong.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	stdout = terminal.NewWriter(stdout)
	stderr = terminal.NewWriter(stderr) // the log quotes requests and responses
	var c commandLine
	exit := -1
	parser := newParser(&c, kong.Writers(stdout, stderr), kong.Exit(func(status int) { exit = status }))
	if status, handled := completion.Handle(stdout, parser.Model, args); handled {
		return status
	}
	if text, err := wordText(parser.Model, args); err != nil {
		hint.Print(stderr, "galshim", err)
		return exitUsage
	} else if text != "" {
		_, err := io.WriteString(stdout, text)
		return printError(stderr, err)
	}
	if err := (usage.Program{Model: parser.Model}).UnsetEmpty(); err != nil {
		return printError(stderr, err)
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help and --version
		return exit
	}
	if failed, ok := errors.AsType[*terminal.OutputError](err); ok {
		return printError(stderr, failed)
	}
	if err := explainUsage(parser, command, err, args); err != nil {
		hint.Print(stderr, "galshim", err)
		return exitUsage
	}
	return printError(stderr, c.run(ctx, stderr))
}

// newParser returns a parser of command lines that fills c.
func newParser(c *commandLine, options ...kong.Option) *kong.Kong {
	c.DeclareToRead(reading.Kinds(), "GALSHIM")
	texts := map[string]string{"readable": targets.Forms(reading.Kinds(), true)}
	parser, err := usage.NewParser(c, texts, append(options,
		kong.Name("galshim"), kong.Description(description), manual().Option(),
		kong.DefaultEnvars("GALSHIM"), usage.Durations(),
	)...)
	if err != nil {
		panic(err) // the tags of commandLine are wrong
	}
	return parser
}

// printError prints an error, if there is one, and returns the exit status.
func printError(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	hint.Print(maskedWriter{stderr}, "galshim", err)
	return exitFailed
}

// maskedWriter masks tokens, for instance that of a published site in an error.
type maskedWriter struct{ to io.Writer }

// Write implements [io.Writer].
func (m maskedWriter) Write(text []byte) (int, error) {
	_, err := m.to.Write(tokens.Mask(text))
	return len(text), err
}
