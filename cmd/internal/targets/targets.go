// Package targets has the flags and arguments by which commands name a target: one argument, which
// is an address or the path of a folder; flags; or a config file. All three are derived from one
// list of kinds, such as that of package all.
package targets

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"galbuild/build/similar"
	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"
	"galbuild/publish/target"
)

// Hint is a hint for a command that lacks a target.
const Hint = "name the target with -o, such as -o s3://BUCKET/PREFIX, or with one of its flags"

// DefaultFolder is the folder of the site if a command line names no target.
const DefaultFolder = "site"

// Flags are the flags of a command whose target can be named by -o, besides the other ways.
type Flags struct {
	Output string `short:"o" complete:"path" placeholder:"TARGET" group:"Target:" help:"The target: ${targets} (default: the folder site)."`
	Remote
}

// Remote are the flags that name a target, without -o.
type Remote struct {
	kong.Plugins // the flags of the kinds

	CA      string `name:"ca" aliases:"ca-bundle,ca-cert" type:"existingfile" placeholder:"FILE" group:"Target:" help:"File of certificates (PEM) to trust in addition to the system's."`
	Config  string `short:"c" type:"existingfile" placeholder:"FILE" group:"Target:" help:"A file of targets: {\"backends\": {NAME: {…}}}, in the format of dbem's config.json."`
	Backend string `placeholder:"NAME" group:"Target:" help:"Name of the target in the file (default: the first)."`

	kinds  []target.Kind
	values map[string]reflect.Value // of the flags of the kinds, by name
	typed  []string                 // names of the flags on the command line, as opposed to variables
	target choice                   // set by Check; empty if it is in the config file
	word   string                   // the address or path as it was typed, or the default; "" if a flag names the target
	also   []target.Kind            // kinds of other targets of the command, which the flags apply to as well
}

// A choice is a target that has been named and not opened.
type choice struct {
	Kind     target.Kind
	Settings target.Settings
}

// Declare makes the flags of the kinds. It must be called before Kong reads the struct.
func (r *Remote) Declare(kinds []target.Kind) {
	r.kinds = kinds
	r.Plugins, r.values = declare(kinds, "GALBUILD", true)
}

// DeclareToRead is Declare for a program that only reads targets. The flags are not those of
// writes, and their variables begin with a prefix.
func (r *Remote) DeclareToRead(kinds []target.Kind, prefix string) {
	r.kinds = kinds
	r.Plugins, r.values = declare(kinds, prefix, false)
}

// BeforeApply implements Kong's hook. It notes which flags are on the command line.
func (r *Remote) BeforeApply(command *kong.Context) error {
	r.typed = nil
	for _, step := range command.Path {
		if step.Flag != nil && !step.Resolved {
			r.typed = append(r.typed, step.Flag.Name)
		}
	}
	return nil
}

func (r *Remote) isTyped(flag string) bool { return slices.Contains(r.typed, flag) }

// Check checks the flags, and the target given as an argument or "". If the command line names
// the target, environment variables that name another one do not count.
//
// Check accesses neither the target nor the config file. It must be called before the other
// methods.
func (f *Flags) Check(argument string) error {
	if !f.isTyped(outputFlag) && (argument != "" || f.isNamed()) {
		f.Output = ""
	}
	if argument != "" && f.Output != "" {
		return fmt.Errorf("name one target only: %s or -o %s", argument, f.Output)
	}
	return f.check(cmp.Or(argument, f.Output), argument != "" || f.isTyped(outputFlag), DefaultFolder)
}

// outputFlag is the name of the flag -o.
const outputFlag = "output"

// Check does what [Flags.Check] does, for a command without -o.
func (r *Remote) Check(argument string) error {
	if argument == "" && !r.isGiven() {
		return hint.Add(errors.New("the target is missing"), "a target is %s", Forms(r.kinds, true))
	}
	return r.check(argument, argument != "", "")
}

// CheckFlag does what [Flags.Check] does, for a command with another flag instead of -o, and
// without a default.
func (r *Remote) CheckFlag(flag, value string) error {
	if !r.isTyped(flag) && r.isNamed() {
		value = ""
	}
	switch {
	case value != "" || r.isGiven():
	case r.isTyped(flag): // with an empty value, which usage.Program reports
		return nil
	default:
		return hint.Add(fmt.Errorf("--%s is missing", flag), "it names %s", Forms(r.kinds, true))
	}
	return r.check(value, r.isTyped(flag), "")
}

