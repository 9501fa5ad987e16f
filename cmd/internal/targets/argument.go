package targets

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"galbuild/build/site"
	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"
)

// Last separates the target from the other arguments of a command that takes both. The last
// argument is the target if it is an address, or the folder of a site. The folder of a site is
// not the target if it is the only argument, or if a flag on the command line names the target. An
// existing file is never the target, even if its name looks like an address.
//
// The function other returns what else an argument can be, such as "a version", or "". An http(s)
// address that can be something else is not the target; any other argument that can be both is an
// error.
func (f *Flags) Last(args []string, other func(arg string) string) (rest []string, named string, err error) {
	if len(args) == 0 {
		return nil, "", nil
	}
	rest, last := args[:len(args)-1], args[len(args)-1]
	kind, otherKind := f.asTarget(last, len(rest) > 0), other(last)
	if _, err := os.Stat(last); err == nil && addresses.Scheme(last) != "" {
		otherKind = cmp.Or(otherKind, "a folder of that name")
	}
	switch {
	case kind == "", addresses.IsWeb(last) && otherKind != "":
		return args, "", nil
	case otherKind != "":
		return nil, "", hint.Add(fmt.Errorf("%s can be the target, because it is %s, or %s", last, kind, otherKind),
			"if it is the target, write -o %s; otherwise name the target with -o", last)
	}
	return rest, last, nil
}

// asTarget returns what makes an argument a target, or "" if it is not a target. The folder of a
// site is one only if folders is true.
func (f *Flags) asTarget(arg string, folders bool) string {
	info, err := os.Stat(arg)
	switch flag := f.isTyped(outputFlag) || f.isNamed(); {
	case err == nil && (flag || !info.IsDir()):
		return ""
	case addresses.Scheme(arg) != "":
		return "an address"
	case folders && IsSite(arg):
		return "the folder of a site"
	}
	return ""
}

// IsSite reports whether a folder holds a site.
func IsSite(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, filepath.FromSlash(site.CurrentPath)))
	return err == nil
}
