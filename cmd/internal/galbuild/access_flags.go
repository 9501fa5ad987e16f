package galbuild

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"galbuild/build/regularfile"
	"galbuild/build/tokens"
	"galbuild/cmd/internal/hint"
)

// tokenFileFlag names the file with the token of the client for which a command prints settings.
type tokenFileFlag struct {
	TokenFile string `complete:"path" placeholder:"FILE" help:"File with the token of the editor's user, as galbuild token new prints it; or - for standard input. The printed addresses have the token."`
}

// maxTokenFile is the size of the largest file with a token.
const maxTokenFile = 1 << 10

// read returns the token, or "" if there is none.
func (f tokenFileFlag) read(e *env) (string, error) {
	if f.TokenFile == "" {
		return "", nil
	}
	text, err := f.text(e)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if !tokens.Is(token) {
		err := errors.New("must have one token: gal_ and 43 characters")
		return "", hint.Add(fmt.Errorf("--token-file=%s: %w", f.TokenFile, err), "galbuild token new NAME --file TOKENS > NAME.token makes one; TOKENS has hashes only")
	}
	return token, nil
}

func (f tokenFileFlag) text(e *env) ([]byte, error) {
	if f.TokenFile == "-" {
		return io.ReadAll(io.LimitReader(e.stdin, maxTokenFile))
	}
	return regularfile.ReadFile(f.TokenFile, maxTokenFile)
}
