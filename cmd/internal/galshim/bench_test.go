package galshim

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkServe asks over connections that are kept, as editors do. Beside each
// kind of question stands a handler that writes the same bytes from memory: what
// net/http alone costs.
func BenchmarkServe(b *testing.B) {
	dir := b.TempDir()
	sample{more: 10_000, padding: 2000}.write(b, dir)
	g := open(b, dir, folder{dir})
	var check []string
	for i := range 60 {
		check = append(check, fmt.Sprintf(`{"filterType":7,"value":"many.n%d"}`, i*151))
	}
	const rest = `{"filterType":8,"value":"Microsoft.VisualStudio.Code"},{"filterType":12,"value":"4096"}],"pageNumber":1,"pageSize":%d,"sortBy":%d,"sortOrder":0}],"assetTypes":[],"flags":950}`
	for _, x := range []struct{ name, body string }{
		{"popular", `{"filters":[{"criteria":[` + fmt.Sprintf(rest, 50, 4)},
		{"text", `{"filters":[{"criteria":[{"filterType":10,"value":"número"},` + fmt.Sprintf(rest, 50, 0)},
		{"check", `{"filters":[{"criteria":[` + strings.Join(check, ",") + "," + fmt.Sprintf(rest, 60, 0)},
		{"one", `{"filters":[{"criteria":[{"filterType":7,"value":"acme.hello"},` + fmt.Sprintf(rest, 1, 0)},
	} {
		answer := text(b, g.ask("POST", "/api/extensionquery", x.body))
		b.Run(x.name+"/of=memory", func(b *testing.B) { askRepeatedly(b, memory(answer), x.body, "") })
		b.Run(x.name+"/of=galshim", func(b *testing.B) { askRepeatedly(b, g, x.body, "") })
		b.Run(x.name+"/of=galshim-gzip", func(b *testing.B) { askRepeatedly(b, g, x.body, "Accept-Encoding: gzip\r\n") })
	}
}

// memory reads the question and gives the one answer it knows.
func memory(answer string) http.Handler {
	body := []byte(answer)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	})
}

// askRepeatedly asks on one connection for each processor, with a client that
// does no more than it must.
func askRepeatedly(b *testing.B, h http.Handler, body, header string) {
	srv := httptest.NewServer(h)
	defer srv.Close()
	question := fmt.Sprintf("POST /api/extensionquery HTTP/1.1\r\nHost: gallery.test\r\n%sContent-Length: %d\r\n\r\n%s", header, len(body), body)
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		stream := bufio.NewReaderSize(conn, 256<<10)
		for pb.Next() {
			if err := askOnce(conn, stream, question); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func askOnce(conn net.Conn, stream *bufio.Reader, question string) error {
	if _, err := io.WriteString(conn, question); err != nil {
		return err
	}
	length := 0
	for {
		line, err := stream.ReadSlice('\n')
		if err != nil {
			return err
		}
		if n, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(n)); err != nil {
				return err
			}
		}
		if len(line) == 2 {
			_, err := stream.Discard(length)
			return err
		}
	}
}
