package vet

import (
	"strings"
	"sync"
	"testing"
)

func TestLookAlikes(t *testing.T) {
	// The ids are in parts, so that this file does not name what it looks for.
	gallery := []string{"acme.notes", "acme.tool", "globex.reports"}
	for _, c := range []struct {
		id, displayName string
		want            Severity // 0: nothing is found
	}{
		{"ms-pyth" + "0n.python", "", High},                                 // a digit for a letter
		{"rnonokai.theme-monokai-pro-vscode", "", High},                     // rn for m
		{"ms-pyhton.python", "", High},                                      // two letters are swapped
		{"esbenp1.prettier-vscode", "", High},                               // a letter more
		{"es-benp.prettiervscode", "", High},                                // separators
		{"esbenp-official.prettier-vscode", "", High},                       // the publisher is a part
		{"prettier-vscode.esbenp", "", High},                                // swapped
		{"dbaeurner.vscode-eslint", "", High},                               // rn for m
		{"mallory.helper", "Pretti\u0435r - Code formatter", High},          // a Cyrillic letter
		{"mallory.prettier-vscode", "Prettier - Code formatter", High},      // name and display name
		{"mallory.prettier-vscode-plus", "Prettier - Code formatter", High}, // name as a part, and display name
		{"acrne.notes", "", High},                                           // like one of the gallery
		{"acme-inc.notes", "", 0},                                           // acme is too short to be a name by itself
		{"gl0bex.reports", "", High},
		{"reports.globex", "", High},
		{"mallory.prettier-vscode", "", Medium}, // a fork, perhaps
		{"mallory.material-icon-theme", "", Medium},

		{"ms-python.python", "Python", 0}, // itself
		{"ms-python.pythons", "", 0},      // of the same publisher
		{"ms-vscode-remote.remote-sshd", "", 0},
		{"acme.tools", "", 0}, // a family
		{"acme.note", "", 0},
		{"mallory.python", "", 0}, // a common name
		{"initech.python", "Python for Initech", 0},
		{"initech.reports", "", 0},
		{"globe.viewer", "", 0},
		{"initech.notes-theme", "Notes Theme", 0},
		{"gradle.java8", "", 0},
		{"initech.x", "Привет мир", 0}, // a name in another alphabet
	} {
		found := NewNames(append(gallery, c.id), Popular()).LookAlikes(c.id, c.displayName)
		if got := Worst(found); got != c.want {
			t.Errorf("%s %q: %v, want %v: %+v", c.id, c.displayName, got, c.want, found)
		}
	}
}

func TestPopular(t *testing.T) {
	ids := Popular()
	if len(ids) < 300 {
		t.Errorf("%d popular extensions, want at least 300", len(ids))
	}
	for _, id := range ids {
		if strings.Count(id, ".") != 1 || strings.ContainsAny(id, " \t") {
			t.Errorf("%q is not the id of an extension", id)
		}
		if found := NewNames(ids, ids).LookAlikes(id, ""); len(found) > 0 {
			t.Errorf("%s: %+v", id, found)
		}
	}
}

// TestSimultaneousNames compares ids in several goroutines, for the race detector.
func TestSimultaneousNames(t *testing.T) {
	names := NewNames([]string{"acme.hello", "acme.notes"}, nil)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if found := names.LookAlikes("acrne.hello", ""); len(found) != 1 {
				t.Errorf("%+v", found)
			}
		})
	}
	group.Wait()
}
