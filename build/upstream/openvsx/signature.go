package openvsx

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
)

// signatureName is the file of the signature in a signature archive. The archive has other files,
// which Open VSX does not sign: .signature.manifest, with hashes, and .signature.p7s, which is
// empty and exists because VS Code looks for it.
const signatureName = ".signature.sig"

// Verify verifies the signature archive of a package with a public key in PEM, which the registry
// has for all its packages. It proves that the registry, and not only its storage, has published
// these bytes. It says nothing about the publisher.
//
// The signature is Ed25519 over the bytes of the package. Both are in memory, because that needs
// the whole message at once.
//
// Source: createSignatureFile and verifyExtensionVersion in
// https://github.com/eclipse-openvsx/openvsx/blob/2538356dc77e8e2bd95d77c4a09c3a48b0c32acb/server/src/main/java/org/eclipse/openvsx/publish/ExtensionVersionIntegrityService.java
func Verify(archive, publicKey, pkg []byte) error {
	key, err := parseKey(publicKey)
	if err != nil {
		return err
	}
	signature, err := readSignature(archive)
	if err != nil {
		return fmt.Errorf("the signature archive: %w", err)
	}
	if !ed25519.Verify(key, pkg, signature) {
		return errors.New("the signature is not that of this package with this key")
	}
	return nil
}

// parseKey parses an Ed25519 key.
func parseKey(text []byte) (ed25519.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the public key is not in PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the public key cannot be read: %w", err)
	}
	if key, ok := key.(ed25519.PublicKey); ok {
		return key, nil
	}
	return nil, fmt.Errorf("the public key is a %T, want an Ed25519 key", key)
}

// readSignature reads the signature in an archive, and none of its other files.
func readSignature(archive []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	for _, file := range z.File {
		if file.Name != signatureName {
			continue
		}
		r, err := file.Open()
		if err != nil {
			return nil, err
		}
		defer r.Close()
		signature, err := io.ReadAll(io.LimitReader(r, ed25519.SignatureSize+1))
		if err != nil {
			return nil, err
		}
		if len(signature) != ed25519.SignatureSize {
			return nil, fmt.Errorf("%s has not the %d bytes of an Ed25519 signature", signatureName, ed25519.SignatureSize)
		}
		return signature, nil
	}
	return nil, fmt.Errorf("it has no %s", signatureName)
}
