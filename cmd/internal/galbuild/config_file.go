package galbuild

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
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
)

// A backend is one place of a config file, which is dbem's config.json with more to
// say: comments, trailing commas, the kinds artifactory and folder, and for all kinds a
// path below the bucket or repository (or prefix, which is the same), an endpoint and a
// file of certificates to trust:
//
//	{"backends": {
//	  "s3": {"accessKeyId": "…", "secretAccessKey": "…", "region": "eu-central-1",
//	         "bucket": "vsix", "path": "gallery"},
//	  "mirror": {"type": "s3", "bucket": "mirror", "endpoint": "https://minio.example",
//	             "ca": "ca.pem"},
//	  "oss": {"accessKeyId": "…", "accessKeySecret": "…", "region": "oss-cn-hangzhou",
//	          "bucket": "vsix"},
//	  "dropbox": {"accessToken": "…"},
//	  "artifactory": {"url": "https://host/artifactory", "repo": "vsix", "token": "…"},
//	  "folder": {"path": "/srv/gallery"}
//	}}
//
// Those of kind s3 and oss also have what [s3Options.keys] lists, under rclone's names.
//
// What it is called is what kind it is, unless "type" says so. Secrets may be left out:
// then they come from where they do without a file. Files and folders are relative to
// the config file.
type backend struct {
	Name         string
	Kind         string // "s3", "oss", "dropbox", "artifactory" or "folder"
	AccessKey    string // of s3 and oss; set together with SecretKey
	SecretKey    secret // likewise
	SessionToken secret // of temporary keys
	Token        secret // of dropbox and artifactory
	Region       string
	Bucket       string
	URL          string // of artifactory
	Repo         string // likewise
	Path         string // of folder, where it is; of others, below what
	Endpoint     string
	CA           string // a file
	s3Options           // of s3 and oss
}

// A secret does not show when it is printed.
type secret string

// String implements [fmt.Stringer].
func (secret) String() string { return "(hidden)" }

// GoString implements [fmt.GoStringer].
func (secret) GoString() string { return "(hidden)" }

const maxConfig = 1 << 20

// readBackend returns the backend of that name, the first one for "", and a warning if
// others can read the secrets in the file.
func readBackend(file, name string) (b backend, warning string, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return b, "", err
	}
	text, err := readSmallFile(file, maxConfig)
	if err != nil {
		return b, "", err
	}
	if b, err = parseBackend(text, name); err != nil {
		return b, "", hint.Add(fmt.Errorf("%s: %w", file, err), `a config file is {"backends": {"s3": {"bucket": "…"}, …}}; publish/README.md lists the keys`)
	}
	for _, path := range b.files() {
		if addresses.Scheme(*path) != "" {
			return b, "", hint.Add(fmt.Errorf("%s: %s is an address: want a path", file, *path), `a target at an address has a type: "s3", "oss", "dropbox" or "artifactory"`)
		}
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(filepath.Dir(file), filepath.FromSlash(*path))
		}
	}
	if b.SecretKey+b.SessionToken+b.Token != "" && info.Mode().Perm()&0o044 != 0 && runtime.GOOS != "windows" {
		warning = fmt.Sprintf("%s holds secrets, and others than its owner may read it (%s): chmod 600 %s", file, info.Mode().Perm(), file)
	}
	return b, warning, nil
}

// files returns what is a path on this machine.
func (b *backend) files() []*string {
	if b.Kind == "folder" {
		return []*string{&b.CA, &b.Path}
	}
	return []*string{&b.CA}
}

func parseBackend(text []byte, name string) (backend, error) {
	text, err := plainJSON(text)
	if err != nil {
		return backend{}, err
	}
	object := gjson.GetBytes(text, "backends")
	all := members(object)
	switch {
	case !object.IsObject():
		return backend{}, fmt.Errorf("backends: want an object, %s", found(object))
	case len(all) == 0:
		return backend{}, errors.New("backends: there is none")
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
		return backend{}, fmt.Errorf("backends: there is no %q; there is %s%s", name, strings.Join(names, ", "), similar.Question(name, names))
	case 1:
		return newBackend(chosen[0])
	}
	return backend{}, fmt.Errorf(`backends: %q is there %d times; give each a name of its own, and a "type"`, name, len(chosen))
}

// A member is one of an object's.
type member struct {
	name  string
	value gjson.Result
}

// members returns those of an object in the order of the file.
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

// position is where hujson found a mistake. The rest of its message may quote a secret.
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

// found names a value's type, for its value may be a secret.
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

