package galshim

import (
	"errors"
	"net/http"
	"net/netip"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// errClientRate is the error of a query of a client that has sent too many.
var errClientRate = errors.New("this client has sent more queries than --client-rate allows")

// Limits of the table of clients. Together, its parts have a few MiB: about 250 bytes for each
// client.
const (
	clientParts    = 64
	clientsOfPart  = 1024
	clientBitsIPv6 = 64 // of an address; a client with a network of its own has all of it
)

// clientRates limits the queries of each client, by its address. An address of IPv6 stands for its
// network of 64 bits. If the table is full, the client that has sent nothing for the longest time
// is forgotten. The table has parts with a lock each, so that clients rarely wait for each other.
// The nil clientRates limits nothing.
type clientRates struct {
	rate   rate.Limit
	burst  int
	exempt []network
	parts  [clientParts]clientPart
}

// A clientPart has the clients whose address has the same hash.
type clientPart struct {
	mu      sync.Mutex
	clients *simplelru.LRU[netip.Addr, *rate.Limiter]
}

// newClientRates returns a limit of queries a second; nil if it is 0.
func newClientRates(perSecond int, burst int, exempt []network) *clientRates {
	if perSecond == 0 {
		return nil
	}
	c := &clientRates{rate: rate.Limit(perSecond), burst: burst, exempt: exempt}
	for i := range c.parts {
		clients, err := simplelru.NewLRU[netip.Addr, *rate.Limiter](clientsOfPart, nil)
		if err != nil {
			panic(err) // the size is not positive
		}
		c.parts[i].clients = clients
	}
	return c
}

// allows reports whether a client may send another query. A client without an address, at a Unix
// socket without a forwarded address, is not limited: all clients would share a limit.
func (c *clientRates) allows(client netip.Addr) bool {
	if c == nil || !client.IsValid() || contains(c.exempt, client) {
		return true
	}
	key := clientKey(client)
	part := &c.parts[hashOf(key)%clientParts]
	part.mu.Lock()
	defer part.mu.Unlock()
	limiter, ok := part.clients.Get(key)
	if !ok {
		limiter = rate.NewLimiter(c.rate, c.burst)
		part.clients.Add(key, limiter)
	}
	return limiter.Allow()
}

// clientKey returns the address that stands for a client.
func clientKey(client netip.Addr) netip.Addr {
	client = client.Unmap().WithZone("")
	if client.Is4() {
		return client
	}
	network, err := client.Prefix(clientBitsIPv6)
	if err != nil {
		return client
	}
	return network.Addr()
}

// hashOf returns a hash of an address (FNV-1a). Whoever chooses addresses that share a part only
// makes their own clients wait for each other.
func hashOf(a netip.Addr) uint32 {
	hash := uint32(2166136261)
	for _, b := range a.As16() {
		hash = (hash ^ uint32(b)) * 16777619
	}
	return hash
}

// len returns the number of clients in the table.
func (c *clientRates) len() (n int) {
	if c == nil {
		return 0
	}
	for i := range c.parts {
		part := &c.parts[i]
		part.mu.Lock()
		n += part.clients.Len()
		part.mu.Unlock()
	}
	return n
}

// limitClient returns an error for a query of a client that has sent too many.
func (s *server) limitClient(w *reply, r *http.Request) error {
	if s.clients.allows(s.addresser.clientAddress(r)) {
		return nil
	}
	return overloaded(w, errClientRate)
}
