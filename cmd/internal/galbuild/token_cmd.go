package galbuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"text/tabwriter"
	"time"

	"galbuild/build/similar"
	"galbuild/build/tokens"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/usage"
)

type tokenCmd struct {
	New    tokenNewCmd    `cmd:"" help:"Make a token and print it. It is printed only once: the file has its hash."`
	List   tokenListCmd   `cmd:"" help:"List the tokens of a file by name."`
	Revoke tokenRevokeCmd `cmd:"" help:"Remove a token from a file. galshim refuses it within a second."`
}

// tokenFlags are the flags of the commands about tokens.
type tokenFlags struct {
	File string `required:"" complete:"path" placeholder:"FILE" help:"File of the tokens, which galshim --tokens reads. A new one can be read by its owner only; an existing one keeps its owner and mode."`
}

type tokenNewCmd struct {
	Name string `arg:"" help:"Name of the token in lists and logs, such as that of a person or machine: letters, digits and . _ @ -."`
	tokenFlags
	Until string `placeholder:"DAY" help:"Last day of the token, in UTC, such as 2027-01-31 (default: it works until it is revoked)."`
	View  string `placeholder:"NAME" help:"Only for this view of the gallery."`
}

// Validate implements Kong's hook.
func (t *tokenNewCmd) Validate() error {
	if t.Name != "" && !tokens.IsName(t.Name) { // Kong says that a name is missing
		return fmt.Errorf("name %q: want up to 64 letters, digits and . _ @ -, with a letter or digit first", t.Name)
	}
	if t.View != "" && !tokens.IsName(t.View) {
		return fmt.Errorf("--view=%s: must be the name of a view", t.View)
	}
	if t.Until == "" {
		return nil
	}
	until, err := tokens.ParseDay(t.Until)
	if err != nil {
		return fmt.Errorf("--until: %w", err)
	}
	if (tokens.Token{Until: until}).Expired(time.Now()) {
		return fmt.Errorf("--until=%s: is in the past", t.Until)
	}
	return nil
}

// newToken is the JSON document of token new.
type newToken struct {
	Name  string `json:"name"`
	Token string `json:"token"`
	Until string `json:"until,omitempty"`
	View  string `json:"view,omitempty"`
}

// Run makes a token.
func (t *tokenNewCmd) Run(ctx context.Context, e *env) error {
	made := tokens.Token{Name: t.Name, View: t.View}
	if t.Until != "" {
		made.Until, _ = tokens.ParseDay(t.Until) // checked by Validate
	}
	text, err := tokens.Add(ctx, t.File, made)
	if errors.Is(err, tokens.ErrExists) {
		return hint.Add(err, "galbuild token revoke %s --file %s ends the old token", t.Name, t.File)
	}
	if err != nil {
		return err
	}
	if e.json {
		return e.printJSON(newToken{t.Name, text, t.Until, t.View})
	}
	if _, err := terminal.Fprintln(e.stdout, text); err != nil {
		return hint.Add(err, "nobody has seen the token: galbuild token revoke %s --file %s, then make another one", t.Name, t.File)
	}
	if !e.quiet {
		terminal.Fprintf(e.stderr, "%s: added %s; this is the only time that its token is printed\naddress for editors: the gallery's address and /t/TOKEN\n", t.File, t.Name)
	}
	return nil
}

type tokenListCmd struct{ tokenFlags }

// listedToken is a token in the JSON document of token list.
type listedToken struct {
	Name    string `json:"name"`
	Until   string `json:"until,omitempty"`
	View    string `json:"view,omitempty"`
	Expired bool   `json:"expired"`
}

// Run lists the tokens.
func (t *tokenListCmd) Run(e *env) error {
	set, err := tokens.Read(t.File)
	if err != nil {
		return explainTokens(err, t.File)
	}
	listed := []listedToken{}
	for _, token := range set.All() {
		l := listedToken{Name: token.Name, View: token.View, Expired: token.Expired(time.Now())}
		if !token.Until.IsZero() {
			l.Until = token.Until.Format(time.DateOnly)
		}
		listed = append(listed, l)
	}
	if e.json {
		return e.printJSON(map[string][]listedToken{"tokens": listed})
	}
	return printTokens(e, listed)
}

func printTokens(e *env, listed []listedToken) error {
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	for _, l := range listed {
		state := "until it is revoked"
		switch {
		case l.Expired:
			state = "expired on " + l.Until
		case l.Until != "":
			state = "until " + l.Until
		}
		if l.View != "" {
			state += ", only for the view " + l.View
		}
		terminal.Fprintf(table, "%s\t%s\n", l.Name, state)
	}
	return table.Flush()
}

type tokenRevokeCmd struct {
	Name string `arg:"" help:"Name of the token."`
	tokenFlags
}

// Run removes a token.
func (t *tokenRevokeCmd) Run(ctx context.Context, e *env) error {
	if err := tokens.Revoke(ctx, t.File, t.Name); errors.Is(err, tokens.ErrUnknown) {
		return t.unknown(err)
	} else if err != nil {
		return explainTokens(err, t.File)
	}
	if e.json {
		return e.printJSON(map[string]string{"revoked": t.Name})
	}
	_, err := terminal.Fprintf(e.stdout, "revoked %s\n", t.Name)
	return err
}

// unknown adds the most similar name to the error for a name that the file does not have.
func (t *tokenRevokeCmd) unknown(err error) error {
	set, failed := tokens.Read(t.File)
	if failed != nil {
		return errors.Join(err, failed)
	}
	var names []string
	for _, token := range set.All() {
		names = append(names, token.Name)
	}
	return hint.Add(fmt.Errorf("%w%s", err, similar.Question(t.Name, names)), "galbuild token list --file %s prints all names", t.File)
}

// explainTokens adds a hint to the error for a file of tokens that cannot be read.
func explainTokens(err error, file string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return hint.Add(fmt.Errorf("%w%s", err, usage.SimilarFiles(file)), "galbuild token new NAME --file %s makes the file", file)
	}
	return err
}
