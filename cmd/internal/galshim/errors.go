package galshim

import (
	"errors"
	"fmt"
	"net/http"

	"galbuild/build/headers"
	"galbuild/build/jsondoc"
)

// A failure is an error with the status and message of its response. The cause is only logged.
// So is every error that is not a failure: its response has status 500.
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

// sendError writes the response for err, and deletes the headers of the response that failed.
func sendError(w http.ResponseWriter, err error) {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = &failure{status: http.StatusInternalServerError, message: "internal error; see the log of the server"}
	}
	headers.SetError(w.Header())
	sendJSON(w, f.status, map[string]string{"error": f.message})
}

// sendJSON writes a response with a value that can always be encoded.
func sendJSON(w http.ResponseWriter, status int, value any) {
	body, err := jsondoc.Line(value)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}
