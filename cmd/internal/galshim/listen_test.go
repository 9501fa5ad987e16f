package galshim

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestListenSystemd checks the errors for what systemd may pass. An e2e test passes a socket.
func TestListenSystemd(t *testing.T) {
	for name, tt := range map[string]struct {
		pid   int
		count string
		want  string
	}{
		"nothing":              {0, "", "systemd has passed no socket"},
		"for another process":  {os.Getpid() + 1, "1", "systemd has passed no socket"},
		"not a number of them": {os.Getpid(), "x", "systemd has passed no socket"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("LISTEN_PID", strconv.Itoa(tt.pid))
			t.Setenv("LISTEN_FDS", tt.count)
			if l, err := listen(systemdSocket); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v, want %s", l, err, tt.want)
			}
		})
	}
}
