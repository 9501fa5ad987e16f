package monitoring

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	text, err := Config([]string{"10.0.0.7:9090", "[2001:db8::1]:9090"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`      - targets: ["10.0.0.7:9090","[2001:db8::1]:9090"]` + "\n", "  - " + RulesName + "\n"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, target := range []string{"", "host", "host:", ":9090", "http://host/metrics"} {
		if _, err := Config([]string{target}); err == nil || !strings.Contains(err.Error(), "must be HOST:PORT") {
			t.Errorf("%q: got %v", target, err)
		}
	}
}

// A panel is what the tests read of a panel of the dashboard.
type panel struct {
	ID          int
	Title, Type string
	GridPos     struct{ X, Y, W, H int }
	Targets     []struct{ Expr string }
}

func panels(t *testing.T) []panel {
	t.Helper()
	var dashboard struct{ Panels []panel }
	if err := json.Unmarshal([]byte(Dashboard), &dashboard); err != nil {
		t.Fatal(err)
	}
	if len(dashboard.Panels) < 10 {
		t.Fatalf("%d panels", len(dashboard.Panels))
	}
	return dashboard.Panels
}

// TestDashboard checks that panels have ids of their own and do not overlap, and that each shows
// only the selected galshims.
func TestDashboard(t *testing.T) {
	type cell struct{ x, y int }
	taken, ids := make(map[cell]string), make(map[int]bool)
	for _, p := range panels(t) {
		if ids[p.ID] {
			t.Errorf("%s: its id %d is used twice", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := cell{p.GridPos.X + x, p.GridPos.Y + y}
				if other := taken[at]; other != "" || at.x >= 24 {
					t.Fatalf("%s overlaps %q or the edge at %v", p.Title, other, at)
				}
				taken[at] = p.Title
			}
		}
		if (p.Type == "row") != (len(p.Targets) == 0) {
			t.Errorf("%s: a panel of type %s has %d queries", p.Title, p.Type, len(p.Targets))
		}
		for _, target := range p.Targets {
			if strings.Count(target.Expr, "{") != strings.Count(target.Expr, `{job=~"$job", instance=~"$instance"`) {
				t.Errorf("%s: %s is not restricted to the selected galshims", p.Title, target.Expr)
			}
		}
	}
}
