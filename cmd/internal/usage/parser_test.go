package usage

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestNewParser checks that help texts are filled in and are otherwise those of Kong, and that Kong
// does not get them.
func TestNewParser(t *testing.T) {
	type command struct {
		Old string `help:"${old}."`
		Run struct {
			To string `arg:"" help:"To ${place} or ${place}."`
		} `cmd:"" help:"Run to ${place}." aliases:"go"`
	}
	options := []kong.Option{kong.Name("prog"), kong.Description("Goes to $place."), kong.DefaultEnvars("PROG")}
	texts := map[string]string{"place": "a ${place}", "old": "old"}
	if _, err := NewParser(new(command), texts, options...); err == nil || !strings.Contains(err.Error(), "To a ${place}") && !strings.Contains(err.Error(), "Run to a ${place}") {
		t.Errorf("a variable in a text: %v", err)
	}
	if _, err := NewParser(new(command), nil, options...); err == nil {
		t.Error("a name without a text is not an error")
	}
	texts["place"] = "there"
	got, err := NewParser(new(command), texts, options...)
	if err != nil {
		t.Fatal(err)
	}
	want, err := kong.New(new(command), append(options, kong.Vars(texts))...)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := helpTexts(t, got), helpTexts(t, want); !slices.Equal(a, b) {
		t.Errorf("got %q\nwant %q", a, b)
	}
	if _, err := got.Parse([]string{"go", "x"}); err != nil {
		t.Error(err)
	}
}

func helpTexts(t *testing.T, k *kong.Kong) (all []string) {
	t.Helper()
	node := k.Model.Node
	for _, n := range append(node.Leaves(false), node) {
		all = append(all, n.Help)
		for _, f := range slices.Concat(n.AllFlags(false)...) {
			all = append(all, f.Help)
		}
		for _, p := range n.Positional {
			all = append(all, p.Help)
		}
	}
	return all
}
