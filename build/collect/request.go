package collect

import (
	"io"

	"galbuild/build/collect/lock"
)

// A Request asks for packages: releases of an extension, a package that an earlier lock has, or
// what is at an address.
type Request struct {
	ID       string // publisher.name in lower case; "" if Address is set
	Version  string // exactly this version; "" if Range and Channel decide
	Range    string // a range of versions in npm's grammar, or ""
	Channel  Channel
	Platform string      // target platform, or catalog.Universal; "" is all platforms of Config
	Entry    *lock.Entry // the package of a lock that is an argument; nil if an upstream is queried
	// Address is a URL of a package, or github:OWNER/REPO[@TAG]. Of the other fields, only
	// Source and Line are set then.
	Address string

	Source string // "command line", or the name of the file, with slashes
	Line   int    // of the file, counted from 1; 0 on the command line and in a lock
}

// String returns the request as it is written on a command line.
func (r Request) String() string {
	s := r.ID + r.Address
	for _, part := range []string{r.Version, r.Range, r.Channel.String(), r.Platform} {
		if part != "" {
			s += "@" + part
		}
	}
	return s
}

// Channel says which releases are requested, if Version is "".
type Channel int

const (
	// Latest is the newest release. It is also used for the versions of a range.
	Latest Channel = iota
	// PreRelease is the newest version, whether it is a release or a pre-release: what an
	// editor installs if people choose pre-releases.
	PreRelease
	// All is every version, releases and pre-releases.
	All
)

// String returns the channel as it follows an id; Latest is "".
func (c Channel) String() string { return [...]string{"", "pre-release", "all"}[c] }

// CommandLine is the Source of a request that is an argument.
const CommandLine = "command line"

// ParseConfig has the settings of [Parse].
type ParseConfig struct {
	// Newest ignores the versions in lists of names, such as those that code --list-extensions
	// --show-versions prints, and requests the newest release instead. Ranges, channels, locks
	// and arguments are not affected.
	Newest bool
	Stdin  io.Reader // the list "-"; nil is an empty one
}

// Parse returns the requests in the arguments of a command, in their order:
//
//	publisher.name[@VERSION|@RANGE|@latest|@pre-release|@all][@PLATFORM]
//	@list.txt         a list with one of these on each line, or any of the files below
//	-                 a list from standard input
//	extensions.json   the recommendations of a workspace, or {"extensions": […]}
//	x.code-workspace  the recommendations of a workspace
//	product.json      what the editor recommends
//	galbuild.lock     exactly the packages of the lock
//	https://…         a package
//	github:OWNER/REPO[@TAG]
//
// Ids, keywords and platforms may be written in any case. The error has all mistakes, one a line,
// each with its file and line.
func Parse(args []string, c ParseConfig) ([]Request, error) {
	p := &parser{ParseConfig: c, read: make(map[string]bool)}
	for _, arg := range args {
		p.argument(arg, "", origin{source: CommandLine})
	}
	return p.requests, p.err()
}
