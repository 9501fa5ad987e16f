// Package porttest reserves TCP ports for tests in which a program must listen at an address that
// is known before it starts, or at which nothing must listen.
//
// A port that a test has found to be free, by listening at port 0 and closing the listener, may be
// given to any other program before the test uses it. On Linux, a reserved port is held by a
// socket that does not listen: the system gives it to nobody who asks for any free port, but a
// program that asks for this port may listen there, if it sets SO_REUSEADDR as servers do. Until
// then, connections are refused. Other systems allow no second socket, so there the address is only
// one at which nothing listened a moment ago.
package porttest

import "testing"

// Address returns an address of the loopback interface, as HOST:PORT, which is reserved until the
// test ends.
func Address(t testing.TB) string {
	t.Helper()
	address, release, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return address
}
