package deploy

import (
	_ "embed" // nginx_access.conf.tmpl
	"errors"

	"galbuild/build/headers"
	"galbuild/build/tokens"
)

//go:embed nginx_access.conf.tmpl
var nginxAccessText string

// defaultAccessLog is where packages of nginx have the access log.
const defaultAccessLog = "/var/log/nginx/access.log"

// restrict changes the data for a gallery that not everybody may read.
func (d *nginxData) restrict() {
	d.CacheMap, d.ReferrerMap = "galbuild_cache", "galbuild_referrer"
	if !d.Tokens {
		return
	}
	d.CacheMap, d.ReferrerMap = d.Own+"_cache", d.Own+"_referrer" // other galleries have other values
	d.Token = tokens.Pattern
	for i := range d.Rules {
		d.Rules[i].Cache = headers.PrivateCache(d.Rules[i].Cache)
	}
	if d.AccessLog == "" {
		d.AccessLog = defaultAccessLog
	}
}

// checkAccess checks the fields about clients.
func (n Nginx) checkAccess() error {
	if n.ClientCA != "" && n.Cert == "" {
		return errors.New("client CA: clients send their certificates only over TLS, which needs a certificate and key of the server")
	}
	if n.AccessLog != "" && !n.Tokens {
		return errors.New("access log: only the configuration for tokens has one")
	}
	if n.Tokens && n.Cache > 0 {
		return errors.New("cache: responses to clients with tokens are private, and keys of the cache would have the tokens; leave out the cache or the tokens")
	}
	if err := checkPath("client CA", n.ClientCA); err != nil {
		return err
	}
	return checkPath("access log", n.AccessLog)
}
