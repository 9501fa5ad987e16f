package galshim

import (
	"net/http"
	"runtime"
	"strconv"
	"time"
)

// Patience with clients. See the package comment for what each is good for.
const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second // header and body
	idleTimeout   = 2 * time.Minute
	writeTimeout  = time.Minute // without progress in writing, see pace
	drainTimeout  = 30 * time.Second
	queueTimeout  = 5 * time.Second // for a query to wait for its turn
	retryAfter    = 2 * time.Second // what a query that is shed is told
)

// Sizes in bytes.
const (
	maxHeader      = 64 << 10
	maxBody        = 4 << 20   // a query about ten thousand extensions is 1 MiB
	maxBodies      = 10 << 20  // of all requests together, in memory
	freeBody       = 16 << 10  // of a body, not counted: three hundred names
	maxResponses   = 32 << 20  // of all requests together, in memory: their buffers
	wholeBuffer    = 512 << 10 // a response that fits is sent in one piece
	pieceBuffer    = 64 << 10  // the pieces of a longer one
	maxCompress    = 448 << 10 // of a response that is not joined from compressed fragments; fits wholeBuffer however it compresses
	compressHeld   = 1 << 20   // what a compressor holds, about
	maxPrefix      = 256       // X-Forwarded-Prefix
	maxLogged      = 1 << 10   // of a path or an error in the log
	maxLoggedQuery = 8 << 10
)

// Numbers of things.
const (
	maxConnections = 10_000
	maxWaiting     = 1_000 // queries that wait for their turn
	maxCompressors = 32    // for files; beyond it they are sent as they are
	maxFetches     = 512   // files of a site at a URL that are on their way at a time
)

// HTTP/2 has many requests on one connection: of these, and of all together. What a client
// sends that is not read yet is held for each connection.
const (
	maxStreams    = 100      // requests of a connection
	leastStreams  = 100      // of all; more if there may be many connections, see streamsFor
	fairStreams   = 4        // of a connection, however many others have
	streamBuffer  = 64 << 10 // bytes of bodies that wait to be read, the least that Go allows
	maxFrameBytes = 16 << 10
)

// streamsFor returns how many requests there may be at a time over HTTP/2 where there may be
// so many connections. Each holds as much memory as a connection, and may have a file open.
func streamsFor(connections int) int { return max(leastStreams, connections/4) }

// overloaded is the answer to a query that cannot be served now. Other requests are never
// turned away: editors take other errors for an empty list, or ask more.
func overloaded(w http.ResponseWriter, why error) error {
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	return &failure{http.StatusServiceUnavailable, "the server is busy; try again in a moment", why}
}

// defaultQueries is how many queries are worked on at a time.
func defaultQueries() int { return 4 * runtime.GOMAXPROCS(0) }
