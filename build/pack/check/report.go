package check

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"galbuild/build/pack/finding"
)

const packageJSON = "package.json"

// report collects findings. Each concerns a node, which may be absent.
type report struct{ findings []finding.Finding }

func (r *report) error(at *node, hint, format string, args ...any) {
	r.findings = append(r.findings, finding.Error(where(at), hint, format, args...))
}

func (r *report) warn(at *node, hint, format string, args ...any) {
	r.findings = append(r.findings, finding.Warning(where(at), hint, format, args...))
}

// add adds a finding that does not concern a field of package.json.
func (r *report) add(f finding.Finding) { r.findings = append(r.findings, f) }

func where(at *node) string {
	if at == nil || at.line == 0 {
		return packageJSON
	}
	return fmt.Sprintf("%s:%d", packageJSON, at.line)
}

func (r *report) wrongType(n *node, name, want string) {
	r.error(n, "", "%s is %s, want %s", name, n.typeName(), want)
}

// items returns the items of a list. It reports a value that is neither absent nor a list.
func (r *report) items(n *node, name, want string) []*node {
	if n.absent() {
		return nil
	}
	if n.kind != list {
		r.wrongType(n, name, want)
	}
	return n.items
}

// texts returns the strings of a list. It reports a value that is neither absent nor a list of
// strings.
func (r *report) texts(n *node, name string) []*node {
	return r.itemsOf(text, n, name, "a list of strings", "a string")
}

// itemsOf returns the items of a kind. It reports the others.
func (r *report) itemsOf(kind jsontext.Kind, n *node, name, want, wantItem string) []*node {
	var matching []*node
	for i, v := range r.items(n, name, want) {
		if v.kind == kind {
			matching = append(matching, v)
		} else {
			r.wrongType(v, fmt.Sprintf("%s[%d]", name, i), wantItem)
		}
	}
	return matching
}

// needText returns a string. It reports a value that is missing, empty or not a string.
func (r *report) needText(n *node, name, hint string) (string, bool) {
	switch {
	case n.absent():
		r.error(n, hint, "%s is missing", name)
	case n.kind != text:
		r.wrongType(n, name, "a string")
	case n.text == "":
		r.error(n, hint, "%s is empty", name)
	default:
		return n.text, true
	}
	return "", false
}
