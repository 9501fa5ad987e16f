package galshim

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"galbuild/build/tokens"
)

// BenchmarkTokens compares requests without tokens, with one in the header, with one in the path,
// and with a thousand in the path, each of which has responses of its own in the caches.
func BenchmarkTokens(b *testing.B) {
	dir := b.TempDir()
	sample{more: 2000, full: true}.write(b, dir)
	path, with := withTokens(b, slog.New(slog.DiscardHandler))
	plain, restricted := open(b, dir, folder{dir}), open(b, dir, folder{dir}, with)
	var clients []string
	lines := tokenLine("alice", alice, "")
	for i := range 1000 {
		clients = append(clients, tokens.New())
		lines += tokenLine(fmt.Sprint("t", i), clients[i], "")
	}
	overwrite(b, path, lines)
	restricted.tokens.next.Store(0)
	for _, coding := range []string{"gzip", "identity"} {
		for _, kind := range kinds(2000) {
			for _, way := range []struct {
				name  string
				g     *testGallery
				token func(i int) string
				bear  bool
			}{
				{"none", plain, nil, false}, {"header", restricted, nil, true},
				{"path", restricted, func(int) string { return alice }, false},
				{"paths", restricted, func(i int) string { return clients[i%len(clients)] }, false},
			} {
				b.Run("kind="+kind.name+"/coding="+coding+"/token="+way.name, func(b *testing.B) {
					for i := 0; b.Loop(); i++ {
						address, header := "https://tools.example", []string{"Accept-Encoding", coding}
						if way.token != nil {
							address += "/t/" + way.token(i)
						}
						if way.bear {
							header = append(header, bearer(alice)...)
						}
						if got := way.g.request(http.MethodPost, address+"/api/extensionquery", kind.bodies[i%len(kind.bodies)], header...); got.StatusCode != http.StatusOK {
							b.Fatal(got.Status)
						}
					}
				})
			}
		}
	}
}
