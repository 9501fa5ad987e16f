package galshim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"galbuild/cmd/internal/hint"
)

// tlsConfig returns the configuration of TLS, or nil for plain HTTP. The second result is the
// SHA-256 fingerprint of a self-signed certificate, or "".
func (c *commandLine) tlsConfig(log *slog.Logger) (*tls.Config, string, error) {
	switch {
	case c.TLSCert != "":
		pair := &keyPair{certFile: c.TLSCert, keyFile: c.TLSKey, log: log}
		if err := pair.load(); err != nil {
			return nil, "", hint.Add(err, "--tls-cert and --tls-key must name PEM files that belong together")
		}
		return &tls.Config{GetCertificate: pair.get}, "", nil
	case c.TLSSelfSigned:
		cert, err := selfSigned(certificateNames(c.Listen, c.BaseURL))
		if err != nil {
			return nil, "", fmt.Errorf("make certificate: %w", err)
		}
		sum := sha256.Sum256(cert.Certificate[0])
		return &tls.Config{Certificates: []tls.Certificate{cert}}, hex.EncodeToString(sum[:]), nil
	}
	return nil, "", nil
}

// A keyPair is a certificate on disk, which may be renewed there. Each new connection checks for
// that with two calls of stat.
type keyPair struct {
	certFile, keyFile string
	log               *slog.Logger
	mu                sync.Mutex
	loaded            [2]fileStamp // of the files when they were read
	cert              *tls.Certificate
}

// A fileStamp changes when the file changes.
type fileStamp struct {
	size int64
	when time.Time
}

// stampOf returns the stamp of a file, or the zero value if there is no file.
func stampOf(file string) fileStamp {
	info, err := os.Stat(file)
	if err != nil {
		return fileStamp{}
	}
	return fileStamp{info.Size(), info.ModTime()}
}

// get returns the certificate. It reads the files again if one of them has changed. If that fails,
// perhaps because only one file has been replaced so far, it returns the old certificate.
func (p *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.loaded == p.stamps() {
		return p.cert, nil
	}
	if err := p.load(); err != nil {
		p.log.Warn("keeping the old certificate", "err", err)
	} else {
		p.log.Info("the certificate has been read again", "file", p.certFile)
	}
	return p.cert, nil
}

func (p *keyPair) stamps() [2]fileStamp {
	return [2]fileStamp{stampOf(p.certFile), stampOf(p.keyFile)}
}

func (p *keyPair) load() error {
	p.loaded = p.stamps()
	cert, err := tls.LoadX509KeyPair(p.certFile, p.keyFile)
	if err != nil {
		return fmt.Errorf("load certificate: %w", err)
	}
	p.cert = &cert
	return nil
}

// certificateNames returns the names and addresses that clients may use for this server.
func certificateNames(listen, baseURL string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if host, _, err := net.SplitHostPort(listen); err == nil && host != "" {
		names = append(names, host)
	}
	if u, err := url.Parse(baseURL); err == nil && u.Hostname() != "" {
		names = append(names, u.Hostname())
	}
	return names
}

// selfSigned makes a certificate that is valid for a month. Clients can trust it as a certificate
// authority, since it has signed itself.
func selfSigned(names []string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "galshim"},
		NotBefore:             time.Now().Add(-time.Hour), // clocks differ
		NotAfter:              time.Now().AddDate(0, 1, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
