//go:build unix

package npm

import (
	"os/exec"
	"syscall"
)

// useProcessGroup starts a command in a process group of its own. When the context is done,
// the group gets SIGTERM. kill sends SIGKILL to the processes that remain.
func useProcessGroup(cmd *exec.Cmd) (kill func()) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	return func() {
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	}
}
