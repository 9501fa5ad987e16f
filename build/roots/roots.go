// Package roots reads certificates of authorities that are trusted besides the system's,
// for every client there is: of sources, of targets and of galshim.
package roots

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
)

// Trust makes t trust those in a file of PEM certificates. An empty name changes
// nothing.
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
		return fmt.Errorf("CA file %s: no PEM certificate in it", file)
	}
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.TLSClientConfig.RootCAs = pool
	return nil
}

// IsUnknown tells whether err is a certificate of an authority that is not trusted.
func IsUnknown(err error) bool { return errors.As(err, &x509.UnknownAuthorityError{}) }

// Hint is what to do about an error of [IsUnknown].
const Hint = "give the certificate of who signs for it with --ca FILE, or in SSL_CERT_FILE"
