//go:build !unix

package npm

import "os/exec"

// ownGroup does nothing where there are no process groups: the command alone is
// killed when the context is done.
func ownGroup(*exec.Cmd) (killRest func()) { return func() {} }
