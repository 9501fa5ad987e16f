package porttest

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
)

// TestReserve checks that nobody but a program that asks for the port gets it, and that connections
// are refused until that program listens.
func TestReserve(t *testing.T) {
	address := Address(t)
	// Like a socket that gets any free port, it shares its port with no other.
	exclusive := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(c.Control(func(socket uintptr) {
			err = syscall.SetsockoptInt(int(socket), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 0)
		}), err)
	}}
	if l, err := exclusive.Listen(context.Background(), "tcp", address); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("another program: %v, %v, want that the port is in use", l, err)
	}
	if _, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("before a program listens: %v, want that the connection is refused", err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
