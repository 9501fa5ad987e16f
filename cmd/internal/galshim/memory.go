package galshim

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// memoryShare is the share of a container's memory that Go may use. The rest is for the index,
// which is not in Go's heap, and for the system's buffers.
const memoryShare = 0.8

// limitMemory sets Go's memory limit from the limit of the control group, unless GOMEMLIMIT
// is set. It returns a function that undoes this.
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
