package galshim

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writePair writes a new certificate and its key into dir, and returns the certificate.
func writePair(t *testing.T, dir string) []byte {
	t.Helper()
	cert, err := selfSigned([]string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalECPrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})))
	overwrite(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: key})))
	return cert.Certificate[0]
}

// age sets the modification time of a file to testTime plus a duration.
func age(t *testing.T, file string, by time.Duration) {
	t.Helper()
	if err := os.Chtimes(file, testTime, testTime.Add(by)); err != nil {
		t.Fatal(err)
	}
}

// TestRenewedCertificate replaces a certificate. galshim must use the old one until the new one is
// complete, and then the new one at once.
func TestRenewedCertificate(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	var lines bytes.Buffer
	first := writePair(t, dir)
	c := commandLine{TLSCert: certFile, TLSKey: keyFile}
	config, _, err := c.tlsConfig(slog.New(slog.NewTextHandler(&lines, nil)))
	if err != nil {
		t.Fatal(err)
	}
	shown := func() []byte {
		cert, err := config.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return cert.Certificate[0]
	}
	if !bytes.Equal(shown(), first) {
		t.Error("not the certificate of the files")
	}
	second := writePair(t, dir)
	oldKey, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, keyFile, "half")
	age(t, keyFile, time.Hour)
	for range 3 {
		if !bytes.Equal(shown(), first) {
			t.Error("a certificate without its key is used")
		}
	}
	if n := strings.Count(lines.String(), "keeping the old certificate"); n != 1 {
		t.Errorf("%d warnings, want 1:\n%s", n, &lines)
	}
	overwrite(t, keyFile, string(oldKey))
	age(t, keyFile, 2*time.Hour)
	if !bytes.Equal(shown(), second) {
		t.Error("not the new certificate")
	}
}

func TestSelfSigned(t *testing.T) {
	c := commandLine{TLSSelfSigned: true, Listen: "192.0.2.5:8443", BaseURL: "https://gallery.test:8443/x"}
	config, fingerprint, err := c.tlsConfig(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := blobTag(cert.Raw); fingerprint != want {
		t.Errorf("fingerprint %s, want %s", fingerprint, want)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "192.0.2.5", "gallery.test"} {
		if _, err := cert.Verify(x509.VerifyOptions{DNSName: host, Roots: roots}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, err := cert.Verify(x509.VerifyOptions{DNSName: "evil.test", Roots: roots}); err == nil {
		t.Error("valid for evil.test")
	}
}

func TestInvalidKeyPair(t *testing.T) {
	dir := t.TempDir()
	writePair(t, dir)
	key := filepath.Join(dir, "key.pem")
	for _, cert := range []string{key, filepath.Join(dir, "none.pem")} {
		c := commandLine{TLSCert: cert, TLSKey: key}
		if _, _, err := c.tlsConfig(slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s is accepted as a certificate", cert)
		}
	}
	var none *tls.Config
	if config, _, err := new(commandLine).tlsConfig(slog.New(slog.DiscardHandler)); config != none || err != nil {
		t.Errorf("without flags: %v, %v, want plain HTTP", config, err)
	}
}
