package galbuild

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"aead.dev/minisign"
	"golang.org/x/term"

	"galbuild/build/history"
	"galbuild/build/signkey"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
)

// keyFlags name the secret key of commands that sign.
type keyFlags struct {
	SignKey          string `type:"existingfile" placeholder:"FILE" help:"Sign with this minisign secret key. Its password is read from the variable GALBUILD_SIGN_PASSWORD, --sign-password-file or the terminal."`
	SignPasswordFile string `type:"existingfile" placeholder:"FILE" help:"File with the password of the key."`

	secret *minisign.PrivateKey // what key has returned
}

// key returns the key to sign with, or nil if there is none. It reads the key once.
func (k *keyFlags) key(e *env) (*minisign.PrivateKey, error) {
	if k.secret != nil {
		return k.secret, nil
	}
	var err error
	k.secret, err = secretKey{k.SignKey, k.SignPasswordFile, "GALBUILD_SIGN_PASSWORD", "--sign-password-file"}.read(e)
	return k.secret, err
}

// secretKey is the file of a secret key, and where its password is.
type secretKey struct {
	file, passwordFile string
	variable, flag     string // the environment variable with the password, and the flag of its file
}

// read returns the key, or nil if there is none.
func (k secretKey) read(e *env) (*minisign.PrivateKey, error) {
	if k.file == "" {
		return nil, nil
	}
	key, err := signkey.ReadSecret(k.file, func() (string, error) { return k.password(e) })
	if errors.Is(err, signkey.ErrPassword) {
		err = hint.Add(err, "minisign -G makes keys; the password is taken from %s, $%s or the terminal", k.flag, k.variable)
	}
	return key, err
}

// password returns the password of the key, from a file, the environment or the terminal.
func (k secretKey) password(e *env) (string, error) {
	if k.passwordFile != "" {
		text, err := os.ReadFile(k.passwordFile)
		return string(bytes.TrimRight(text, "\r\n")), err
	}
	if password, ok := os.LookupEnv(k.variable); ok {
		return password, nil
	}
	f, ok := e.stdin.(interface {
		Fd() uintptr
		fs.File
	})
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", hint.Add(fmt.Errorf("%s: the key has a password", k.file), "set $%s, or name a file with %s", k.variable, k.flag)
	}
	terminal.Fprintf(e.stderr, "Password of %s: ", k.file)
	text, err := term.ReadPassword(int(f.Fd()))
	terminal.Fprintln(e.stderr)
	return string(text), err
}

// signFlags are the flags of commands that make a generation current.
type signFlags struct {
	keyFlags
	Unsigned bool `help:"Go on without a signature, although the head of the history is signed."`

	sign func(last, head history.Head) (history.Head, error) // see signer
}

// errMustSign is returned if the last head of a history is signed and the next one would not be.
var errMustSign = errors.New("the head of the history is signed, and no key was given to sign the next one")

// signer returns the function that signs the heads of a history, for [site.Commit]. It reads the
// key once and at once, so that a wrong password is an error before anything is done.
func (s *signFlags) signer(e *env) (func(last, head history.Head) (history.Head, error), error) {
	if s.sign != nil {
		return s.sign, nil
	}
	if s.Unsigned && s.SignKey != "" {
		return nil, errUsage{errors.New("--sign-key and --unsigned: give one of them")}
	}
	key, err := s.key(e)
	if err != nil {
		return nil, err
	}
	if key == nil {
		s.sign = s.refuseUnsigned
		return s.sign, nil
	}
	signer, err := history.NewSigner(*key)
	if err != nil {
		return nil, err
	}
	s.sign = func(_, head history.Head) (history.Head, error) { return head.Sign(signer) }
	return s.sign, nil
}

// refuseUnsigned returns the head without a signature, unless the last one has one.
func (s *signFlags) refuseUnsigned(last, head history.Head) (history.Head, error) {
	if last.IsSigned() && !s.Unsigned {
		return history.Head{}, hint.Add(errMustSign, "sign with --sign-key FILE, or go on without signatures with --unsigned; nothing has changed")
	}
	return head, nil
}
