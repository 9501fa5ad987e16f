package galshim

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// memoryShare is how much of a container's memory is Go's. The rest is left for the mapped
// index and the system's buffers.
const memoryShare = 0.8

// limitMemory has the garbage collector keep to the limit of the control group, unless
// GOMEMLIMIT says how far to go, and returns what undoes it.
func limitMemory(log *slog.Logger) (undo func()) {
	before := debug.SetMemoryLimit(-1)
	limit, err := memlimit.Set(memlimit.WithRatio(memoryShare))
	switch {
	case err != nil: // there are no control groups, or they cannot be read
		log.Debug("no memory limit", "err", err)
	case limit < math.MaxInt64:
		_, given := os.LookupEnv("GOMEMLIMIT")
		log.Info("memory limit", "bytes", limit, "from", map[bool]string{true: "GOMEMLIMIT", false: "control group"}[given])
	}
	return func() { debug.SetMemoryLimit(before) }
}
