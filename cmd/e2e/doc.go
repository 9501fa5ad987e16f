// Package e2e drives the two commands with the components that real users bring:
// the newest code-server (its command line, VS Code's own server command line, and
// its page in headless Chromium), the real vsce as packager, the real nginx.
// Everything but this comment is behind the build tag e2e:
//
//	make e2e                                              all of it, as on a new machine
//	go test -tags e2e ./cmd/e2e -run TestGallery/nginx    one set-up
//
// # What is installed
//
// See package toolchain. A component that cannot be installed fails the test, which names
// it: nothing is skipped.
//
// # Set-ups
//
//	http     galshim alone serves questions and files        command line, people
//	https    the same, with the certificate of a private CA  command line, page
//	nginx    nginx at https://127.0.0.1:PORT/tools/gallery,  command line, page,
//	         with the configuration `galbuild config nginx`  plain HTTP, people
//	         prints, unchanged; galshim --no-files behind it
//	content  the same, with files of packages at a host of   page, people
//	         their own
//	bucket   the README's nginx in front of an S3 server     command line
//
// TestReadmeBucket runs each set-up of the README's section on nginx in front of a bucket as it
// stands there. TestHeaders compares nginx with galshim, header by header.
//
// Each has its own site, built from the samples in testdata/samples as vsce packs
// them, some in several versions and platforms, and from extensions that
// code-server brings along. What counts as installed is what the editor wrote to
// disk, not what it says.
//
// # The page
//
// browser/driver.js opens the editor, takes the steps named in a plan, and prints
// one JSON object per step, {"step": …, "ok": …, "detail": …}. Each becomes a
// subtest; a step that is not reported has failed. browser/people.js opens the gallery's own
// page in the same way, and tries links that lead to it.
//
// # When something fails
//
// The logs of every server are printed, and the folder of artefacts named: logs,
// a screenshot per step, the browser's console, its requests to the gallery, the
// site as it was served. After a success the folder is removed.
package e2e
