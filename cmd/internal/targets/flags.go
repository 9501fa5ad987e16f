package targets

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/usage"
	"galbuild/publish/target"
)

// declare returns a struct for Kong with the flags of the kinds, and the fields by the names of the
// flags. The variables of the flags begin with prefix. Flags of writes are included if writes is
// true.
func declare(kinds []target.Kind, prefix string, writes bool) (kong.Plugins, map[string]reflect.Value) {
	var fields []reflect.StructField
	var names []string
	add := func(flag *target.Flag, isSwitch, negatable bool) {
		if flag == nil || slices.Contains(names, flag.Name) {
			return
		}
		of := reflect.TypeFor[string]()
		if isSwitch {
			of = reflect.TypeFor[*bool]()
		}
		names = append(names, flag.Name)
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("Flag%d", len(fields)), Type: of, Tag: tag(flag, prefix, negatable)})
	}
	for _, kind := range kinds {
		add(kind.Flag, false, false)
		for _, key := range kind.Keys {
			if writes || !key.Writes {
				add(key.Flag, key.Type == target.Switch, key.Choice != nil)
			}
		}
	}
	plugin := reflect.New(reflect.StructOf(fields))
	values := make(map[string]reflect.Value)
	for i, name := range names {
		values[name] = plugin.Elem().Field(i)
	}
	return kong.Plugins{plugin.Interface()}, values
}

// tag returns the tag of a flag, as Kong reads it.
func tag(flag *target.Flag, prefix string, negatable bool) reflect.StructTag {
	group, env := "Target:", prefix+"_"+strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
	if flag.Group != "" {
		group = flag.Group
	}
	text := fmt.Sprintf("name:%q env:%q group:%q help:%q", flag.Name, env, group, flag.Help)
	if flag.Placeholder != "" {
		text += fmt.Sprintf(" placeholder:%q", flag.Placeholder)
	}
	if len(flag.Aliases) > 0 {
		text += fmt.Sprintf(" aliases:%q", strings.Join(flag.Aliases, ","))
	}
	if flag.Hidden {
		text += ` hidden:""`
	}
	if negatable {
		text += ` negatable:""`
	}
	return reflect.StructTag(text)
}

// FlagNames returns the names of all flags of targets, with their dashes, sorted.
func FlagNames(kinds []target.Kind) []string {
	_, values := declare(kinds, "", true)
	names := []string{"-c", "--config", "--backend"}
	for name := range values {
		names = append(names, "--"+name)
	}
	slices.Sort(names)
	return names
}

// hasFlag reports whether a kind of target has a flag.
func hasFlag(kind target.Kind, name string) bool {
	return kind.Flag != nil && kind.Flag.Name == name ||
		slices.ContainsFunc(kind.Keys, func(key target.Key) bool { return key.Flag != nil && key.Flag.Name == name })
}

// kindFlag returns the value of the flag that names a target of a kind.
func (r *Remote) kindFlag(kind target.Kind) string {
	if kind.Flag == nil {
		return ""
	}
	return r.value(kind.Flag.Name)
}

// value returns the value of a flag, or "".
func (r *Remote) value(flag string) string {
	field, declared := r.values[flag]
	if !declared { // it is for writes, see DeclareToRead
		return ""
	}
	switch v := field.Interface().(type) {
	case string:
		return v
	case *bool:
		if v != nil {
			return strconv.FormatBool(*v)
		}
	}
	return ""
}

// settings returns the settings that flags give to a target of a kind. If two flags have the same
// setting, the value of the first is used.
func (r *Remote) settings(kind target.Kind) target.Settings {
	s := make(target.Settings)
	for _, key := range kind.Keys {
		value := ""
		switch {
		case key.Name == target.CA.Name:
			value = r.CA
		case key.Flag != nil:
			value = r.value(key.Flag.Name)
		}
		if name, setting := key.Setting(value); value != "" && s[name] == "" {
			s[name] = setting
		}
	}
	return s
}

// Forms lists the forms of the addresses of targets. If readable is true, the list includes targets
// that can only be read.
func Forms(kinds []target.Kind, readable bool) string {
	var forms []string
	for _, kind := range kinds {
		switch {
		case !kind.ReadOnly:
			forms = append(forms, kind.Form)
		case readable:
			forms = append(forms, kind.Form+" (read only)")
		}
	}
	return usage.Or(forms)
}
