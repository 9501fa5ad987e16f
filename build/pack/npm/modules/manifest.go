package modules

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

// A manifest is what a package.json says about dependencies. Where there is no
// package.json, or none that can be read, it is empty.
type manifest struct {
	name, version string
	deps          map[string]dependency // by name, but for those that only developers need
	dev           map[string]dependency
	named         []string // names in overrides, whose versions another rule chooses
	workspaces    []string // patterns of folders
	unread        error    // why it is empty although there is one
	wrong         []string // fields that are no lists of dependencies
}

// A dependency is what a package wants to find in a node_modules.
type dependency struct {
	name string // of the folder in node_modules
	spec string // which versions, or where from, such as ^1.2.0 or file:../lib
	also string // the same again, from acceptDependencies; "" is no other
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

// mayMiss tells whether nothing is wrong if it is not there.
func (d dependency) mayMiss() bool { return d.kind == optional || d.kind == peerOptional }

func (d dependency) isPeer() bool { return d.kind == peer || d.kind == peerOptional }

// fields are those of an object. encoding/json's structs would match names without regard to case.
type fields map[string]json.RawMessage

// parseManifest reads a package.json. Fields of another type than expected are as
// if absent; only dependencies that are none are remembered as wrong.
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
	m.named = overridden(f["overrides"], nil)
	m.workspaces = workspacePatterns(f["workspaces"])
	m.readDependencies(f)
	return m, nil
}

// readDependencies takes the lists in npm's order: a name in several is what the
// last says. Source: _loadDeps in @npmcli/arborist's lib/node.js, of npm 11.
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

// list returns a field that is an object of strings; old packages have "" or []
// for none.
func (m *manifest) list(f fields, field string) map[string]string {
	raw := f[field]
	if list, ok := as[[]json.RawMessage](raw); ok && len(list) == 0 || !truthy(raw) {
		return nil
	}
	values, ok := as[fields](raw)
	if !ok {
		m.wrong = append(m.wrong, field)
		return nil
	}
	specs := map[string]string{}
	for name, value := range values {
		spec, ok := as[string](value)
		if !ok || !isFolderName(name) {
			m.wrong = append(m.wrong, field+"."+name)
			continue
		}
		specs[name] = spec
	}
	return specs
}

// isFolderName tells whether a package may have this name: "name" or
// "@scope/name", which stays in the node_modules it is looked for in.
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

// overridden adds the names in overrides, at any depth: {"a@1": {".": "2", "b": "3"}}
// names a and b.
func overridden(raw json.RawMessage, names []string) []string {
	rules, _ := as[fields](raw)
	for _, key := range slices.Sorted(maps.Keys(rules)) {
		name := key
		if i := strings.LastIndex(key, "@"); i > 0 {
			name = key[:i]
		}
		names = overridden(rules[key], append(names, name))
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

// truthy tells whether JavaScript would take it for true.
func truthy(raw json.RawMessage) bool {
	v, ok := as[any](raw)
	return ok && v != nil && v != false && v != "" && v != 0.0
}

// sorted returns dependencies by name.
func sorted(deps map[string]dependency) []dependency {
	return slices.SortedFunc(maps.Values(deps), func(a, b dependency) int { return strings.Compare(a.name, b.name) })
}
