//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority is a private authority with one certificate, for 127.0.0.1.
type authority struct {
	ca   string // PEM files
	cert string
	key  string
	spki string // base64 SHA-256 of the public key, as in Chromium's flag
	pool *x509.CertPool
}

// newAuthority makes an authority, and writes its certificate, and a certificate with its key.
func newAuthority(t testing.TB, dir string) authority {
	t.Helper()
	caKey, leafKey := newKey(t), newKey(t)
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Acme Private CA"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, 30),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "gallery"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafPEM := certify(t, leaf, ca, &leafKey.PublicKey, caKey)
	caPEM := certify(t, ca, ca, &caKey.PublicKey, caKey)
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatalf("encode key: %v", err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&leafKey.PublicKey)
	if err != nil {
		t.Fatalf("encode public key: %v", err)
	}
	sum := sha256.Sum256(spki)
	a := authority{
		ca:   writePEM(t, dir, "ca.pem", caPEM),
		cert: writePEM(t, dir, "cert.pem", leafPEM),
		key:  writePEM(t, dir, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
		spki: base64.StdEncoding.EncodeToString(sum[:]),
		pool: x509.NewCertPool(),
	}
	a.pool.AppendCertsFromPEM(caPEM)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	return key
}

func certify(t testing.TB, cert, parent *x509.Certificate, key *ecdsa.PublicKey, signer *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, key, signer)
	if err != nil {
		t.Fatalf("make the certificate of %s: %v", cert.Subject, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func writePEM(t testing.TB, dir, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// client returns an HTTP client that trusts the authority. It neither follows redirects nor
// decompresses bodies, so that a test sees the response as it was sent.
func (a authority) client() *http.Client {
	return &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.pool}, DisableCompression: true},
	}
}
