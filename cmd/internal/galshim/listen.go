package galshim

import (
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"

	"galbuild/cmd/internal/hint"
)

// systemdSocket is the value of --listen for the socket that systemd has opened. While galshim
// restarts, connections to it wait and are not refused.
const systemdSocket = "systemd"

// listenSystemd returns the socket in the variables LISTEN_FDS and LISTEN_PID.
func listenSystemd() (net.Listener, error) {
	listeners, err := activation.Listeners()
	switch {
	case err != nil:
		return nil, err
	case len(listeners) == 0:
		return nil, hint.Add(errors.New("--listen=systemd: systemd has passed no socket to this process"),
			"start galshim.socket, which starts galshim.service; galbuild config systemd prints both")
	case len(listeners) > 1 || listeners[0] == nil:
		return nil, hint.Add(fmt.Errorf("--listen=systemd: systemd has passed %d sockets, want one for connections", len(listeners)),
			"galshim.socket must have one line ListenStream")
	}
	return listeners[0], nil
}

// States of a service, as sd_notify(3) describes them.
const (
	stateReady    = daemon.SdNotifyReady
	stateStopping = daemon.SdNotifyStopping
)

// notify tells systemd the state of the service. Without systemd, it does nothing.
func notify(state string, log *slog.Logger) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd was not notified", "state", state, "err", err)
	}
}
