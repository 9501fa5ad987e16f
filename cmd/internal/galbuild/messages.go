package galbuild

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"galbuild/build/errmsg"
	"galbuild/cmd/internal/terminal"
)

// messages is a log whose records look like the other messages of galbuild:
//
//	galbuild: warning: download is tried again (source: https://host/x.vsix, wait: 1s)
//
// Records of a lower level than warnings are printed only if verbose is set.
type messages struct {
	to      io.Writer
	verbose bool
	attrs   []slog.Attr
}

// Enabled implements [slog.Handler].
func (m messages) Enabled(_ context.Context, level slog.Level) bool {
	return m.verbose || level >= slog.LevelWarn
}

// Handle implements [slog.Handler].
func (m messages) Handle(_ context.Context, r slog.Record) error {
	kind := ""
	if r.Level >= slog.LevelWarn {
		kind = "warning: "
	}
	var details []string
	add := func(a slog.Attr) bool {
		details = append(details, fmt.Sprintf("%s: %s", a.Key, a.Value))
		return true
	}
	for _, a := range m.attrs {
		add(a)
	}
	r.Attrs(add)
	text := r.Message
	if len(details) > 0 {
		text += " (" + strings.Join(details, ", ") + ")"
	}
	_, err := terminal.Fprintf(m.to, "galbuild: %s%s\n", kind, errmsg.Redact(text))
	return err
}

// WithAttrs implements [slog.Handler].
func (m messages) WithAttrs(attrs []slog.Attr) slog.Handler {
	m.attrs = append(m.attrs[:len(m.attrs):len(m.attrs)], attrs...)
	return m
}

// WithGroup implements [slog.Handler]. Groups are not printed.
func (m messages) WithGroup(string) slog.Handler { return m }
