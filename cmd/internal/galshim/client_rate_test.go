package galshim

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestClientRates checks the limit of a client over time: a burst, then queries at the rate.
func TestClientRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClientRates(2, 5, nil)
		client := netip.MustParseAddr("192.0.2.7")
		count := func() (n int) {
			for c.allows(client) {
				n++
			}
			return n
		}
		if n := count(); n != 5 {
			t.Errorf("%d queries at once, want 5", n)
		}
		time.Sleep(time.Second)
		if n := count(); n != 2 {
			t.Errorf("%d queries after a second, want 2", n)
		}
		time.Sleep(time.Hour)
		if n := count(); n != 5 {
			t.Errorf("%d queries after a pause, want 5", n)
		}
	})
}

// TestClientKey checks which addresses share a limit.
func TestClientKey(t *testing.T) {
	for _, x := range []struct {
		one, other string
		same       bool
	}{
		{"192.0.2.7", "192.0.2.7", true},
		{"192.0.2.7", "::ffff:192.0.2.7", true},
		{"192.0.2.7", "192.0.2.8", false},
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		c := newClientRates(1, 1, nil)
		c.allows(netip.MustParseAddr(x.one))
		if same := !c.allows(netip.MustParseAddr(x.other)); same != x.same {
			t.Errorf("%s and %s share a limit: %t", x.one, x.other, same)
		}
	}
}

// TestClientTable checks that the table is bounded, and forgets the client that has sent nothing
// for the longest time.
func TestClientTable(t *testing.T) {
	c := newClientRates(1, 1, nil)
	for i := range 2 * clientParts * clientsOfPart {
		c.allows(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if n := c.len(); n > clientParts*clientsOfPart || n < clientParts*clientsOfPart*9/10 {
		t.Errorf("the table has %d clients", n)
	}
	if !c.allows(netip.MustParseAddr("10.0.0.0")) {
		t.Error("the first client was not forgotten")
	}
	if last := 2*clientParts*clientsOfPart - 1; c.allows(netip.AddrFrom4([4]byte{10, byte(last >> 16), byte(last >> 8), byte(last)})) {
		t.Error("the last client was forgotten")
	}
}

// TestClientLimit checks that only queries are limited, for each client behind a trusted proxy, and
// that networks can be exempt.
func TestClientLimit(t *testing.T) {
	exempt := []network{{netip.MustParsePrefix("10.9.0.0/16")}, {}}
	proxied := func(c *config) {
		c.addresser = &addresser{trusted: []network{{netip.MustParsePrefix("192.0.2.0/24")}}}
		c.clients = newClientRates(1, 3, exempt)
	}
	g := openSample(t, proxied)
	for _, x := range []struct {
		client, request string
		statuses        string
	}{
		{"198.51.100.1", "POST /api/extensionquery", "200 200 200 503 503"},
		{"198.51.100.2, 192.0.2.44", "POST /vscode/gallery/extensionquery", "200 200 200 503 503"},
		{"6.6.6.6, 198.51.100.1", "POST /_apis/public/gallery/extensionquery", "503 503 503 503 503"}, // the first address is made up
		{"10.9.1.1", "POST /api/extensionquery", "200 200 200 200 200"},
		{"198.51.100.1", "GET /api/vscode/acme/hello/latest", "200 200 200 200 200"},
		{"198.51.100.1", "GET /assets/acme/hello/1.2.3/" + iconType, "200 200 200 200 200"},
		{"198.51.100.1", "OPTIONS /api/extensionquery", "204 204 204 204 204"},
	} {
		var got []string
		method, target, _ := strings.Cut(x.request, " ")
		for range 5 {
			resp := g.request(method, target, emptyPOST, "X-Forwarded-For", x.client)
			got = append(got, fmt.Sprint(resp.StatusCode))
			if retry := resp.Header.Get("Retry-After"); (retry != "") != (resp.StatusCode == 503) {
				t.Errorf("%s: status %d, Retry-After %q", x.request, resp.StatusCode, retry)
			}
		}
		if got := strings.Join(got, " "); got != x.statuses {
			t.Errorf("%s of %s: %s, want %s", x.request, x.client, got, x.statuses)
		}
	}
}

// BenchmarkClientRates measures what --client-rate adds to a query, with clients that differ.
func BenchmarkClientRates(b *testing.B) {
	c := newClientRates(1000, 1000, nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			c.allows(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))
		}
	})
}
