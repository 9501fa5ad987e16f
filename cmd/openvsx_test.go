package cmd_test

import (
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"galbuild/build/upstream/openvsx/openvsxtest"
)

// registries are the stand-ins for Open VSX of a script, by the variable with their address.
type registries map[string]*openvsxtest.Server

// registriesKey is the key of the registries among the values of a script.
type registriesKey struct{}

// openVSX starts a stand-in for Open VSX with the packages in a folder, and sets $OPENVSX to its
// address until the script ends:
//
//	openvsx [-as VARIABLE] [-limit N] FOLDER
//
// Next to x.vsix, x.vsix.json may have what the registry knows and the package does not:
// lastUpdated, statistics, publisher, unverified, deprecated, replacement, undownloadable. With
// -limit, each request after N others gets status 429. -as names another variable, for several
// registries.
//
// The other forms are about a registry that has been started. They take -as too.
//
//	openvsx -requests           prints METHOD PATH STATUS of each request, or
//	                            METHOD storage/PATH STATUS
//	openvsx -sent               prints BYTES NAME of each file that was sent
//	openvsx -check              fails if a request is not one of the interface, or a file
//	                            was sent twice
//	openvsx -clear              forgets what the forms above print
//	openvsx -publish FILE       publishes another package
//	openvsx -remove ID@VERSION  removes a version
//	openvsx -fail FAULT [ID]    makes it fail: hash, no-hash, signature, cut, other, down
//	                            or no-feed
//	openvsx -repair             ends all faults
func openVSX(ts *testscript.TestScript, neg bool, args []string) {
	var o openVSXFlags
	flags := flag.NewFlagSet("openvsx", flag.ContinueOnError)
	o.add(flags)
	if err := flags.Parse(args); err != nil || neg && !o.check {
		ts.Fatalf("usage: openvsx [flags] [FOLDER]")
	}
	all := ts.Value(registriesKey{}).(registries)
	server := all[o.as]
	if !o.isControl() {
		server = o.start(ts, ts.MkAbs(flags.Arg(0)))
		all[o.as] = server
		return
	}
	if server == nil {
		ts.Fatalf("openvsx FOLDER must be first")
	}
	err := o.control(ts, server, flags.Arg(0))
	if o.check && (err != nil) == neg {
		return
	}
	ts.Check(err)
}

type openVSXFlags struct {
	as, publish, remove, fail             string
	limit                                 int
	requests, sent, check, forget, repair bool
}

func (o *openVSXFlags) add(flags *flag.FlagSet) {
	flags.StringVar(&o.as, "as", "OPENVSX", "")
	flags.IntVar(&o.limit, "limit", 0, "")
	flags.StringVar(&o.publish, "publish", "", "")
	flags.StringVar(&o.remove, "remove", "", "")
	flags.StringVar(&o.fail, "fail", "", "")
	flags.BoolVar(&o.requests, "requests", false, "")
	flags.BoolVar(&o.sent, "sent", false, "")
	flags.BoolVar(&o.check, "check", false, "")
	flags.BoolVar(&o.forget, "clear", false, "")
	flags.BoolVar(&o.repair, "repair", false, "")
}

// isControl reports whether the command is about a registry that has been started.
func (o *openVSXFlags) isControl() bool {
	return o.requests || o.sent || o.check || o.forget || o.repair || o.publish+o.remove+o.fail != ""
}

// start starts a registry with the packages in a folder.
func (o *openVSXFlags) start(ts *testscript.TestScript, folder string) *openvsxtest.Server {
	packages, err := filepath.Glob(filepath.Join(folder, "*.vsix"))
	ts.Check(err)
	if len(packages) == 0 {
		ts.Fatalf("%s has no packages", folder)
	}
	server, err := openvsxtest.New(openvsxtest.Config{Packages: packages, Limit: o.limit})
	ts.Check(err)
	ts.Defer(server.Close)
	ts.Setenv(o.as, server.URL)
	return server
}

// control carries out the form of the command that is about a registry.
func (o *openVSXFlags) control(ts *testscript.TestScript, server *openvsxtest.Server, argument string) error {
	switch {
	case o.requests:
		for _, line := range server.Requests() {
			fmt.Fprintln(ts.Stdout(), line)
		}
	case o.sent:
		sent := server.Sent()
		for _, name := range slices.Sorted(maps.Keys(sent)) {
			fmt.Fprintln(ts.Stdout(), sent[name], name)
		}
	case o.check:
		if problems := server.Problems(); len(problems) > 0 {
			return fmt.Errorf("the requests have problems:\n%s", strings.Join(problems, "\n"))
		}
	case o.forget:
		server.Clear()
	case o.publish != "":
		return server.Publish(ts.MkAbs(o.publish))
	case o.remove != "":
		return server.Remove(o.remove, "REMOVED")
	case o.fail != "":
		return server.Fail(o.fail, argument)
	case o.repair:
		server.Repair()
	}
	return nil
}
