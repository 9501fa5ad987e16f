package target

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Kind is a kind of target. It describes how targets of this kind are named: by an address, by
// flags, and by keys of a config file. All three lead to the same [Settings]. Package all has
// the list of kinds.
type Kind struct {
	// Name is the name in a config file, such as "s3".
	Name string
	// Form shows how a target is written as one word, such as s3://BUCKET/PREFIX.
	Form string
	// Schemes are the schemes of addresses. One kind has none: its targets are named by a path.
	Schemes []string
	// Flag is a flag whose value is an address without its scheme. Nil means none.
	Flag *Flag
	// Parse returns the settings in an address. The rest of the address follows the scheme and
	// a colon. For the value of a flag, the scheme is the first of Schemes. An address need not
	// contain all settings: flags may give the others.
	Parse func(scheme, rest string) Settings
	// Keys are all settings of targets of this kind.
	Keys []Key
	// ReadOnly means that targets can only be read.
	ReadOnly bool
	// Open returns a target. It sends no request. It is nil in the kinds of package reading.
	Open func(Settings, Env) (Target, error)
	// OpenReader returns a target for reading only. It sends no request. nil means that
	// programs open targets of this kind in another way.
	OpenReader func(Settings, Env) (Reader, error)
}

// Flag is a flag of commands. Flags of the same name are one flag, which several kinds share.
type Flag struct {
	Name        string // without dashes
	Aliases     []string
	Placeholder string
	Help        string
	Group       string // its group in the help; "" is the group of all targets
	Hidden      bool   // whether the help omits it
}

// Key is a setting of a target.
type Key struct {
	// Name is the key in a config file and in [Settings], and Aliases are other names of it in
	// a config file.
	Name    string
	Aliases []string
	Type    Type
	// Required means that a target cannot be opened without it.
	Required bool
	// Flag is the flag with the same meaning. Nil means none.
	Flag *Flag
	// Choice is for switches that choose between two values of another key.
	Choice *Choice
	// Writes means that the setting concerns only writes. Programs that only read accept it in
	// a config file, and do not have its flag.
	Writes bool
}

// Choice is a setting that a switch sets.
type Choice struct {
	Key     string
	On, Off string // its values
}

// Type is the type of a setting.
type Type int

const (
	Text   Type = iota
	Secret      // text that is not printed
	Path        // a file or directory; in a config file relative to that file
	Switch      // "true" or "false"
)

// CA is the key that names a file of certificates (PEM) to trust in addition to the system's.
// Commands have the flag --ca for it.
var CA = Key{Name: "ca", Aliases: []string{"ca_bundle"}, Type: Path}

// Settings are the values of keys, by their names. Printing them prints "(hidden)", because some
// are secrets.
type Settings map[string]string

// Format implements [fmt.Formatter].
func (Settings) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(hidden)") }

// Env is what targets have from the program that opens them.
type Env struct {
	// Transport sends requests. Nil means the client's own.
	Transport http.RoundTripper
	// Warn prints a warning. It may be nil.
	Warn func(message string)

	// The following are used by OpenReader only.

	// Once sends each request once, because the program repeats it.
	Once bool
	// Stall is how long no data may be transferred; 0 means the client's own limit.
	Stall time.Duration
	// Agent is the header User-Agent. "" means the client's own.
	Agent string
}

// Folder returns the kind of target that is a folder, named by its path, without a way to open it.
func Folder() Kind {
	return Kind{
		Name: "folder", Form: "a folder",
		Parse: func(_, path string) Settings { return Settings{"path": path} },
		Keys:  []Key{{Name: "path", Type: Path, Required: true}},
	}
}

// Key returns the key of a name or an alias.
func (k *Kind) Key(name string) (Key, bool) {
	i := slices.IndexFunc(k.Keys, func(key Key) bool { return key.Name == name || slices.Contains(key.Aliases, name) })
	if i < 0 {
		return Key{}, false
	}
	return k.Keys[i], true
}

// Missing returns the required keys that s has no value for.
func (k *Kind) Missing(s Settings) (missing []Key) {
	for _, key := range k.Keys {
		if key.Required && s[key.Name] == "" {
			missing = append(missing, key)
		}
	}
	return missing
}

// Opened converts the results of a client's constructor to those of [Kind].Open. If there is an
// error, the target is nil, and not an interface that contains a nil pointer.
func Opened[T Target](t T, err error) (Target, error) {
	if err != nil {
		return nil, err
	}
	return t, nil
}

// OpenedReader is [Opened] for [Kind].OpenReader.
func OpenedReader[R Reader](r R, err error) (Reader, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Setting returns the name and the value of the setting that a value of k stands for. They are k's
// own, unless k has a Choice.
func (k *Key) Setting(value string) (name, setting string) {
	switch {
	case k.Choice == nil:
		return k.Name, value
	case value == "true":
		return k.Choice.Key, k.Choice.On
	}
	return k.Choice.Key, k.Choice.Off
}
