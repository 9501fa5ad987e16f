package galshim

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// acked returns how many bytes the other end of a TCP connection has acknowledged.
func acked(conn net.Conn) (n int64, ok bool) {
	info := tcpInfo(conn)
	if info == nil {
		return 0, false
	}
	return int64(info.Bytes_acked), true
}

// sinceReceived returns the time since bytes arrived at a TCP connection the last time, whether or
// not they have been read.
func sinceReceived(conn net.Conn) (d time.Duration, ok bool) {
	info := tcpInfo(conn)
	if info == nil {
		return 0, false
	}
	return time.Duration(info.Last_data_recv) * time.Millisecond, true
}

// tcpInfo returns what the system knows about a TCP connection, or nil for another connection.
func tcpInfo(conn net.Conn) (info *unix.TCPInfo) {
	tcp, isTCP := conn.(*net.TCPConn)
	if !isTCP {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	if err != nil {
		return nil
	}
	return info
}
