package modules

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

// A manifest has the fields of a package.json that concern dependencies. It is empty if
// package.json does not exist or cannot be read.
type manifest struct {
	name, version string
	deps          map[string]dependency // by name, without development dependencies
	dev           map[string]dependency
	overridden    []string // names in overrides
	workspaces    []string // patterns of folders
	readErr       error    // why package.json cannot be read
	invalid       []string // fields that are not valid lists of dependencies
}

// A dependency is an item of dependencies or of a similar field.
type dependency struct {
	name string // of the folder in node_modules
	spec string // range of versions or origin, such as ^1.2.0 or file:../lib
	also string // alternative spec from acceptDependencies; "" if there is none
	kind kind
}

type kind int

const (
	prod kind = iota
	optional
	peer
	peerOptional
	dev
	workspace
)

// isOptional reports whether the package may be missing.
func (d dependency) isOptional() bool { return d.kind == optional || d.kind == peerOptional }

func (d dependency) isPeer() bool { return d.kind == peer || d.kind == peerOptional }

// fields are the fields of a JSON object. The structs of encoding/json would match their names
// without regard to case.
type fields map[string]json.RawMessage

// parseManifest reads a package.json. It ignores fields of an unexpected type, and records
// invalid lists of dependencies in manifest.invalid.
func parseManifest(text []byte) (*manifest, error) {
	var f fields
	err := json.Unmarshal(text, &f)
	if _, other := errors.AsType[*json.UnmarshalTypeError](err); other || err == nil && f == nil {
		return nil, errors.New("not a JSON object")
	}
	if err != nil {
		return nil, err
	}
	m := &manifest{deps: map[string]dependency{}, dev: map[string]dependency{}}
	m.name, _ = as[string](f["name"])
	m.version, _ = as[string](f["version"])
	m.overridden = overriddenNames(f["overrides"], nil)
	m.workspaces = workspacePatterns(f["workspaces"])
	m.readDependencies(f)
	return m, nil
}

// readDependencies reads the lists in the order of npm: the last list that has a name
// determines its kind. Source: _loadDeps in @npmcli/arborist's lib/node.js, of npm 11.
func (m *manifest) readDependencies(f fields) {
	also, _ := as[fields](f["acceptDependencies"])
	peers, _ := as[fields](f["peerDependenciesMeta"])
	add := func(to map[string]dependency, field string, k kind) {
		for name, spec := range m.list(f, field) {
			d := dependency{name: name, spec: spec, kind: k}
			d.also, _ = as[string](also[name])
			if meta, _ := as[fields](peers[name]); k == peer && truthy(meta["optional"]) {
				d.kind = peerOptional
			}
			to[name] = d
		}
	}
	add(m.deps, "peerDependencies", peer)
	add(m.deps, "dependencies", prod)
	add(m.deps, "optionalDependencies", optional)
	add(m.dev, "devDependencies", dev)
}

// list returns a field that is an object of strings. Old packages may have "" or [] instead
// of an empty object.
func (m *manifest) list(f fields, field string) map[string]string {
	raw := f[field]
	if list, ok := as[[]json.RawMessage](raw); ok && len(list) == 0 || !truthy(raw) {
		return nil
	}
	values, ok := as[fields](raw)
	if !ok {
		m.invalid = append(m.invalid, field)
		return nil
	}
	specs := map[string]string{}
	for name, value := range values {
		spec, ok := as[string](value)
		if !ok || !isFolderName(name) {
			m.invalid = append(m.invalid, field+"."+name)
			continue
		}
		specs[name] = spec
	}
	return specs
}

// isFolderName reports whether a package may have this name: "name" or "@scope/name". Such a
// name does not lead out of a node_modules.
func isFolderName(name string) bool {
	scope, rest, scoped := strings.Cut(name, "/")
	if scoped && (!strings.HasPrefix(scope, "@") || scope == "@") {
		return false
	}
	if !scoped {
		rest = name
	}
	return rest != "" && !strings.HasPrefix(rest, ".") && !strings.ContainsAny(rest, "/\\\x00")
}

// overriddenNames appends the names in overrides, at any depth: {"a@1": {".": "2", "b": "3"}}
// has the names a and b.
func overriddenNames(raw json.RawMessage, names []string) []string {
	rules, _ := as[fields](raw)
	for _, key := range slices.Sorted(maps.Keys(rules)) {
		name := key
		if i := strings.LastIndex(key, "@"); i > 0 {
			name = key[:i]
		}
		names = overriddenNames(rules[key], append(names, name))
	}
	return names
}

// workspacePatterns reads ["a", "b/*"] or {"packages": […]}.
func workspacePatterns(raw json.RawMessage) []string {
	if f, ok := as[fields](raw); ok {
		raw = f["packages"]
	}
	patterns, _ := as[[]string](raw)
	return patterns
}

func as[T any](raw json.RawMessage) (v T, ok bool) {
	return v, raw != nil && json.Unmarshal(raw, &v) == nil
}

// truthy reports whether a value is true in JavaScript.
func truthy(raw json.RawMessage) bool {
	v, ok := as[any](raw)
	return ok && v != nil && v != false && v != "" && v != 0.0
}

// sorted returns dependencies sorted by name.
func sorted(deps map[string]dependency) []dependency {
	return slices.SortedFunc(maps.Values(deps), func(a, b dependency) int { return strings.Compare(a.name, b.name) })
}
