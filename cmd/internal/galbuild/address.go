package galbuild

import (
	"fmt"
	"reflect"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"
)

// A pathType is a kind of flags and arguments that name something on this machine. An
// address is refused for them.
type pathType struct {
	want string
	web  bool                  // whether http and https addresses are accepted
	hint func(s string) string // for addresses other than file:
}

// pathTypes are the kinds, by the tag type of a field. Two of them are Kong's own.
var pathTypes = map[string]pathType{
	"existingfile": {want: "a file", hint: hintFile},
	"path":         {want: "a file", hint: hintFile},
	"file":         {want: "a file or a folder", hint: hintFile},
	"newfile":      {want: "a file or a folder", hint: func(string) string { return "write it to this machine, and copy it from there" }},
	"newsite":      {want: "the folder of a site", hint: hintNewSite},
	"site":         {want: "the folder of a site", hint: func(a string) string { return "fetch the site first: galbuild pull " + a + " -o site" }},
	"source":       {want: "a file, a folder, a glob, an http(s) address, @list.txt or -", web: true, hint: hintSource},
	"id":           {want: "publisher.name[@version][@platform]", hint: func(a string) string { return "name the target with " + targetFlags(a) }},
}

// pathMappers returns mappers for the types, for Kong.
func pathMappers() []kong.Option {
	var all []kong.Option
	own := kong.NewRegistry().RegisterDefaults()
	for name, p := range pathTypes {
		all = append(all, kong.NamedMapper(name, p.mapper(own, name)))
	}
	return all
}

// mapper returns a mapper that refuses addresses, and reads values as own does.
func (p pathType) mapper(own *kong.Registry, name string) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		if s, ok := ctx.Scan.Peek().Value.(string); ok && target.Kind() == reflect.String {
			if err := p.check(s); err != nil {
				return err
			}
		}
		if err := own.ForNamedType(name, target.Type()).Decode(ctx, target); err != nil || target.Kind() != reflect.Slice {
			return err
		}
		for i := range target.Len() {
			if err := p.check(target.Index(i).String()); err != nil {
				return err
			}
		}
		return nil
	}
}

// check refuses an address.
func (p pathType) check(s string) error {
	scheme := addresses.Scheme(s)
	switch {
	case scheme == "", p.web && addresses.IsWeb(s):
		return nil
	case scheme == "file":
		return hint.Add(fmt.Errorf("%s is an address: want %s", s, p.want), "%s", hintPath(s))
	}
	return hint.Add(fmt.Errorf("%s is an address: want %s", s, p.want), "%s", p.hint(s))
}

// hintPath returns the hint for a file: address.
func hintPath(s string) string { return "write it as a path: " + addresses.Path(s) }

func hintFile(string) string { return "download it first, and give the path of the file" }

func hintNewSite(s string) string {
	if addresses.IsWeb(s) {
		return "use a folder of this machine; galbuild publish --help lists the flags that name other targets"
	}
	return "use a folder of this machine, then publish it: galbuild publish SITE " + targetFlags(s)
}

func hintSource(s string) string {
	return "name the target with " + targetFlags(s) + "; packages of a site can be used after galbuild pull " + s + " -o DIR"
}

// targetFlags returns the flags that name the target at an address.
func targetFlags(s string) string {
	l, err := parsePlace(s, place{})
	switch {
	case err != nil || l.web != "":
		return "--s3, --oss, --artifactory, --dropbox or -o"
	case l.S3 != "":
		return "--s3 " + l.S3
	case l.OSS != "":
		return "--oss " + l.OSS
	case l.Dropbox != "":
		return "--dropbox " + l.Dropbox
	}
	return "--artifactory " + l.Artifactory + " --repo " + l.Repo
}