// check checks the flags, and the target as a word, which may be empty. Typed is whether the word
// is on the command line.
func (r *Remote) check(word string, typed bool, folder string) (err error) {
	if typed || r.isNamed() {
		r.dropVariables()
	}
	given := r.given()
	if word != "" {
		given = append([]string{word}, given...)
	}
	switch {
	case len(given) > 1:
		return fmt.Errorf("name one target only: %s", strings.Join(given, " or "))
	case r.Backend != "" && r.Config == "":
		return errors.New("--backend needs -c")
	case r.Config != "":
		return nil
	}
	if word == "" {
		for _, kind := range r.kinds {
			if value := r.kindFlag(kind); value != "" {
				r.target, err = r.parseFlag(kind, value)
				return err
			}
		}
	}
	r.word = cmp.Or(word, folder)
	r.target, err = r.parseWord(r.word)
	return err
}

// At returns flags for another target of the same command, at an address or a path. Flags that do
// not name a target, such as --region, apply to both targets.
func (r *Remote) At(word string) (*Remote, error) {
	other := *r
	other.word, other.Config = word, ""
	named, err := parse(r.kinds, word)
	if err != nil {
		return nil, err
	}
	common := r.settings(named.Kind)
	maps.Copy(common, named.Settings)
	other.target = choice{named.Kind, common}
	r.also = append(r.also, named.Kind)
	other.also = r.kinds // r checks the flags that neither of them uses
	return &other, missing(word, named.Kind, common)
}

// isNamed reports whether flags on the command line, other than -o, name the target.
func (r *Remote) isNamed() bool {
	return r.isTyped(configFlag) || slices.ContainsFunc(r.kinds, func(k target.Kind) bool { return k.Flag != nil && r.isTyped(k.Flag.Name) })
}

// configFlag is the name of the flag -c.
const configFlag = "config"

// dropVariables empties the flags that name a target and whose values are those of variables.
func (r *Remote) dropVariables() {
	for _, kind := range r.kinds {
		if kind.Flag != nil && !r.isTyped(kind.Flag.Name) {
			r.values[kind.Flag.Name].SetString("")
		}
	}
	if !r.isTyped(configFlag) {
		r.Config = ""
	}
	if r.Config == "" && !r.isTyped("backend") {
		r.Backend = ""
	}
}

// isGiven reports whether the target is named by flags other than -o.
func (r *Remote) isGiven() bool { return len(r.given()) > 0 }

// given returns the flags that name a target.
func (r *Remote) given() (names []string) {
	for _, kind := range r.kinds {
		if value := r.kindFlag(kind); value != "" {
			names = append(names, "--"+kind.Flag.Name+" "+value)
		}
	}
	if r.Config != "" {
		names = append(names, "-c "+r.Config)
	}
	return names
}

// Named reports whether the target is named in any way. Otherwise it is [DefaultFolder].
func (f *Flags) Named() bool { return f.isGiven() || f.word != DefaultFolder || f.Output != "" }

// Folder returns the path of the target. If the target is not a folder, or is not named by its
// path, ok is false.
func (r *Remote) Folder() (path string, ok bool) {
	return r.word, r.word != "" && len(r.target.Kind.Schemes) == 0
}

// Open returns the target for changes. It is an error if the target can only be read.
func (r *Remote) Open(e target.Env) (target.Target, error) {
	named, err := r.choose(e)
	if err != nil {
		return nil, err
	}
	t, err := named.Kind.Open(named.Settings, e)
	if err == nil && named.Kind.ReadOnly {
		return nil, hint.Add(fmt.Errorf("%s can be read, but not changed", t), "name a target that can be changed: %s", Forms(r.kinds, false))
	}
	return t, err
}

// OpenToRead returns the target for reading.
func (r *Remote) OpenToRead(e target.Env) (target.Target, error) {
	named, err := r.choose(e)
	if err != nil {
		return nil, err
	}
	return named.Kind.Open(named.Settings, e)
}

// OpenReader returns the target for reading only. If it is a folder, OpenReader returns its path
// instead.
func (r *Remote) OpenReader(e target.Env) (at target.Reader, folder string, err error) {
	named, err := r.choose(e)
	if err != nil {
		return nil, "", err
	}
	if named.Kind.OpenReader == nil {
		return nil, named.Settings["path"], nil
	}
	at, err = named.Kind.OpenReader(named.Settings, e)
	return at, "", err
}

