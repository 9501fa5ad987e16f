package galbuild

import (
	"fmt"
	"os"
	"reflect"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/publish/target"
)

// A pathType is a type of flags and arguments that name something on this machine. An address
// is refused for them.
type pathType struct {
	want    string                // for messages: what the value must be
	web     bool                  // whether http and https addresses are accepted
	created bool                  // whether the command creates the path; otherwise an existing path is never taken for an address
	hint    func(s string) string // returns the hint for an address other than file:
}

// pathTypes returns the types by their names in the tag "type" of a field. Kong has the types path
// and existingfile too. The hints list the kinds of targets.
func pathTypes(kinds []target.Kind) map[string]pathType {
	file := func(string) string { return "download it first, and give the path of the file" }
	return map[string]pathType{
		"existingfile": {want: "a file", hint: file},
		"path":         {want: "a file", hint: file},
		"file":         {want: "a file or a folder", hint: file},
		"newfile":      {want: "a file or a folder", created: true, hint: func(string) string { return "write it to this machine, and copy it from there" }},
		"newsite":      {want: "the folder of a site", created: true, hint: func(s string) string { return hintNewSite(kinds, s) }},
		"site":         {want: "the folder of a site", hint: func(s string) string { return "fetch the site first: galbuild pull " + s + " -o site" }},
		"source":       {want: wantSource, web: true, hint: func(s string) string { return hintBuild(kinds, s) }},
		"id":           idType(),
	}
}

const wantSource = "a file, a folder, a glob, an http(s) address, @list.txt or -"

// idType returns the type of ids of extensions.
func idType() pathType {
	return pathType{want: "publisher.name[@version][@platform]", hint: func(string) string {
		return "the target is the last argument"
	}}
}

// checkSources refuses addresses of targets among the sources of a command that takes its target
// as the last argument.
func checkSources(sources []string) error {
	source := pathType{want: wantSource, web: true, hint: func(s string) string {
		return "the target is the last argument; packages of a site can be used after galbuild pull " + s + " -o DIR"
	}}
	for _, s := range sources {
		if err := source.check(s); err != nil {
			return fmt.Errorf("<source>: %w", err)
		}
	}
	return nil
}

// pathMappers returns mappers for the types, for Kong.
func pathMappers(kinds []target.Kind) []kong.Option {
	var options []kong.Option
	defaults := kong.NewRegistry().RegisterDefaults()
	for name, p := range pathTypes(kinds) {
		options = append(options, kong.NamedMapper(name, p.mapper(defaults, name)))
	}
	return options
}

// mapper returns a mapper that refuses addresses, and otherwise decodes values as Kong does by
// default.
func (p pathType) mapper(defaults *kong.Registry, name string) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, to reflect.Value) error {
		if s, ok := ctx.Scan.Peek().Value.(string); ok && to.Kind() == reflect.String {
			if err := p.check(s); err != nil {
				return err
			}
		}
		if err := defaults.ForNamedType(name, to.Type()).Decode(ctx, to); err != nil || to.Kind() != reflect.Slice {
			return err
		}
		for i := range to.Len() {
			if err := p.check(to.Index(i).String()); err != nil {
				return err
			}
		}
		return nil
	}
}

// check returns an error if a value is an address, unless the type accepts it.
func (p pathType) check(s string) error {
	scheme := addresses.Scheme(s)
	if scheme == "" || p.web && addresses.IsWeb(s) {
		return nil
	}
	if _, err := os.Stat(s); err == nil && !p.created {
		return nil
	}
	err := fmt.Errorf("%s is an address: want %s", s, p.want)
	if scheme == "file" {
		return hint.Add(err, "write it as a path: %s", addresses.Path(s))
	}
	return hint.Add(err, "%s", p.hint(s))
}

func hintNewSite(kinds []target.Kind, s string) string {
	if targets.CanChange(kinds, s) {
		return "use a folder of this machine, then publish it: galbuild publish SITE " + s
	}
	return "use a folder of this machine, then publish it with galbuild publish SITE TARGET; a target is " + targets.Forms(kinds, false)
}

func hintBuild(kinds []target.Kind, s string) string {
	if targets.CanChange(kinds, s) {
		return "build writes to a folder of this machine (-o); galbuild publish SITE " + s + " copies it there"
	}
	return "a file of that name is written ./" + s
}
