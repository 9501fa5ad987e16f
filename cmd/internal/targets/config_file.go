package targets

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"
	"github.com/tidwall/gjson"

	"galbuild/build/similar"
	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/usage"
	"galbuild/publish/target"
)

const maxConfig = 1 << 20

// readConfig returns the target of a name in a config file, the first one for "", and a warning
// if others can read the secrets in the file. The format is that of dbem's config.json, with
// comments, trailing commas, and more kinds and keys:
//
//	{"backends": {
//	  "s3": {"accessKeyId": "…", "secretAccessKey": "…", "region": "eu-central-1",
//	         "bucket": "vsix"},
//	  "mirror": {"type": "s3", "bucket": "mirror", "endpoint": "https://minio.example",
//	             "ca": "ca.pem"},
//	  "folder": {"path": "/srv/gallery"}
//	}}
//
// The name of a target is its kind, unless it has a "type". Secrets may be left out: then they come
// from the environment, as without a config file. Paths are relative to the config file.
func readConfig(kinds []target.Kind, file, name string) (named choice, warning string, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return choice{}, "", err
	}
	text, err := ReadSmallFile(file, maxConfig)
	if err != nil {
		return choice{}, "", err
	}
	if named, err = parseConfig(kinds, text, name); err != nil {
		return choice{}, "", hint.Add(fmt.Errorf("%s: %w", file, err), `a config file is {"backends": {"s3": {"bucket": "…"}, …}}; publish/README.md lists the keys`)
	}
	secrets := false
	for _, key := range named.Kind.Keys {
		switch value := named.Settings[key.Name]; {
		case value == "":
		case key.Type == target.Secret:
			secrets = true
		case key.Type == target.Path && addresses.Scheme(value) != "":
			return choice{}, "", hint.Add(fmt.Errorf("%s: %s is an address: want a path", file, value), `for a target at an address, set "type" to %s`, typeNames(kinds))
		case key.Type == target.Path && !filepath.IsAbs(value):
			named.Settings[key.Name] = filepath.Join(filepath.Dir(file), filepath.FromSlash(value))
		}
	}
	if secrets && info.Mode().Perm()&0o044 != 0 && runtime.GOOS != "windows" {
		warning = fmt.Sprintf("%s contains secrets, and users other than its owner can read it (mode %s): chmod 600 %s", file, info.Mode().Perm(), file)
	}
	return named, warning, nil
}

// ReadSmallFile reads a file of at most limit bytes. The file may be a pipe, even one without an
// end.
func ReadSmallFile(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	text, err := target.ReadAll(f, limit)
	if errors.Is(err, io.ErrShortBuffer) {
		err = fmt.Errorf("%s: larger than the limit of %d bytes", file, limit)
	}
	return text, err
}

func parseConfig(kinds []target.Kind, text []byte, name string) (choice, error) {
	text, err := plainJSON(text)
	if err != nil {
		return choice{}, err
	}
	object := gjson.GetBytes(text, "backends")
	targets := members(object)
	switch {
	case !object.IsObject():
		return choice{}, fmt.Errorf("backends: want an object, got %s", typeOf(object))
	case len(targets) == 0:
		return choice{}, errors.New("backends: has no targets")
	}
	name = cmp.Or(name, targets[0].name)
	var names []string
	var chosen []member
	for _, m := range targets {
		names = append(names, m.name)
		if m.name == name {
			chosen = append(chosen, m)
		}
	}
	switch len(chosen) {
	case 0:
		return choice{}, fmt.Errorf("backends: has no target %q; it has %s%s", name, strings.Join(names, ", "), similar.Question(name, names))
	case 1:
		return parseTarget(kinds, chosen[0])
	}
	return choice{}, fmt.Errorf(`backends: has %[2]d targets %[1]q; give each its own name, and a "type"`, name, len(chosen))
}

// A member is a name and a value in a JSON object.
type member struct {
	name  string
	value gjson.Result
}

// members returns the members of an object in the order of the file.
func members(object gjson.Result) (list []member) {
	if !object.IsObject() {
		return nil
	}
	object.ForEach(func(key, value gjson.Result) bool {
		list = append(list, member{key.String(), value})
		return true
	})
	return list
}

// position matches the position in an error of hujson. The rest of the message may quote a secret.
var position = regexp.MustCompile(`line \d+, column \d+`)

// maxDepth limits the nesting of brackets, because hujson is recursive.
const maxDepth = 100

