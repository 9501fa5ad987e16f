package cacert

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTrust connects to a server whose authority only the file contains.
func TestTrust(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	file, none := filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "none.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, unknown := range map[string]bool{file: false, "": true} {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		if err := Trust(transport, file); err != nil {
			t.Fatal(err)
		}
		response, err := (&http.Client{Transport: transport}).Get(server.URL)
		if err == nil {
			response.Body.Close()
		}
		if IsUnknown(err) != unknown || (err == nil) == unknown {
			t.Errorf("with %q: got %v", file, err)
		}
	}
	if err := Trust(&http.Transport{}, none); err == nil || !strings.Contains(err.Error(), none) {
		t.Errorf("got %v", err)
	}
	if err := Trust(&http.Transport{}, "cacert_test.go"); err == nil || !strings.Contains(err.Error(), "no PEM certificate") {
		t.Errorf("got %v", err)
	}
}
