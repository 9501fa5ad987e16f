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
// The name of a target is its kind, unless it has a "type". Secrets may be left out: they then
// come from where they do without a file. Paths are relative to the config file.
func readConfig(kinds []target.Kind, file, name string) (named choice, warning string, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return choice{}, "", err
	}
	text, err := readSmallFile(file, maxConfig)
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
			return choice{}, "", hint.Add(fmt.Errorf("%s: %s is an address: want a path", file, value), `a target at an address has a type: %s`, typeNames(kinds))
		case key.Type == target.Path && !filepath.IsAbs(value):
			named.Settings[key.Name] = filepath.Join(filepath.Dir(file), filepath.FromSlash(value))
		}
	}
	if secrets && info.Mode().Perm()&0o044 != 0 && runtime.GOOS != "windows" {
		warning = fmt.Sprintf("%s holds secrets, and others than its owner may read it (%s): chmod 600 %s", file, info.Mode().Perm(), file)
	}
	return named, warning, nil
}

// readSmallFile reads a file of at most so many bytes.
func readSmallFile(file string, limit int64) ([]byte, error) {
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
	all := members(object)
	switch {
	case !object.IsObject():
		return choice{}, fmt.Errorf("backends: want an object, %s", found(object))
	case len(all) == 0:
		return choice{}, errors.New("backends: there is none")
	}
	name = cmp.Or(name, all[0].name)
	var names []string
	var chosen []member
	for _, m := range all {
		names = append(names, m.name)
		if m.name == name {
			chosen = append(chosen, m)
		}
	}
	switch len(chosen) {
	case 0:
		return choice{}, fmt.Errorf("backends: there is no %q; there is %s%s", name, strings.Join(names, ", "), similar.Question(name, names))
	case 1:
		return parseTarget(kinds, chosen[0])
	}
	return choice{}, fmt.Errorf(`backends: %q is there %d times; give each a name of its own, and a "type"`, name, len(chosen))
}

// A member is a name and a value in a JSON object.
type member struct {
	name  string
	value gjson.Result
}

// members returns the members of an object in the order of the file.
func members(object gjson.Result) (all []member) {
	if !object.IsObject() {
		return nil
	}
	object.ForEach(func(key, value gjson.Result) bool {
		all = append(all, member{key.String(), value})
		return true
	})
	return all
}

// position matches where hujson found a mistake. The rest of its message may quote a secret.
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
		return nil, fmt.Errorf("not JSON, from %s on", position.FindString(err.Error()))
	}
	return plain, nil
}

// found names the type of a value, since the value itself may be a secret.
func found(v gjson.Result) string {
	switch {
	case !v.Exists():
		return "there is none"
	case v.IsObject():
		return "it is an object"
	case v.IsArray():
		return "it is a list"
	}
	return "it is " + map[gjson.Type]string{gjson.Null: "null", gjson.False: "false", gjson.True: "true", gjson.Number: "a number", gjson.String: "a string"}[v.Type]
}

// parseTarget returns the target that a member of "backends" describes.
func parseTarget(kinds []target.Kind, m member) (choice, error) {
	in, name := "backends."+m.name, m.name
	if !m.value.IsObject() {
		return choice{}, fmt.Errorf("%s: want an object, %s", in, found(m.value))
	}
	values := members(m.value)
	for _, v := range values {
		if v.name == typeKey && v.value.Type == gjson.String {
			name = v.value.String()
		}
	}
	i := slices.IndexFunc(kinds, func(k target.Kind) bool { return k.Name == name })
	if i < 0 {
		return choice{}, fmt.Errorf("%s: %q is not a kind of target: want %s, as its name or as its %q", in, name, typeNames(kinds), typeKey)
	}
	named := choice{kinds[i], make(target.Settings)}
	if wrong := named.set(in, values); len(wrong) > 0 {
		return choice{}, errors.New(strings.Join(wrong, "; "))
	}
	if lacks := named.Kind.Missing(named.Settings); len(lacks) > 0 {
		return choice{}, fmt.Errorf("%s.%s: it is missing", in, lacks[0].Name)
	}
	return named, nil
}

// typeKey is the key for the kind of a target that is not its name.
const typeKey = "type"

// typeNames lists the kinds.
func typeNames(kinds []target.Kind) string {
	var names []string
	for _, kind := range kinds {
		names = append(names, kind.Name)
	}
	return join(names)
}

// set stores the values, and returns what is wrong with them.
func (c *choice) set(in string, values []member) (wrong []string) {
	given := make(map[string]string) // by setting, the key in the file that gives it
	for _, v := range values {
		key, known := c.Kind.Key(v.name)
		switch {
		case v.name == typeKey:
			key = target.Key{Name: typeKey}
		case !known:
			names := keyNames(c.Kind)
			wrong = append(wrong, fmt.Sprintf("%s.%s: no such key; want some of %s%s", in, v.name, strings.Join(names, ", "), similar.Question(v.name, names)))
			continue
		}
		value, want := decode(key.Type, v.value)
		name, value := key.Setting(value)
		switch first, twice := given[name]; {
		case twice:
			wrong = append(wrong, fmt.Sprintf("%s.%s: %s says it already", in, v.name, first))
		case want != "":
			wrong = append(wrong, fmt.Sprintf("%s.%s: want %s, %s", in, v.name, want, found(v.value)))
		case known:
			c.Settings[name] = value
		}
		given[name] = v.name
	}
	return wrong
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
	is, err := strconv.ParseBool(value.String()) // rclone writes them as strings
	if err != nil || value.IsObject() || value.IsArray() {
		return "", "true or false"
	}
	return strconv.FormatBool(is), ""
}
