package check

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"galbuild/build/pack/finding"
)

const packageJSON = "package.json"

// report gathers findings. Each is about a node, which may be absent.
type report struct{ findings []finding.Finding }

func (r *report) error(at *node, way, format string, args ...any) {
	r.findings = append(r.findings, finding.Error(where(at), way, format, args...))
}

func (r *report) warn(at *node, way, format string, args ...any) {
	r.findings = append(r.findings, finding.Warning(where(at), way, format, args...))
}

// general reports what is not about package.json.
func (r *report) general(f finding.Finding) { r.findings = append(r.findings, f) }

func where(at *node) string {
	if at == nil || at.line == 0 {
		return packageJSON
	}
	return fmt.Sprintf("%s:%d", packageJSON, at.line)
}

func (r *report) wrongType(n *node, name, want string) {
	r.error(n, "", "%s is %s, want %s", name, n.typeName(), want)
}

// items returns the items of a list; anything else but absence is an error.
func (r *report) items(n *node, name, want string) []*node {
	if n.absent() {
		return nil
	}
	if n.kind != list {
		r.wrongType(n, name, want)
	}
	return n.items
}

// texts checks that a field, if it is there, is a list of strings, and returns those.
func (r *report) texts(n *node, name string) []*node {
	return r.itemsOf(text, n, name, "a list of strings", "a string")
}

// itemsOf returns the items of the kind, with errors for the others.
func (r *report) itemsOf(kind jsontext.Kind, n *node, name, want, wantItem string) []*node {
	var fit []*node
	for i, v := range r.items(n, name, want) {
		if v.kind == kind {
			fit = append(fit, v)
		} else {
			r.wrongType(v, fmt.Sprintf("%s[%d]", name, i), wantItem)
		}
	}
	return fit
}

// needText returns a string that must be there and not empty.
func (r *report) needText(n *node, name, way string) (string, bool) {
	switch {
	case n.absent():
		r.error(n, way, "%s is missing", name)
	case n.kind != text:
		r.wrongType(n, name, "a string")
	case n.text == "":
		r.error(n, way, "%s is empty", name)
	default:
		return n.text, true
	}
	return "", false
}
