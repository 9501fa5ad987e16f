package dropbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"galbuild/publish/target/internal/rest"
)

const tokenURL = "https://api.dropboxapi.com/oauth2/token"

// renewBefore is how long before it expires an access token is renewed.
const renewBefore = 5 * time.Minute

// tokens holds the access token, and renews it if there is a refresh token.
type tokens struct {
	client  *rest.Client
	renewal url.Values // the form of a renewal request; nil without a refresh token
	mu      sync.Mutex
	access  string
	until   time.Time // when to renew the token
}

func newTokens(client *rest.Client, c Config) (*tokens, error) {
	t := &tokens{client: client, access: orEnv(c.Token, "DROPBOX_TOKEN")}
	if refresh := orEnv(c.RefreshToken, "DROPBOX_REFRESH_TOKEN"); refresh != "" {
		key := orEnv(c.AppKey, "DROPBOX_APP_KEY")
		if key == "" {
			return nil, errors.New("dropbox: a refresh token needs the key of its app; set DROPBOX_APP_KEY")
		}
		t.renewal = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {key}}
		if secret := orEnv(c.AppSecret, "DROPBOX_APP_SECRET"); secret != "" {
			t.renewal.Set("client_secret", secret)
		}
	}
	if t.access == "" && t.renewal == nil {
		return nil, errors.New("dropbox: there is no token; set DROPBOX_TOKEN, or DROPBOX_REFRESH_TOKEN and DROPBOX_APP_KEY")
	}
	return t, nil
}

func orEnv(value, name string) string {
	if value == "" {
		value = strings.TrimSpace(os.Getenv(name))
	}
	return value
}

func (t *tokens) get(ctx context.Context) (string, error) {
	if t.renewal == nil {
		return t.access, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Now().Before(t.until) {
		return t.access, nil
	}
	var granted struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	form := t.renewal.Encode()
	err := t.client.Do(ctx, rest.Request{
		Method: http.MethodPost, URL: tokenURL, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(form)), nil }, Size: int64(len(form)),
	}, rest.JSON(&granted))
	if rest.IsStatus(err, http.StatusBadRequest) || rest.IsStatus(err, http.StatusUnauthorized) {
		return "", errors.New("the refresh token is not accepted; set DROPBOX_REFRESH_TOKEN, and DROPBOX_APP_KEY and DROPBOX_APP_SECRET to those of its app")
	}
	if err != nil {
		return "", fmt.Errorf("renew the token: %w", err)
	}
	t.access, t.until = granted.Token, time.Now().Add(time.Duration(granted.Seconds)*time.Second-renewBefore)
	return t.access, nil
}
