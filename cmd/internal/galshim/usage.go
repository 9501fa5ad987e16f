package galshim

import (
	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/usage"
)

// explainUsage returns an error in plain words for a command line that is wrong, or nil. The error
// err is that of the parser.
func explainUsage(parser *kong.Kong, command *kong.Context, err error, args []string) error {
	program := usage.Program{Model: parser.Model, Foreign: foreign(), Argument: "galshim --index SITE serves a site"}
	if err := program.SingleDash(args); err != nil {
		return err
	}
	if err == nil {
		return program.Empty(command)
	}
	return program.Explain(err, args)
}

// foreign lists flags and commands of programs that galshim replaces, and other words that people
// try, with what to use instead.
//
// Source: cli/ of https://github.com/coder/code-marketplace.
func foreign() []usage.Foreign {
	const (
		build  = "galbuild FOLDER -o SITE builds a gallery, and galshim --index SITE serves it"
		listen = "--listen HOST:PORT sets the address to listen at"
	)
	return []usage.Foreign{
		{Program: "code-marketplace", Words: []string{"--extensions-dir"}, Use: build},
		{Program: "vscodeoffline", Words: []string{"--artifacts"}, Use: build},
		{Program: "code-marketplace", Words: []string{"--address"}, Use: listen},
		{Program: "code-marketplace", Words: []string{"--list-cache-duration"}, Use: "galshim --reload DURATION sets how often galshim looks for a new generation"},
		{Program: "code-marketplace", Words: []string{"--max-page-size"}, Use: "galshim returns up to 1,000 extensions on a page, and this cannot be changed"},
		{Program: "code-marketplace", Words: []string{"--sign"}, Use: "galbuild SOURCE… -o SITE --sign empty adds empty signatures"},
		{Program: "code-marketplace", Words: []string{"server"}, Use: build},
		{Program: "code-marketplace", Words: []string{"add", "remove", "signature"}, Use: "galbuild changes galleries: galbuild add SOURCE… -o SITE, galbuild remove ID@VERSION -o SITE"},
		{Words: []string{"--dropbox"}, Use: "galbuild pull --dropbox FOLDER -o SITE --follow 30s copies the site to a folder, and galshim --index SITE serves it"},
		{Words: []string{"serve", "start", "run"}, Use: "galshim --index SITE serves a site"},
		{Words: []string{"--port", "--host", "--bind", "-p", "-l"}, Use: listen},
		{Words: []string{"--cert", "--tls", "--https"}, Use: "--tls-cert FILE and --tls-key FILE serve https, or --tls-self-signed for a trial"},
		{Words: []string{"--key"}, Use: "--tls-key FILE is the key for --tls-cert FILE"},
		{Words: []string{"--site", "--dir", "--root", "--output", "-o"}, Use: "--index SITE names the site"},
		{Words: []string{"--debug"}, Use: "--verbose logs the queries too"},
		{Words: []string{"--logfile"}, Use: "the log goes to stderr, so that 2> FILE writes it to a file"},
	}
}
