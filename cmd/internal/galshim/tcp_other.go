//go:build !linux

package galshim

import (
	"net"
	"time"
)

// acked returns how many bytes the other end of a connection has acknowledged. This system
// does not report it.
func acked(net.Conn) (n int64, ok bool) { return 0, false }

// sinceReceived returns the time since bytes arrived at a connection the last time. This system
// does not report it.
func sinceReceived(net.Conn) (d time.Duration, ok bool) { return 0, false }
