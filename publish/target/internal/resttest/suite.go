package resttest

import (
	"crypto/rand"
	"net/http"
	"os"
	"strings"
	"testing"

	"galbuild/publish/target"
	"galbuild/publish/target/targettest"
)

// A Suite runs the suite of package targettest for a client.
type Suite struct {
	Kind target.Kind
	// Fake returns a fake server without objects.
	Fake func(t *testing.T) http.Handler
	// Open returns a client of a fake server.
	Open func(t *testing.T, h http.Handler) target.Target
	// Large is the size of the large object, as in [targettest.Options], on a server with
	// faults.
	Large int64
	// Variable is an environment variable. If it is set, it names a folder on a real server, in
	// the form that an address of the kind has after its scheme.
	Variable string
}

// Run runs the suite on the fake server with and without faults, and on the real server.
func (s Suite) Run(t *testing.T) {
	t.Run("Fake", func(t *testing.T) {
		targettest.Run(t, targettest.Options{}, func(t *testing.T) target.Target { return s.Open(t, s.Fake(t)) })
	})
	t.Run("Faulty", func(t *testing.T) {
		targettest.Run(t, targettest.Options{Large: s.Large}, func(t *testing.T) target.Target { return s.Open(t, Faulty(s.Fake(t))) })
	})
	if folder := os.Getenv(s.Variable); folder != "" {
		t.Run("Real", func(t *testing.T) {
			targettest.Run(t, targettest.Options{Large: 1 << 30}, func(t *testing.T) target.Target { return s.real(t, folder) })
		})
	}
}

// real returns a new folder below the one on the real server. It is emptied after the test.
func (s Suite) real(t *testing.T, folder string) target.Target {
	at, err := s.Kind.Open(s.Kind.Parse(s.Kind.Schemes[0], strings.TrimRight(folder, "/")+"/"+rand.Text()), target.Env{})
	if err != nil {
		t.Fatalf("%s=%s: %v", s.Variable, folder, err)
	}
	t.Cleanup(func() { Empty(t, at) })
	return at
}

// Object returns an object of plain text.
func Object(key, text string) target.Object {
	return target.Bytes(key, "text/plain", target.Immutable, []byte(text))
}

// Put stores an object.
func Put(t *testing.T, at target.Target, o target.Object) {
	t.Helper()
	if err := at.Put(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

// Get returns the content of an object.
func Get(t *testing.T, at target.Target, key string) string {
	t.Helper()
	r, err := at.Get(t.Context(), key, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := target.ReadAll(r, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
