//go:build !linux

package index

import "time"

var start = time.Now()

// threadCPU returns the time, where that of a thread is not known.
func threadCPU() time.Duration { return time.Since(start) }
