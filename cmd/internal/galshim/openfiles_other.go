//go:build !unix

package galshim

import "math"

// openFiles returns how many files the process can have open.
func openFiles() uint64 { return math.MaxInt32 }
