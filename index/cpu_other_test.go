//go:build !linux

package index

import "time"

var start = time.Now()

// threadCPU returns the elapsed time, because the processor time of a thread is not
// available.
func threadCPU() time.Duration { return time.Since(start) }
