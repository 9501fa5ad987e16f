package galbuild

import (
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/usage"
	"galbuild/publish/target"
)

// foreign lists flags and commands of the programs that galbuild replaces, and other words that
// people try, with what to use instead. The flags of targets are those of the kinds.
//
// Sources: cli/ of https://github.com/coder/code-marketplace, vscoffline/sync.py of
// https://github.com/LOLINTERNETZ/vscodeoffline, src/main.ts of
// https://github.com/microsoft/vscode-vsce, cli/src/main.ts of
// https://github.com/eclipse/openvsx, README.md of https://github.com/spagettikod/vsix.
func foreign(kinds []target.Kind) []usage.Foreign { return append(otherPrograms(), synonyms(kinds)...) }

const hintServe = "galbuild FOLDER -o SITE builds a gallery, and galshim --index SITE --listen 127.0.0.1:8080 serves it"

// hintSign is the hint for flags and commands that sign packages.
const hintSign = "galleries need no signatures; galbuild reads one from x.sigzip next to x.vsix"

func otherPrograms() []usage.Foreign {
	const (
		folder   = "galbuild FOLDER -o SITE builds a gallery of a folder of packages; add and remove name the gallery with -o SITE"
		offline  = "galbuild does not download from the Marketplace; it reads the artifacts folder of vscodeoffline as it is: galbuild ARTIFACTS -o SITE"
		account  = "a gallery has no accounts; the credentials of its target come from the environment or the config file (-c), and an author signs with --sign-key"
		keys     = "a publisher needs no namespace; a gallery with an inbox has the keys of its authors in the policy: publishers.NAME.keys"
		editors  = "a gallery contains extensions, not editors"
		messages = "messages go to stderr, so that 2> FILE writes them to a file; -v prints more of them"
		search   = "galbuild ls-remote lists the extensions of a gallery; editors and the gallery's page search them"
	)
	return []usage.Foreign{
		{Program: "code-marketplace", Words: []string{"--extensions-dir"}, Use: folder + "; galshim --index SITE serves it"},
		{Program: "code-marketplace", Words: []string{"--address"}, Use: "galshim --index SITE --listen HOST:PORT serves a site"},
		{Program: "code-marketplace", Words: []string{"--list-cache-duration"}, Use: "galshim --reload DURATION sets how often galshim looks for a new generation"},
		{Program: "code-marketplace", Words: []string{"--max-page-size"}, Use: "galshim returns up to 1,000 extensions on a page, and this cannot be changed"},
		{Program: "code-marketplace", Words: []string{"server"}, Use: hintServe},
		{Program: "code-marketplace", Words: []string{"signature"}, Use: hintSign + "; --sign empty adds empty ones"},
		{Program: "vscodeoffline", Words: []string{"--artifacts"}, Use: "the artifacts folder is a source: galbuild ARTIFACTS -o SITE"},
		{Program: "vscodeoffline", Use: offline, Words: []string{
			"--sync", "--syncall", "--update-extensions", "--updatemarketplace", "--check-recommended-extensions", "--check-specified-extensions",
			"--extension-name", "--extension-search", "--total-recommended", "--prerelease-extensions",
		}},
		{Program: "vscodeoffline", Use: editors, Words: []string{"--check-binaries", "--check-insider", "--update-binaries", "--skip-binaries", "--vscode-version"}},
		{Program: "vscodeoffline", Words: []string{"--update-malicious-extensions"}, Use: "--control FILE names a control manifest, such as vscodeoffline's malicious.json"},
		{Program: "vscodeoffline", Words: []string{"--frequency"}, Use: "run galbuild from a timer such as cron; galbuild pull TARGET --follow 30s follows a published gallery"},
		{Program: "vscodeoffline", Words: []string{"--debug", "--logfile"}, Use: messages},
		{Program: "vsce and ovsx", Use: account, Words: []string{
			"login", "logout", "verify-pat", "ls-publishers", "--pat", "-p", "--azure-credential", "--oidc",
		}},
		{Program: "ovsx", Words: []string{"create-namespace"}, Use: keys},
		{Program: "vsce", Words: []string{"--noVerify", "--no-verify"}, Use: "leave it out: any extension may use proposed APIs"},
		{Program: "vsce", Words: []string{"generate-manifest", "verify-signature", "--sigzipPath", "--signaturePath", "--manifestPath", "--sign-tool"}, Use: hintSign},
		{Program: "vsce", Words: []string{"search"}, Use: search},
		{Program: "vsce", Words: []string{"--packagePath", "-i"}, Use: "packages are arguments: galbuild publish x.vsix, or galbuild add x.vsix"},
		{Program: "ovsx", Words: []string{"--registryUrl", "-r"}, Use: targets.Hint},
		{Program: "ovsx", Words: []string{"get"}, Use: "galbuild pull TARGET -o SITE copies a gallery; the address of a package is a source"},
		{Program: "vsce and dbem", Words: []string{"--force", "-f"}, Use: "galbuild asks no questions; publish --replace removes versions that only the target has, and remove --all removes all versions"},
		{Program: "vsix", Words: []string{"--platforms"}, Use: "packages for all platforms are read; name only the packages that you want as sources"},
	}
}

func synonyms(kinds []target.Kind) []usage.Foreign {
	const publish = "build writes to a folder (-o); galbuild publish SITE, with this flag, copies the site to a target"
	return []usage.Foreign{
		{Words: targets.FlagNames(kinds), Use: publish},
		{Words: []string{"serve", "start", "run"}, Use: hintServe},
		{Words: []string{"sync", "update", "reindex", "init"}, Use: "galbuild SOURCE… -o SITE builds a gallery, and updates it when it is run again"},
		{Words: []string{"rm", "delete", "uninstall"}, Use: "galbuild remove ID@VERSION removes versions from a gallery"},
		{Words: []string{"upload", "push", "deploy"}, Use: "galbuild publish SITE copies a site to a target; galbuild add SOURCE… adds packages to it"},
		{Words: []string{"info"}, Use: "galbuild show ID shows an extension, galbuild inspect SITE an index"},
		{Words: []string{"install", "download"}, Use: "editors install from the gallery: galbuild config code-server, vscodium or vscode prints how to point them to it"},
		{Words: []string{"check", "validate"}, Use: "galbuild verify SITE verifies a site"},
		{Words: []string{"--site", "--dir", "--out-dir"}, Use: "-o SITE names the site's folder"},
	}
}
