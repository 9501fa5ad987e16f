package history

import (
	"encoding/base64"
	"errors"
	"fmt"

	"aead.dev/minisign"
	"golang.org/x/mod/sumdb/note"
)

// NewVerifier returns a minisign public key as a key for heads.
func NewVerifier(key minisign.PublicKey) (note.Verifier, error) {
	// The text of a key is the base64 of two bytes for the algorithm, eight for the ID, and
	// the key.
	raw, err := base64.StdEncoding.DecodeString(key.String())
	if err != nil || len(raw) < 10 {
		return nil, errors.New("not a minisign public key")
	}
	text, err := note.NewEd25519VerifierKey(fmt.Sprintf("minisign/%016X", key.ID()), raw[10:])
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(text)
}

// signer signs heads with a minisign secret key.
type signer struct {
	note.Verifier
	key minisign.PrivateKey
}

// NewSigner returns a minisign secret key as a key that signs heads.
func NewSigner(key minisign.PrivateKey) (note.Signer, error) {
	public, ok := key.Public().(minisign.PublicKey)
	if !ok {
		return nil, errors.New("not a minisign secret key")
	}
	verifier, err := NewVerifier(public)
	if err != nil {
		return nil, err
	}
	return signer{verifier, key}, nil
}

// Sign implements [note.Signer].
func (s signer) Sign(text []byte) ([]byte, error) {
	var signature minisign.Signature
	if err := signature.UnmarshalText(minisign.SignWithComments(s.key, text, "", "")); err != nil {
		return nil, err
	}
	return signature.Signature[:], nil
}