// choose returns the target that Check has found, or the one in the config file.
func (r *Remote) choose(e target.Env) (choice, error) {
	named := r.target
	if r.Config != "" {
		var warning string
		var err error
		if named, warning, err = readConfig(r.kinds, r.Config, r.Backend); err != nil {
			return choice{}, err
		}
		if warning != "" && e.Warn != nil {
			e.Warn(warning)
		}
		maps.Copy(named.Settings, r.settings(named.Kind))
	}
	return named, r.checkUnused(named.Kind)
}

// A FlagError says that a flag on the command line is not one of the kind of target.
type FlagError struct{ message string }

func (e *FlagError) Error() string { return e.message }

// checkUnused returns a [FlagError] if a flag on the command line is not one of the kind of target.
func (r *Remote) checkUnused(kind target.Kind) error {
	used := append([]target.Kind{kind}, r.also...)
	for _, name := range r.typed {
		if _, ofTargets := r.values[name]; !ofTargets || slices.ContainsFunc(used, func(k target.Kind) bool { return hasFlag(k, name) }) {
			continue
		}
		var owners []string
		for _, k := range r.kinds {
			if hasFlag(k, name) {
				owners = append(owners, k.Name)
			}
		}
		return &FlagError{fmt.Sprintf("--%s is for targets of the kind %s, and this target is of the kind %s", name, strings.Join(owners, " or "), kind.Name)}
	}
	return nil
}

// parseFlag returns the target that the flag of a kind names.
func (r *Remote) parseFlag(kind target.Kind, value string) (choice, error) {
	flag := "--" + kind.Flag.Name
	named := choice{kind, kind.Parse(kind.Schemes[0], value)}
	if err := r.complete(named, flag+"="+value); err != nil {
		return choice{}, err
	}
	lacks := kind.Missing(named.Settings)
	switch {
	case len(lacks) == 0:
		return named, nil
	case lacks[0].Flag != nil:
		return choice{}, fmt.Errorf("%s needs --%s %s", flag, lacks[0].Flag.Name, lacks[0].Flag.Placeholder)
	}
	return choice{}, fmt.Errorf("%s=%s: want %s", flag, value, kind.Flag.Placeholder)
}

// parseWord returns the target at an address or a path.
func (r *Remote) parseWord(word string) (choice, error) {
	named, err := parse(r.kinds, word)
	if err != nil {
		return choice{}, err
	}
	if err := r.complete(named, word); err != nil {
		return choice{}, err
	}
	return named, missing(word, named.Kind, named.Settings)
}

// complete adds the settings that flags give to those that are in an address. The address is
// written as it was typed, for an error.
func (r *Remote) complete(named choice, address string) error {
	for name, value := range r.settings(named.Kind) {
		switch key, _ := named.Kind.Key(name); {
		case named.Settings[name] == "":
		case key.Flag != nil && !r.isTyped(key.Flag.Name): // the flag's value is that of a variable
			continue
		default:
			return fmt.Errorf("%s and a flag both give the %s", address, name)
		}
		named.Settings[name] = value
	}
	return nil
}

// missing returns an error if the address of a target lacks a setting.
func missing(word string, kind target.Kind, s target.Settings) error {
	if len(kind.Missing(s)) > 0 {
		return fmt.Errorf("%q: want %s", word, kind.Form)
	}
	return nil
}

// parse returns the target at an address or a path, without the settings of flags.
func parse(kinds []target.Kind, word string) (choice, error) {
	scheme := addresses.Scheme(word)
	var schemes []string
	for _, kind := range kinds {
		schemes = append(schemes, kind.Schemes...)
		if slices.Contains(kind.Schemes, scheme) {
			return choice{kind, kind.Parse(scheme, word[len(scheme)+1:])}, nil
		}
		if scheme == "" && len(kind.Schemes) == 0 {
			return choice{kind, kind.Parse("", word)}, nil
		}
	}
	if scheme == "file" {
		return choice{}, hint.Add(fmt.Errorf("%s: a folder is named by its path", word), "write it as a path: %s", addresses.Path(word))
	}
	return choice{}, hint.Add(fmt.Errorf("%s: %q is not a kind of target%s", word, scheme, similar.Question(scheme, schemes)),
		"a target is %s", Forms(kinds, true))
}

// HasScheme reports whether targets of one of the kinds have addresses with a scheme.
func HasScheme(kinds []target.Kind, scheme string) bool {
	return slices.ContainsFunc(kinds, func(k target.Kind) bool { return slices.Contains(k.Schemes, scheme) })
}

// CanChange reports whether a word is the address of a target that can be changed.
func CanChange(kinds []target.Kind, word string) bool {
	named, err := parse(kinds, word)
	return err == nil && !named.Kind.ReadOnly
}