// checkDepth counts brackets everywhere, including in strings and comments.
func checkDepth(text []byte) error {
	open := 0
	for _, b := range text {
		switch b {
		case '[', '{':
			open++
		case ']', '}':
			open--
		}
		if open > maxDepth {
			return fmt.Errorf("brackets are nested deeper than the limit of %d", maxDepth)
		}
	}
	return nil
}

// plainJSON returns JSON without comments, trailing commas and byte order mark.
func plainJSON(text []byte) ([]byte, error) {
	if err := checkDepth(text); err != nil {
		return nil, err
	}
	plain, err := hujson.Standardize(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if err != nil {
		return nil, fmt.Errorf("not JSON: syntax error at %s", position.FindString(err.Error()))
	}
	return plain, nil
}

// typeOf names the type of a value for a message. The value itself may be a secret.
func typeOf(v gjson.Result) string {
	switch {
	case !v.Exists():
		return "nothing"
	case v.IsObject():
		return "an object"
	case v.IsArray():
		return "a list"
	}
	return map[gjson.Type]string{gjson.Null: "null", gjson.False: "false", gjson.True: "true", gjson.Number: "a number", gjson.String: "a string"}[v.Type]
}

// parseTarget returns the target that a member of "backends" describes.
func parseTarget(kinds []target.Kind, m member) (choice, error) {
	in, name := "backends."+m.name, m.name
	if !m.value.IsObject() {
		return choice{}, fmt.Errorf("%s: want an object, got %s", in, typeOf(m.value))
	}
	values := members(m.value)
	for _, v := range values {
		if v.name == typeKey && v.value.Type == gjson.String {
			name = v.value.String()
		}
	}
	i := slices.IndexFunc(kinds, func(k target.Kind) bool { return k.Name == name })
	if i < 0 {
		return choice{}, fmt.Errorf("%s: %q is not a kind of target: want %s, as the name of the target or as its %q", in, name, typeNames(kinds), typeKey)
	}
	named := choice{kinds[i], make(target.Settings)}
	if problems := named.set(in, values); len(problems) > 0 {
		return choice{}, errors.New(strings.Join(problems, "; "))
	}
	if lacks := named.Kind.Missing(named.Settings); len(lacks) > 0 {
		return choice{}, fmt.Errorf("%s.%s: is missing", in, lacks[0].Name)
	}
	return named, nil
}

// typeKey is the key with the kind of a target whose name is not its kind.
const typeKey = "type"

// typeNames lists the names of the kinds for a message.
func typeNames(kinds []target.Kind) string {
	var names []string
	for _, kind := range kinds {
		names = append(names, kind.Name)
	}
	return usage.Or(names)
}

// set stores the values of a target and returns their problems.
func (c *choice) set(in string, values []member) (problems []string) {
	setBy := make(map[string]string) // by setting, the key in the file that sets it
	for _, v := range values {
		key, exists := c.Kind.Key(v.name)
		switch {
		case v.name == typeKey:
			key = target.Key{Name: typeKey}
		case !exists:
			names := keyNames(c.Kind)
			problems = append(problems, fmt.Sprintf("%s.%s: no such key; want some of %s%s", in, v.name, strings.Join(names, ", "), similar.Question(v.name, names)))
			continue
		}
		value, want := decode(key.Type, v.value)
		name, value := key.Setting(value)
		switch first, twice := setBy[name]; {
		case twice:
			problems = append(problems, fmt.Sprintf("%s.%s: already set by %s", in, v.name, first))
		case want != "":
			problems = append(problems, fmt.Sprintf("%s.%s: want %s, got %s", in, v.name, want, typeOf(v.value)))
		case exists:
			c.Settings[name] = value
		}
		setBy[name] = v.name
	}
	return problems
}

// keyNames returns the names of all keys of a kind, sorted.
func keyNames(kind target.Kind) []string {
	names := []string{typeKey}
	for _, key := range kind.Keys {
		names = append(append(names, key.Name), key.Aliases...)
	}
	slices.Sort(names)
	return names
}

// decode returns a value as text, or the type that it must have.
func decode(kind target.Type, value gjson.Result) (text, want string) {
	if kind != target.Switch {
		if value.Type != gjson.String {
			return "", "a string"
		}
		return value.String(), ""
	}
	on, err := strconv.ParseBool(value.String()) // rclone writes booleans as strings
	if err != nil || value.IsObject() || value.IsArray() {
		return "", "true or false"
	}
	return strconv.FormatBool(on), ""
}
