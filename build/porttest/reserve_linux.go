package porttest

import (
	"fmt"
	"os"
	"syscall"
)

// Reserve returns an address of the loopback interface, as HOST:PORT, which is reserved until
// release is called.
func Reserve() (address string, release func(), err error) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, os.NewSyscallError("socket", err)
	}
	port, err := bind(socket)
	if err != nil {
		syscall.Close(socket)
		return "", nil, err
	}
	return fmt.Sprintf("127.0.0.1:%d", port), func() { syscall.Close(socket) }, nil
}

// bind binds a socket to a free port, which it shares with sockets that have SO_REUSEADDR too.
func bind(socket int) (port int, err error) {
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, os.NewSyscallError("bind", err)
	}
	name, err := syscall.Getsockname(socket)
	if err != nil {
		return 0, os.NewSyscallError("getsockname", err)
	}
	return name.(*syscall.SockaddrInet4).Port, nil
}
