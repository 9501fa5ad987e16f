package galshim

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/version"
)

// gcPercent is the value of GOGC, if it is not set. The heap is only a few MB, since the index is
// not part of it. With 200, clients that do not read their responses let the memory grow to 130
// MiB, with 120 to 100 MiB.
const gcPercent = 120

// run serves until ctx ends or a signal ends the process.
func (c *commandLine) run(ctx context.Context, stderr io.Writer) error {
	if _, set := os.LookupEnv("GOGC"); !set {
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	lines := &lineWriter{out: stderr}
	defer lines.end()
	log := c.logger(lines)
	defer limitMemory(log)()
	if os.Geteuid() == 0 {
		log.Warn("running as root, which galshim does not need: run it as a user that can only read the site")
	}
	return c.serveSite(ctx, stop, lines, log)
}

// serveSite opens the site and its views, and serves them until ctx ends.
func (c *commandLine) serveSite(ctx context.Context, stop func(), lines *lineWriter, log *slog.Logger) error {
	from, err := c.source(log)
	if err != nil {
		return err
	}
	trusted, err := c.newTrust(log)
	if err != nil {
		return err
	}
	if c.StatsLog != "" {
		c.counter = newCounter(c.StatsLog, log)
		c.counter.start()
		defer c.counter.close()
	}
	generations := newLive(from, trusted, log)
	defer generations.close()
	stopMetrics, err := c.observe(generations, log)
	if err != nil {
		return err
	}
	defer stopMetrics()
	if err := generations.poll(ctx); err != nil {
		return err
	}
	if err := c.openViews(ctx, generations, log); err != nil {
		return err
	}
	defer c.closeViews()
	srv, listener, err := c.listen(generations, log)
	if err != nil {
		return err
	}
	lines.flush() // scripts wait for the line with the address
	notify(stateReady, log)
	var following sync.WaitGroup
	generations.followSignals(ctx, c.Reload, &following)
	for _, view := range c.views {
		view.followSignals(ctx, c.Reload, &following)
	}
	defer following.Wait()
	defer stop() // before following.Wait
	return serve(ctx, stop, srv, listener, drainTimeout, log)
}

// followSignals calls follow in the background, with a signal for each SIGHUP.
func (l *live) followSignals(ctx context.Context, interval time.Duration, running *sync.WaitGroup) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	running.Go(func() {
		defer signal.Stop(hup)
		l.follow(ctx, interval, hup)
	})
}

// listen returns a server for the gallery and its listener, and logs the address.
func (c *commandLine) listen(generations *live, log *slog.Logger) (*http.Server, net.Listener, error) {
	secure, fingerprint, err := c.tlsConfig(log)
	if err != nil {
		return nil, nil, err
	}
	connections := cmp.Or(c.MaxConnections, connectionsFor(openFiles()))
	handler, err := c.handler(generations, connections, log)
	if err != nil {
		return nil, nil, err
	}
	listener, err := listen(c.Listen)
	if hint.Has(err) {
		return nil, nil, err
	} else if err != nil {
		return nil, nil, hint.Add(fmt.Errorf("listen: %w", err), "name another address with --listen HOST:PORT; with port 0, galshim takes any free port")
	}
	warnOfBase(generations.now.Load(), handler.tokens, log)
	c.logListening(generations, address(listener, secure != nil), fingerprint, log)
	srv := newHTTPServer(handler, secure, log)
	srv.RegisterOnShutdown(func() { generations.stopping.Store(true) })
	limited := limitConnections(listener, srv, connections)
	if m := generations.metrics; m != nil {
		m.observe(handler, limited)
	}
	return srv, limited, nil
}

// handler returns the handler that the flags describe, for a number of connections.
func (c *commandLine) handler(generations *live, connections int, log *slog.Logger) (*server, error) {
	known, err := openTokens(c.Tokens, log)
	if err != nil {
		return nil, err
	}
	return newServer(config{
		live: generations, views: c.views, addresser: newAddresser(c.BaseURL, c.TrustedProxy, log), content: c.ContentURL,
		files: !c.NoFiles, accelRedirect: c.AccelRedirect, tokens: known,
		queries: cmp.Or(c.MaxQueries, defaultQueries()), streams: streamsFor(connections), stall: writeTimeout, slow: slowTimeout, late: overloadAfter,
		clients: newClientRates(c.ClientRate, c.ClientBurst, c.ClientExempt),
		counter: c.counter, metrics: generations.metrics, log: log, noQueryLog: c.NoLogQueries,
	})
}

// logListening logs what is served at which address. fingerprint is that of a self-signed
// certificate, or "".
func (c *commandLine) logListening(generations *live, address, fingerprint string, log *slog.Logger) {
	g := generations.now.Load()
	attrs := []any{"addr", address, "generation", g.Generation, "extensions", g.ix.Len(), "files", !c.NoFiles, "version", version.String()}
	if head := generations.trust.served(); head != nil {
		attrs = append(attrs, "head", head.Number, "signed", date(*head))
	}
	if len(c.views) > 0 {
		attrs = append(attrs, "views", len(c.views))
	}
	if c.BaseURL != "" {
		attrs = append(attrs, "base", c.BaseURL)
	}
	if fingerprint != "" {
		attrs = append(attrs, "sha256", fingerprint)
	}
	log.Info("listening", attrs...)
}

func newHTTPServer(handler http.Handler, secure *tls.Config, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		TLSConfig:         secure,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       bodyTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReadFrameSize:              maxFrameBytes,
			MaxReceiveBufferPerConnection: streamBuffer,
			MaxReceiveBufferPerStream:     streamBuffer,
			WriteByteTimeout:              writeTimeout, // a pace ends only requests, not their connection
		},
		ConnContext: withConn,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// serve serves requests until ctx ends. Then it waits for running requests until the timeout. A
// second signal ends the process at once.
func serve(ctx context.Context, stop func(), srv *http.Server, listener net.Listener, timeout time.Duration, log *slog.Logger) error {
	failed := make(chan error, 1)
	go func() {
		if srv.TLSConfig != nil {
			failed <- srv.ServeTLS(listener, "", "")
		} else {
			failed <- srv.Serve(listener)
		}
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		stop()
	}
	log.Info("stopping")
	notify(stateStopping, log)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	err := srv.Shutdown(drain)
	if err != nil {
		log.Warn("running requests were cut off", "after", timeout)
		err = srv.Close()
	}
	<-failed
	return err
}

// listen listens at HOST:PORT, at unix:PATH or at the socket of systemd. It removes the socket of a
// process that was killed.
func listen(where string) (net.Listener, error) {
	if where == systemdSocket {
		return listenSystemd()
	}
	file, ok := strings.CutPrefix(where, "unix:")
	if !ok {
		return net.Listen("tcp", where)
	}
	listener, err := net.Listen("unix", file)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return listener, err
	}
	if info, statErr := os.Lstat(file); statErr != nil || info.Mode().Type() != fs.ModeSocket {
		return nil, err
	}
	if conn, dialErr := net.Dial("unix", file); dialErr == nil {
		conn.Close()
		return nil, err
	}
	if err := os.Remove(file); err != nil {
		return nil, err
	}
	return net.Listen("unix", file)
}

// address returns the address of a listener as a URL.
func address(l net.Listener, secure bool) string {
	switch {
	case l.Addr().Network() == "unix":
		return "unix:" + l.Addr().String()
	case secure:
		return "https://" + l.Addr().String()
	}
	return "http://" + l.Addr().String()
}
