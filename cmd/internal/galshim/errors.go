package galshim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// failure is an error the client is told of, with its status. Its cause is for
// the log, and so is every other error: the client is told of a 500.
type failure struct {
	status  int
	message string
	cause   error
}

func (f *failure) Error() string {
	if f.cause != nil {
		return f.message + ": " + f.cause.Error()
	}
	return f.message
}

func (f *failure) Unwrap() error { return f.cause }

func notFound(format string, args ...any) error {
	return &failure{status: http.StatusNotFound, message: fmt.Sprintf(format, args...)}
}

// sendError writes err as the answer, in place of what had been prepared.
func sendError(w http.ResponseWriter, err error) {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = &failure{status: http.StatusInternalServerError, message: "the server failed; its log says why"}
	}
	h := w.Header()
	for _, key := range []string{"Accept-Ranges", "Content-Disposition", "Content-Encoding", "Content-Length", "Content-Security-Policy", "Etag"} {
		h.Del(key)
	}
	h.Set("Cache-Control", "no-store") // what is not there now may be there soon
	sendJSON(w, f.status, map[string]string{"error": f.message})
}

// sendJSON writes a small value that always marshals.
func sendJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}
