// Package cacert adds certificate authorities to those of the system. The HTTP clients for sources,
// for targets and of galshim use it.
package cacert

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
)

// Trust makes t trust the PEM certificates in a file, in addition to those of the system. If file
// is "", it has no effect.
func Trust(t *http.Transport, file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the CA file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("CA file %s contains no PEM certificate", file)
	}
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.TLSClientConfig.RootCAs = pool
	return nil
}

// IsUnknown reports whether an error is about a certificate of an unknown authority.
func IsUnknown(err error) bool { return errors.As(err, &x509.UnknownAuthorityError{}) }

// Hint is the hint for an error for which [IsUnknown] is true.
const Hint = "give the certificate of its authority with --ca FILE, or in SSL_CERT_FILE"
