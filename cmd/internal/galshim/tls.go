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

// tlsConfig returns how to speak TLS, nil if not at all, and for a certificate
// made here its SHA-256 fingerprint.
func (c *Command) tlsConfig(log *slog.Logger) (*tls.Config, string, error) {
	switch {
	case c.TLSCert != "":
		pair := &keyPair{certFile: c.TLSCert, keyFile: c.TLSKey, log: log}
		if err := pair.load(); err != nil {
			return nil, "", hint.Add(err, "--tls-cert and --tls-key want PEM files that belong together")
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

// keyPair is a certificate on disk that may be renewed there. Whoever connects
// pays for looking: two calls of stat.
type keyPair struct {
	certFile, keyFile string
	log               *slog.Logger
	mu                sync.Mutex
	seen              [2]fileStamp
	cert              *tls.Certificate
}

// fileStamp changes when a file does.
type fileStamp struct {
	size int64
	when time.Time
}

func stampOf(file string) fileStamp {
	info, err := os.Stat(file)
	if err != nil {
		return fileStamp{}
	}
	return fileStamp{info.Size(), info.ModTime()}
}

// get returns the certificate, read again if one of its files has changed. If it
// cannot be, perhaps because only one has been replaced yet, the old one stays.
func (p *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == p.stamps() {
		return p.cert, nil
	}
	if err := p.load(); err != nil {
		p.log.Warn("keeping the old certificate", "err", err)
	} else {
		p.log.Info("certificate read again", "file", p.certFile)
	}
	return p.cert, nil
}

func (p *keyPair) stamps() [2]fileStamp {
	return [2]fileStamp{stampOf(p.certFile), stampOf(p.keyFile)}
}

func (p *keyPair) load() error {
	p.seen = p.stamps()
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

// selfSigned makes a certificate for a month. Clients can also trust it as the authority that has
// signed it.
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
