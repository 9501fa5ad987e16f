// Package errmsg returns error messages for people who do not program in Go: without the names of
// system calls and packages, and without words such as EOF. The texts of the operating system, such
// as "no such file or directory", stay as they are.
package errmsg

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	"galbuild/build/tokens"
)

// Error returns err with the text of [Text]. It is nil if err is nil.
func Error(err error) error {
	if err == nil {
		return nil
	}
	return &reworded{Text(err), err}
}

// A reworded error has another text than the error it wraps.
type reworded struct {
	text string
	err  error
}

func (e *reworded) Error() string { return e.text }

func (e *reworded) Unwrap() error { return e.err }

// Text returns the text of an error in plain words, which names each file, folder and address
// once, and contains no passwords of addresses and no tokens. The error must not be nil.
func Text(err error) string {
	text := err.Error()
	each(err, func(err error) {
		if plain := phrase(err); plain != "" {
			text = strings.ReplaceAll(text, err.Error(), plain)
		}
	})
	for _, p := range phrases {
		text = p.pattern.ReplaceAllString(text, p.plain)
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = nameOnce(lines[i])
	}
	return Redact(strings.Join(lines, "\n"))
}

// password matches a password in an address, such as https://user:password@host. Its second group
// is the password, which may contain an @ that should have been escaped.
var password = regexp.MustCompile(`(//[^/\s:@"]*:)([^/\s"]*)(@)`)

// Redact returns a text with the passwords of addresses in it replaced, as [url.URL.Redacted] does,
// and with tokens of galleries masked.
func Redact(text string) string {
	return string(tokens.Mask(password.ReplaceAll([]byte(text), []byte("${1}xxxxx$3"))))
}

// each calls do with err and with all errors that it wraps, the outer ones first.
func each(err error, do func(error)) {
	do(err)
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		if inner := err.Unwrap(); inner != nil {
			each(inner, do)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range err.Unwrap() {
			each(inner, do)
		}
	}
}

// phrase returns the text of an error of the standard library without the names of functions and
// system calls, or "" for other errors. The text contains that of the wrapped error, which is
// replaced afterwards.
func phrase(err error) string {
	switch e := err.(type) {
	case *fs.PathError:
		return e.Path + ": " + e.Err.Error()
	case *os.LinkError:
		return e.New + ": " + e.Err.Error()
	case *os.SyscallError:
		return e.Err.Error()
	case *strconv.NumError:
		return fmt.Sprintf("%q is not a number in range", e.Num)
	case *url.Error:
		if errors.Is(e.Err, io.EOF) || errors.Is(e.Err, io.ErrUnexpectedEOF) {
			return e.URL + ": the connection was closed"
		}
		return e.URL + ": " + e.Err.Error()
	case *tls.CertificateVerificationError:
		return "the certificate is not trusted: " + e.Err.Error()
	case *net.DNSError:
		if e.IsNotFound {
			return fmt.Sprintf("there is no host %q", e.Name)
		}
		return fmt.Sprintf("the address of the host %q cannot be looked up: %s", e.Name, e.Err)
	case *net.OpError:
		return operation(e)
	}
	return ""
}

// operation returns the text of a network error with the address of the server, and without the
// local address.
func operation(e *net.OpError) string {
	if _, ok := errors.AsType[*net.DNSError](e.Err); ok || e.Addr == nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %s", e.Addr, e.Err)
}

// A replacement is a text of Go's libraries, and what is written instead.
type replacement struct {
	pattern *regexp.Regexp
	plain   string
}

// phrases are texts of errors that have no type of their own.
var phrases = []replacement{
	{regexp.MustCompile(` \(possibly because of ".*?" while trying to verify candidate authority certificate ".*?"\)`), ""},
	{regexp.MustCompile(`net/http: HTTP/1\.x transport connection broken: `), ""},
	{regexp.MustCompile(`malformed HTTP (?:response|status code|version|status line) (".*?")`), "the server does not speak HTTP, it sends $1"},
	{regexp.MustCompile(`http: server gave HTTP response to HTTPS client`), "the server speaks http, not https"},
	{regexp.MustCompile(`tls: first record does not look like a TLS handshake`), "the server does not speak TLS"},
	{regexp.MustCompile(`net/http: TLS handshake timeout|net/http: timeout awaiting response headers|context deadline exceeded(?: \(Client\.Timeout.*?\))?|\bi/o timeout`), "it took too long"},
	{regexp.MustCompile(`server closed idle connection|http: server closed idle connection`), "the connection was closed"},
	{regexp.MustCompile(`\bunexpected EOF\b`), "it ends too early"},
	{regexp.MustCompile(`(^|: )EOF$`), "${1}it ends too early"},
	{regexp.MustCompile(`(^|[\s(])(?:x509|tls|net/http|archive/tar): (\w)`), "$1$2"},
	{regexp.MustCompile(`(^|[\s(])(?:http: (server|request|no|invalid|nil)|gzip: (invalid))\b`), "$1$2$3"},
}

// nameOnce removes the parts of a text, separated by colons, that only repeat a name of another
// part.
func nameOnce(text string) string {
	parts := strings.Split(text, ": ")
	var result []string
	for i, part := range parts {
		before, rest := strings.Join(result, ": "), strings.Join(parts[i+1:], ": ")
		switch {
		case before == "" && strings.ContainsAny(part, "/.:") && names(rest, part):
		case isName(part) && (names(rest, part) || names(before, part)):
		case rest != "" && !strings.Contains(part, " ") && strings.HasSuffix(before, " "+part):
		default:
			result = append(result, part)
		}
	}
	return strings.Join(result, ": ")
}

// names reports whether a text contains a name that is not a part of a longer one.
func names(text, name string) bool {
	for {
		i := strings.Index(text, name)
		if i < 0 {
			return false
		}
		before, after := text[:i], text[i+len(name):]
		if !endsInName(before) && (after == "" || !strings.ContainsAny(after[:1], nameBytes)) {
			return true
		}
		text = after
	}
}

const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

func endsInName(text string) bool {
	return text != "" && strings.ContainsAny(text[len(text)-1:], nameBytes)
}

// isName reports whether a part of a text is the name of a file or the address of a server.
func isName(part string) bool {
	return strings.ContainsAny(part, "/.:") && !strings.ContainsAny(part, " \"")
}
