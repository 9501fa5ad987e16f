package collect

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/tailscale/hujson"

	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/jsonc"
)

// A document is a JSON file with requests while it is read.
type document struct {
	*parser
	*jsonc.Document
	source string
}

// json reads a JSON file of requests. What it is follows from its keys, and not from its name.
func (p *parser) json(text []byte, o origin) {
	if isLock.Match(text) {
		p.lock(text, o)
		return
	}
	parsed, err := jsonc.Parse(o.source, text)
	if err != nil {
		p.problems = append(p.problems, err)
		return
	}
	d := &document{parser: p, Document: parsed, source: o.source}
	object, ok := parsed.Root.Value.(*hujson.Object)
	switch {
	case !ok:
		d.ids(parsed.Root)
	case has(object, "recommendations"), has(object, "unwantedRecommendations"):
		d.member(object, "recommendations", d.ids)
	case has(object, "extensions"):
		d.member(object, "extensions", d.extensions)
	case has(object, "folders"): // a workspace without recommendations
	case has(object, "nameShort"), has(object, "extensionsGallery"):
		d.product(object)
	default:
		p.problem(d.at(parsed.Root), `want an object with "recommendations" or "extensions", a .code-workspace, a product.json or a galbuild.lock, found %s`, d.keys(object))
	}
}

func (d *document) at(v hujson.Value) origin { return origin{d.source, d.Line(v.StartOffset)} }

// keys returns the first keys of an object for a message.
func (d *document) keys(object *hujson.Object) string {
	const most = 3
	var names []string
	for _, m := range object.Members[:min(most, len(object.Members))] {
		names = append(names, string(m.Name.Value.(hujson.Literal)))
	}
	switch {
	case len(names) == 0:
		return "{}"
	case len(object.Members) > most:
		names = append(names, "…")
	}
	return "the keys " + strings.Join(names, ", ")
}

func find(object *hujson.Object, name string) *hujson.Value {
	for i := range object.Members {
		if literal, ok := object.Members[i].Name.Value.(hujson.Literal); ok && literal.String() == name {
			return &object.Members[i].Value
		}
	}
	return nil
}

func has(object *hujson.Object, name string) bool { return find(object, name) != nil }

// member calls read with the value of a member, if there is one.
func (d *document) member(object *hujson.Object, name string, read func(hujson.Value)) {
	if v := find(object, name); v != nil {
		read(*v)
	}
}

// extensions reads the value of the key extensions: a list of ids, or in a .code-workspace an
// object with recommendations.
func (d *document) extensions(v hujson.Value) {
	if object, ok := v.Value.(*hujson.Object); ok {
		d.member(object, "recommendations", d.ids)
		return
	}
	d.ids(v)
}

// ids reads a list of ids, each with a version or platform if it has one.
func (d *document) ids(v hujson.Value) {
	list, ok := v.Value.(*hujson.Array)
	if !ok {
		d.problem(d.at(v), "want a list of ids in square brackets")
		return
	}
	for _, e := range list.Elements {
		d.one(e)
	}
}

// one reads the id of an extension.
func (d *document) one(v hujson.Value) {
	literal, ok := v.Value.(hujson.Literal)
	if !ok || literal.Kind() != '"' {
		d.problem(d.at(v), `want the id of an extension such as "acme.hello"`)
		return
	}
	d.id(literal.String(), d.at(v))
}

// names reads the keys of an object as ids.
func (d *document) names(v hujson.Value) {
	object, ok := v.Value.(*hujson.Object)
	if !ok {
		d.problem(d.at(v), "want an object whose keys are ids")
		return
	}
	for _, m := range object.Members {
		d.one(m.Name)
	}
}

// each calls read with a member of each value of an object.
func (d *document) each(v hujson.Value, name string, read func(hujson.Value)) {
	object, ok := v.Value.(*hujson.Object)
	if !ok {
		d.problem(d.at(v), "want an object")
		return
	}
	for _, m := range object.Members {
		if tip, ok := m.Value.Value.(*hujson.Object); ok {
			d.member(tip, name, read)
		}
	}
}

// product reads what an editor recommends. Its builtInExtensions are part of the editor, and not
// collected; extensionsGallery recommends nothing.
//
// Source: IProductConfiguration in VS Code's src/vs/base/common/product.ts.
func (d *document) product(object *hujson.Object) {
	for _, name := range []string{"keymapExtensionTips", "languageExtensionTips", "webExtensionTips"} {
		d.member(object, name, d.ids)
	}
	d.member(object, "extensionRecommendations", d.names)
	for _, name := range []string{"configBasedExtensionTips", "exeBasedExtensionTips"} {
		d.member(object, name, func(v hujson.Value) { d.each(v, "recommendations", d.names) })
	}
	for _, name := range []string{"remoteExtensionTips", "virtualWorkspaceExtensionTips"} {
		d.member(object, name, func(v hujson.Value) { d.each(v, "extensionId", d.one) })
	}
}

// isLock matches the beginning of a lock.
var isLock = regexp.MustCompile(`^\s*\{\s*"galbuildLock"`)

// lock reads the entries of a lock.
func (p *parser) lock(text []byte, o origin) {
	l, err := lock.Parse(text)
	if err != nil {
		p.problem(o, "%w", err)
		return
	}
	for i := range l.Entries {
		e := &l.Entries[i]
		p.requests = append(p.requests, Request{
			ID: strings.ToLower(e.ID), Version: e.Version, Platform: cmp.Or(e.Platform, catalog.Universal), Entry: e, Source: o.source,
		})
	}
}
