// Package e2e tests both programs with the components that users have: code-server with its command
// line, VS Code's server in it and the editor's page in headless Chromium, vsce, nginx, and S3 and
// Artifactory servers. Everything but this comment has the build tag e2e:
//
//	make e2e                                              all of it, as on a new machine
//	go test -tags e2e ./cmd/e2e -run TestGallery/nginx    one set-up
//
// # Components
//
// Package toolchain installs them. If a component cannot be installed, the test fails and names
// it. No test is skipped.
//
// # Set-ups
//
//	http     galshim alone                                   command line, gallery pages
//	https    the same, with a certificate of a private       command line, editor page
//	         authority
//	nginx    nginx at https://127.0.0.1:PORT/tools/gallery   command line, editor page,
//	         with the printed configuration, in front of     gallery pages, also on a web
//	         galshim --no-files                              server alone, axe-core,
//	                                                         Lighthouse, responses
//	content  the same, with files of packages on a           editor page, gallery pages
//	         separate host
//	bucket   nginx in front of an S3 server, as in           command line
//	         render/deploy/README.md
//
// Each has its own site, built from the samples in testdata/samples, some in several versions and
// for several platforms, and from extensions of code-server. The folder testdata has their
// statistics and a control manifest. What is installed is read from the
// editor's files, not from its messages.
//
// TestDrill plays through what an operator practises: publishing from two machines, a block, a
// rollback, tarballs, a replayed state and a restore, with a key that galshim trusts.
//
// TestReadmeBucket and TestReadmePublish run the commands of documents that need an S3 server.
// TestDeployment runs galshim in a container, and with a socket of systemd.
// TestHeaders compares the headers of nginx and galshim. TestCompletion and TestManual check what
// the commands completion and man print with zsh, fish and mandoc. TestKubernetes runs the
// containers of the pod that the Helm chart describes, each in a mount namespace.
//
// # Pages
//
// browser/driver.js opens the editor's page and runs the steps of a plan. It prints a JSON object
// for each step, {"step": …, "ok": …, "detail": …}, which becomes a subtest. A step that is not
// reported has failed. browser/gallery.js does the same with the gallery's own pages, and
// browser/lighthouse.js rates them. What the command line of the editor says when it refuses to
// install something must be on the gallery's page of messages.
//
// # Failures
//
// If a test fails, it prints the logs of all servers and the path of a folder with a screenshot of
// each step, the browser's console, its requests to the gallery, and the site. After a success,
// the folder is removed.
package e2e
