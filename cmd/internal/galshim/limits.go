package galshim

import (
	"net/http"
	"runtime"
	"strconv"
	"time"
)

// Time limits.
const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second // for header and body
	idleTimeout   = 2 * time.Minute
	writeTimeout  = time.Minute            // for writing without progress, see pace
	slowTimeout   = 2 * time.Second        // for writing to a client that reads nothing, while others need the memory
	bufferTimeout = 100 * time.Millisecond // for a response that waits for the buffer of one that was cut off
	drainTimeout  = 30 * time.Second
	queueTimeout  = 5 * time.Second        // for a query that waits for its turn
	overloadAfter = 500 * time.Millisecond // for a query until galshim begins with it, see overload
	overloadLog   = 10 * time.Second       // between two lines of the log about queries that were refused
	retryAfter    = 2 * time.Second        // Retry-After of a refused query
	chunkWait     = 10 * time.Second       // for a request that waits for chunks of the index
	chunkTimeout  = 5 * time.Minute        // for the download of a chunk

	backgroundRetry = 5 * time.Second // after a download that failed and that no request needs
)

// Sizes in bytes.
const (
	maxHeader      = 32 << 10  // the default of nginx
	maxBody        = 4 << 20   // a query about ten thousand extensions is 1 MiB
	maxBodies      = 10 << 20  // all bodies together, in memory
	freeBody       = 16 << 10  // of each body, not counted in maxBodies; enough for 300 names
	maxResponses   = 32 << 20  // buffers of all responses together
	wholeBuffer    = 512 << 10 // buffer for a response that is sent at once
	pieceBuffer    = 64 << 10  // buffer for the pieces of a longer response
	maxCompress    = 448 << 10 // JSON that is compressed when it is sent; the result always fits wholeBuffer
	compressBytes  = 1 << 20   // memory of a compressor, about
	maxCached      = 4 << 20   // responses in a cache together; two hundred compressed lists of fifty extensions
	maxCachedBody  = pieceBuffer
	maxCachedJSON  = wholeBuffer
	minCachedJSON  = 8 << 10  // JSON of a response in a cache; fragments of less fit in two packets
	maxPrefix      = 256      // length of X-Forwarded-Prefix
	maxMissingPage = 64 << 10 // the page for addresses that have none, in memory
	fillBuffer     = 4 << 10  // of a readme at a time, see filler
	maxLogged      = 1 << 10  // length of a path or an error in the log
	maxLoggedQuery = 8 << 10
)

// Counts.
const (
	maxConnections    = 10_000
	maxWaiting        = 1_000 // waiting queries
	maxCompressors    = 32    // for files; others are sent uncompressed
	maxCachedHits     = 200   // extensions of a response in a cache
	maxFetches        = 512   // concurrent requests to a published site for blobs
	maxChunkFetches   = 16    // concurrent requests to a published site for chunks of the index
	backgroundFetches = 4     // of them, those for chunks that no request needs yet
	chunkTries        = 3     // downloads of chunks for a request
	backgroundPause   = 9     // after a chunk was checked in the background, in times of what that took
)

// Encoding for the caches.
const (
	// cachedLevel makes responses as short as level 9 of zlib does, in a third of the time.
	cachedLevel = 8
	// cachePause allows a tenth of one processor.
	cachePause = 9
)

// Limits of HTTP/2, which allows many requests on one connection. For each connection, Go keeps the
// bytes in memory that the client has sent and galshim has not read yet.
const (
	maxStreams    = 100      // requests of a connection
	leastStreams  = 100      // requests of all connections, at least; see streamsFor
	fairStreams   = 4        // requests that each connection may have in any case
	streamBuffer  = 64 << 10 // bytes of bodies that wait to be read; the smallest value that Go allows
	maxFrameBytes = 16 << 10
)

// streamsFor returns the limit of concurrent requests over HTTP/2 for a limit of connections. Each
// needs as much memory as a connection, and may open a file.
func streamsFor(connections int) int { return max(leastStreams, connections/4) }

// busyMessage is the message of a query that is refused.
const busyMessage = "the server is busy; try again in a moment"

// overloaded is the response to a query that cannot be served now. Only queries get it:
// after other errors, editors show an empty list or send more requests.
func overloaded(w http.ResponseWriter, why error) error {
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	return &failure{http.StatusServiceUnavailable, busyMessage, why}
}

// defaultQueries returns the default of --max-queries.
func defaultQueries() int { return 4 * runtime.GOMAXPROCS(0) }
