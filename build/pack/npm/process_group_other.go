//go:build !unix

package npm

import "os/exec"

// useProcessGroup does nothing on systems without process groups: only the command itself is
// killed when the context is done.
func useProcessGroup(*exec.Cmd) (kill func()) { return func() {} }
