package delivery

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

func newStore(t *testing.T) *store {
	t.Helper()
	s, err := openStore(filepath.Join(t.TempDir(), "site"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	return s
}

// generation returns a name of a generation.
func generation(n int) string { return blob.Sum(fmt.Append(nil, n)).String()[:16] }

// deliver notes tarballs, each of which has a generation of its own.
func deliver(t *testing.T, s *store, numbers ...int) {
	t.Helper()
	for _, n := range numbers {
		d := Delivered{Name: fmt.Sprintf("g-%d.tar", n), Generation: generation(n)}
		if err := s.begin(d, []byte("listing\n"), &catalog.Catalog{}); err != nil {
			t.Fatal(err)
		}
		if err := s.finish(); err != nil {
			t.Fatal(err)
		}
	}
}

// names returns the numbers of tarballs.
func names(all []Delivered) string {
	var numbers []string
	for _, d := range all {
		numbers = append(numbers, strings.TrimSuffix(strings.TrimPrefix(d.Name, "g-"), ".tar"))
	}
	return strings.Join(numbers, " ")
}

func TestBases(t *testing.T) {
	s := newStore(t)
	check := func(arrived, last string) {
		t.Helper()
		for since, want := range map[Since]string{SinceArrived: arrived, SinceLast: last, SinceNothing: ""} {
			if got := names(s.bases(since)); got != want {
				t.Errorf("since %s: got %q, want %q", since, got, want)
			}
		}
	}
	check("", "")
	deliver(t, s, 1, 2)
	check("", "2")
	if _, err := s.arrived("g-1.tar"); err != nil {
		t.Fatal(err)
	}
	check("1 2", "2")
	deliver(t, s, 3)
	check("1 2 3", "3")
	if _, err := s.arrived("g-3.tar"); err != nil {
		t.Fatal(err)
	}
	check("3", "3")
	if err := s.begin(Delivered{Name: "g-4.tar", Generation: generation(4)}, nil, &catalog.Catalog{}); err != nil {
		t.Fatal(err)
	}
	check("3", "3") // it is not complete
	if s.unfinished() == nil || s.last().Name != "g-3.tar" {
		t.Errorf("unfinished %v, last %v", s.unfinished(), s.last())
	}
	if _, err := s.arrived("g-4.tar"); !errors.Is(err, ErrUnknownExport) {
		t.Errorf("a tarball that is not complete has arrived: %v", err)
	}
}

// TestArrived checks the names of tarballs that have arrived.
func TestArrived(t *testing.T) {
	s := newStore(t)
	for name, ok := range map[string]bool{
		"g-1.tar": true, "/media/usb/g-1.tar": true, "g-1.tar.SHA256SUMS": true, "g-1.tar.SHA256SUMS.minisig": true,
		"g-1.tar.001": true, "g-1.tar.012": true, generation(1): true,
		"g-1.tar.01": false, "g-1": false, "g-1.tar.md": false, "": false, generation(9): false,
	} {
		s.all = []Delivered{{Name: "g-1.tar", Generation: generation(1), Written: true}}
		if d, err := s.arrived(name); (err == nil) != ok || ok && d.Name != "g-1.tar" || !ok && !errors.Is(err, ErrUnknownExport) {
			t.Errorf("%q: got %v, %v", name, d, err)
		}
	}
}

// TestStoreAgain checks that the store keeps its list, and the files of no other generations.
func TestStoreAgain(t *testing.T) {
	root := filepath.Join(t.TempDir(), "site")
	s, err := openStore(root)
	if err != nil {
		t.Fatal(err)
	}
	deliver(t, s, 1, 2)
	if _, err := openStore(root); !errors.Is(err, ErrRunning) {
		t.Errorf("opened twice: %v", err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Arrived(root, "g-2.tar"); err != nil {
		t.Fatal(err)
	}
	if s, err = openStore(root); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if got := names(s.bases(SinceArrived)); got != "2" {
		t.Errorf("bases: %s", got)
	}
	files, err := os.ReadDir(s.at.Name())
	if err != nil || len(files) != 3 || !strings.HasPrefix(files[0].Name(), generation(2)) {
		t.Errorf("%v, %v", files, err)
	}
	if c, err := s.catalog(generation(2)); err != nil || len(c.Extensions) != 0 {
		t.Errorf("the catalogue: %v, %v", c, err)
	}
}

// TestForget checks that the list does not grow without limit, and keeps what has arrived.
func TestForget(t *testing.T) {
	s := &store{all: []Delivered{{Name: "g-1.tar", Written: true, Arrived: true}}}
	for n := 2; n < 40; n++ {
		s.forget()
		s.all = append(s.all, Delivered{Name: fmt.Sprintf("g-%d.tar", n), Written: true})
	}
	got := s.bases(SinceArrived)
	if len(got) != maxPending || got[0].Name != "g-1.tar" || got[1].Name != "g-21.tar" {
		t.Errorf("%d bases: %s", len(got), names(got))
	}
}

func TestDamagedStore(t *testing.T) {
	root := filepath.Join(t.TempDir(), "site")
	folder := filepath.Join(root, ".galbuild", "delivered")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "exports.json"), []byte("[{"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := openStore(root)
	if err == nil || !strings.Contains(err.Error(), "exports.json is not complete JSON") || !strings.Contains(err.Error(), "the next tarball has the whole gallery") {
		t.Errorf("got %v", err)
	}
}
