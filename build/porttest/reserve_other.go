//go:build !linux

package porttest

import "net"

// Reserve returns an address of the loopback interface, as HOST:PORT, at which nothing listens.
func Reserve() (address string, release func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	return l.Addr().String(), func() {}, l.Close()
}
