// A stand-in for an OpenID Connect provider: it signs in everybody as one person, without asking.

//go:build e2e

package e2e

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// An issuer is a provider at an address of this machine.
type issuer struct {
	*httptest.Server
	key    *rsa.PrivateKey
	mutex  sync.Mutex
	nonces map[string]string // by code
}

// newIssuer starts a provider.
func newIssuer(t *testing.T) *issuer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key, nonces: make(map[string]string)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		sendDocument(w, map[string]any{
			"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		sendDocument(w, map[string]any{"keys": []map[string]string{{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": "AQAB",
		}}})
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func sendDocument(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}

// authorize redirects back with a code.
func (i *issuer) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	code := rand.Text()
	i.mutex.Lock()
	i.nonces[code] = query.Get("nonce")
	i.mutex.Unlock()
	back := url.Values{"code": {code}, "state": {query.Get("state")}}
	http.Redirect(w, r, query.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// token exchanges a code for a signed identity.
func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	i.mutex.Lock()
	nonce, ok := i.nonces[r.FormValue("code")]
	i.mutex.Unlock()
	if !ok {
		http.Error(w, "no such code", http.StatusBadRequest)
		return
	}
	claims := map[string]any{
		"iss": i.URL, "aud": "gallery", "sub": "1", "email": "alice@tools.example", "email_verified": true, "nonce": nonce,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	sendDocument(w, map[string]any{"access_token": "x", "token_type": "Bearer", "expires_in": 3600, "id_token": i.sign(claims)})
}

// sign returns a JSON web token.
func (i *issuer) sign(claims map[string]any) string {
	text := encoded(map[string]any{"alg": "RS256", "kid": "1", "typ": "JWT"}) + "." + encoded(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, i.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func encoded(value map[string]any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
