//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"galbuild/build/porttest"
	"galbuild/cmd/e2e/toolchain"
)

// BenchmarkMonday starts ten thousand editors, as on a Monday morning: nginx with the printed
// configuration and galshim respond to the recorded requests of each, see startFile. Every editor
// has a connection of its own, and 200 of them start at a time, because a worker of nginx has 512
// connections by default. An operation is one such morning. p50-ms, p99-ms and max-ms are of the
// times of single requests, with the time to connect, and requests/s is the rate of all. errors are
// responses with another status than 200 and 204. The clients run on the same processors.
func BenchmarkMonday(b *testing.B) {
	dir, tools := b.TempDir(), toolchain.Tools(b)
	s := suite{tools: tools, commands: compile(b, filepath.Join(dir, "bin")), dir: dir, authority: newAuthority(b, dir)}
	for _, name := range startExtensions {
		packFolder(b, s, filepath.Join("..", "..", "testdata", "samples", name))
	}
	address := porttest.Address(b)
	g := newGallery(b, s.commands, s.authority.client(), filepath.Join(dir, "gallery"), "http://"+address, "", filepath.Join(dir, "vsix"))
	g.serve(b, "--base-url", g.base)
	g.startNginx(b, tools, s.commands.config(b, "nginx", g.site, "--base-url", g.base, "--shim", host(b, g.shim)))
	m := morning{address: address}
	for _, r := range readStart(b) {
		m.requests = append(m.requests, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: VSCode 1.139.1 (code-server)\r\nContent-Length: %d\r\n\r\n%s", r.Method, r.Path, address, len(r.Body), r.Body))
	}
	var took []time.Duration
	for b.Loop() {
		took = append(took, m.run(b)...)
	}
	slices.Sort(took)
	for name, of := range map[string]int{"p50-ms": len(took) / 2, "p99-ms": len(took) * 99 / 100, "max-ms": len(took) - 1} {
		b.ReportMetric(float64(took[of].Microseconds())/1e3, name)
	}
	b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64(m.errors.Load()), "errors")
}

const (
	mondayEditors = 10_000
	mondayAtOnce  = 200
)

// A morning is the start of all editors.
type morning struct {
	address  string
	requests []string
	errors   atomic.Int64
}

// run starts all editors, and returns the times of their requests.
func (m *morning) run(b *testing.B) []time.Duration {
	editors := make(chan struct{}, mondayEditors)
	for range mondayEditors {
		editors <- struct{}{}
	}
	close(editors)
	all := make([][]time.Duration, mondayAtOnce)
	var running sync.WaitGroup
	for i := range all {
		running.Go(func() {
			for range editors {
				took, err := m.start()
				if all[i] = append(all[i], took...); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	return slices.Concat(all...)
}

// start sends the requests of an editor, each after the response to the one before.
func (m *morning) start() (took []time.Duration, err error) {
	begin := time.Now()
	conn, err := net.Dial("tcp", m.address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stream := bufio.NewReader(conn)
	for _, request := range m.requests {
		if _, err := io.WriteString(conn, request); err != nil {
			return took, err
		}
		response, err := http.ReadResponse(stream, nil)
		if err != nil {
			return took, err
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return took, err
		}
		if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusNoContent {
			m.errors.Add(1)
		}
		took = append(took, time.Since(begin))
		begin = time.Now()
	}
	return took, nil
}