func newBackend(m member) (backend, error) {
	b := backend{Name: m.name, Kind: m.name}
	in := "backends." + m.name
	if !m.value.IsObject() {
		return b, fmt.Errorf("%s: want an object, %s", in, found(m.value))
	}
	values := members(m.value)
	for _, v := range values {
		if v.name == "type" && v.value.Type == gjson.String {
			b.Kind = v.value.String()
		}
	}
	keys := b.keys()
	if keys == nil {
		return b, fmt.Errorf(`%s: %q is not a kind of target: want s3, oss, dropbox, artifactory or folder, as its name or as its "type"`, in, b.Kind)
	}
	if wrong := set(in, keys, values); len(wrong) > 0 {
		return b, errors.New(strings.Join(wrong, "; "))
	}
	return b, b.check(in)
}

// keys returns pointers to the values of a kind: *string, *bool or *pathStyle. It returns
// nil for an unknown kind.
func (b *backend) keys() map[string]any {
	keys := map[string]any{"type": &b.Kind, "path": &b.Path, "prefix": &b.Path, "endpoint": &b.Endpoint, "ca": &b.CA}
	bucket := map[string]any{
		"accessKeyId": &b.AccessKey, "access_key_id": &b.AccessKey, "secret_access_key": (*string)(&b.SecretKey),
		"session_token": (*string)(&b.SessionToken), "region": &b.Region, "bucket": &b.Bucket,
		"aws_access_key_id": &b.AccessKey, "aws_secret_access_key": (*string)(&b.SecretKey), "aws_session_token": (*string)(&b.SessionToken),
		"endpoint_url": &b.Endpoint, "ca_bundle": &b.CA,
	}
	switch b.Kind {
	case "s3":
		maps.Copy(keys, bucket)
		maps.Copy(keys, b.s3Options.keys())
		keys["secretAccessKey"] = (*string)(&b.SecretKey)
	case "oss":
		maps.Copy(keys, bucket)
		maps.Copy(keys, b.s3Options.keys())
		keys["accessKeySecret"] = (*string)(&b.SecretKey)
	case "dropbox":
		keys["accessToken"] = (*string)(&b.Token)
	case "artifactory":
		maps.Copy(keys, map[string]any{"url": &b.URL, "repo": &b.Repo, "token": (*string)(&b.Token)})
	case "folder":
	default:
		return nil
	}
	return keys
}

// set takes the values, and returns what is wrong with them.
func set(in string, keys map[string]any, values []member) (wrong []string) {
	given := make(map[string]string) // by pointer, since two keys may set the same value
	for _, v := range values {
		to, known := keys[v.name]
		address := fmt.Sprintf("%p", to)
		switch first, twice := given[address]; {
		case !known:
			wrong = append(wrong, fmt.Sprintf("%s.%s: no such key; want some of %s%s", in, v.name, strings.Join(slices.Sorted(maps.Keys(keys)), ", "),
				similar.Question(v.name, slices.Collect(maps.Keys(keys)))))
		case twice:
			wrong = append(wrong, fmt.Sprintf("%s.%s: %s says it already", in, v.name, first))
		default:
			given[address] = v.name
			if want := assign(to, v.value); want != "" {
				wrong = append(wrong, fmt.Sprintf("%s.%s: want %s, %s", in, v.name, want, found(v.value)))
			}
		}
	}
	return wrong
}

// assign stores a value, or returns the type that the value must have.
func assign(to any, value gjson.Result) (want string) {
	text, isText := to.(*string)
	if isText {
		if value.Type != gjson.String {
			return "a string"
		}
		*text = value.String()
		return ""
	}
	is, err := strconv.ParseBool(value.String()) // rclone writes them as strings
	if err != nil || value.IsObject() || value.IsArray() {
		return "true or false"
	}
	switch to := to.(type) {
	case *bool:
		*to = is
	case *pathStyle:
		*to = map[bool]pathStyle{true: "path", false: "virtual"}[is]
	}
	return ""
}

// check looks for what a kind cannot do without.
func (b *backend) check(in string) error {
	needed := map[string]map[string]string{
		"s3": {"bucket": b.Bucket}, "oss": {"bucket": b.Bucket}, "artifactory": {"url": b.URL, "repo": b.Repo}, "folder": {"path": b.Path},
	}[b.Kind]
	for _, key := range slices.Sorted(maps.Keys(needed)) {
		if needed[key] == "" {
			return fmt.Errorf("%s.%s: it is missing", in, key)
		}
	}
	if (b.AccessKey == "") != (b.SecretKey == "") {
		return fmt.Errorf("%s: a key's id and its secret go together; there is one of them", in)
	}
	return nil
}
