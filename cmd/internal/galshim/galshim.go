// Package galshim is the galshim command: a server without state of its own that
// answers what a site of plain files cannot, from the site's mapped index.
//
// # What it answers
//
// Paths are matched below the base URL's own path and at the root, whichever the
// proxy in front leaves; doubled and trailing slashes do not count, and neither
// does the case of letters in a publisher, a name or a platform. API is each of
// /api, /_apis/public/gallery and /vscode/gallery.
//
//	POST API/extensionquery                        the question, see package query
//	GET  API/vscode/{publisher}/{name}/latest      one extension; also without vscode/
//	GET  API, API/manifest.json, /manifest.json    the manifest an editor may be given instead of product.json
//	GET  /control.json                             what is malicious; of nothing, if the site does not say
//	GET  [API]/publishers/{p}/vsextensions/{n}/{version|latest}/vspackage[?targetPlatform=]
//	POST [API]/publishers/{p}/extensions/{n}/{version}/stats and [API]/itemName/…: not counted, 204
//	GET  /assets/{p}/{n}/{version}[@{platform}]/{type}     also /vscode/asset/…?targetPlatform=
//	GET  /files/{p}/{n}/{version}[@{platform}]/{path}      also {version}+{platform}, ?target=, /vscode/unpkg/…
//	GET  /  /item  /publishers/{p}  and every other path that the index lists
//	GET  /healthz  /version                        for operators
//
// HEAD goes wherever GET goes, OPTIONS everywhere. Nothing that editors ask for is
// redirected: they do not follow a relative Location, and browsers repeat the preflight
// at the new place. Unusual spellings of a page's address are. Every answer lets every origin read it. An error is a JSON object
// with one member, "error", that names what was not found or not understood.
//
// # Files
//
// Files of packages are other people's. What a browser may act on has a policy that
// puts it into a sandbox (see package build/mediatype), and every response forbids
// browsers to guess media types. With --content-url, responses send editors to another
// host for assets and files. galshim serves them at any host that it is reached at; the
// printed nginx configuration keeps the two apart.
//
// Only what the index lists is served, and from the blob that the index names:
// what a request calls a path never reaches the file system. The entity tag is
// the SHA-256, Range works, versioned paths are immutable and others are good for
// five minutes.
//
// Files of a site at a URL are passed through. Their last 64 KiB are withheld until the
// SHA-256 is right; if it is wrong, the connection is cut.
//
// # The address of the gallery
//
// Responses repeat the base URL. Without --base-url it is what the request says, and such
// responses are private to the client. Forwarded and X-Forwarded-* are believed from
// loopback and Unix sockets, or from the proxies that --trusted-proxy names.
//
// # Limits
//
// Nothing that a client sends or leaves unread may cost the others more than this. After a
// colon stands the status of what is beyond. A query is turned away with Retry-After, and
// nothing else is: editors take other errors for an empty list, or ask more.
//
//	header                          64 KiB, within 10s: 431
//	body                            4 MiB, within 30s with the header: 413
//	idle connection                 2m0s
//	connections                     10000, fewer where fewer files can be open (--max-connections)
//	requests over HTTP/2            100 of a connection; of all a quarter of the connections, besides 4 of each
//	queries at work                 4 for each processor (--max-queries)
//	heavy ones of them              1 for two processors
//	what is heavy                   above 32 KiB of body, 2 filters, 500 criteria, or 64 bytes of text
//	queries that wait               1000, for 5s: 503
//	bodies in memory                10 MiB, or an eighth of the memory limit, without 16 KiB of each: 503
//	responses in memory             32 MiB, or an eighth of the memory limit, a quarter of it for short ones: 503
//	extensions of a list            1000
//	extensions of a response        10000
//	JSON of a response              64 MiB; 256 MiB of extensions asked for by id or name
//	buffer of a response            64 KiB, 512 KiB if all of it fits
//	JSON compressed for a response  448 KiB; more is sent plain
//	files compressed at a time      32; more are sent plain
//	files of a site at a URL        512 on their way at a time
//	index of a site at a URL        4 GiB
//	slow client                     1 kB/s over 1m0s of what is in memory; any byte in 1m0s of a file
//	forwarded prefix                256 bytes; a longer one is ignored
//	path or error in the log        1 KiB
//	stopping                        30s for requests at work
//
// Extensions that are cut off are still counted in TotalCount. Where not all versions fit a
// response to ids or names, extensions from there on have their latest ones. A client that
// asks for a published site's file in ranges gets the whole, if it is above 64 KiB.
//
// # Generations
//
// index/CURRENT is looked at every few seconds and on SIGHUP. The index it names
// must pass its own checks, and have the SHA-256 it names if it comes over the
// network, before it takes the place of the one being served, which is closed
// after its last request. What is corrupt, missing or half copied is refused, with
// one line in the log, and the old one stays.
//
// A site should be replaced by a rename, never in place. If an index is cut short while it
// is served, or its disk fails, the requests that meet it get status 500, /healthz says
// "damaged" with status 503, and the index is opened again as soon as it is sound.
//
// Sources: the paths and headers of VS Code's extensionGalleryService.ts and
// extensionResourceLoader.ts, and the paths that Open VSX, code-marketplace and
// the scripts of others have made known.
package galshim

import (
	"context"
	"errors"
	"io"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/version"
)

const description = `Answers the questions editors ask of an extension gallery, from the index of a site that galbuild made.

Serves the site's files too, so that one process is a whole gallery; behind a web server, --no-files leaves them to it.`

// Exit statuses.
const (
	exitFailed = 1
	exitUsage  = 80
)

// Main runs the command until ctx ends or it is told to stop, and returns the
// exit status: 0 stopped as asked, 1 failed, 80 wrong usage.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	stderr = terminal.NewWriter(stderr) // logs of requests and of servers' answers
	var c Command
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("galshim"), kong.Description(description),
		kong.DefaultEnvars("GALSHIM"), kong.Vars{"version": "galshim " + version.String()},
		kong.Writers(stdout, stderr), kong.Exit(func(status int) { exit = status }))
	if err != nil {
		return complain(stderr, err)
	}
	_, err = parser.Parse(args)
	if exit >= 0 { // --help and --version
		return exit
	}
	if err == nil {
		err = c.Run(ctx, stderr)
	}
	return complain(stderr, err)
}

// complain tells the user what went wrong, if anything, and returns the status.
func complain(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	hint.Tell(stderr, "galshim", err)
	if _, ok := errors.AsType[*kong.ParseError](err); ok {
		return exitUsage
	}
	return exitFailed
}
