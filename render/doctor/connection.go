package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"galbuild/build/retry"
)

// proxy returns the proxy through which requests go, or "".
func (x *examination) proxy() string {
	u, err := http.ProxyFromEnvironment(&http.Request{URL: x.host})
	if err != nil || u == nil {
		return ""
	}
	return u.Redacted()
}

// port returns the port of the gallery.
func (x *examination) port() string {
	switch {
	case x.host.Port() != "":
		return x.host.Port()
	case x.host.Scheme == "https":
		return "443"
	}
	return "80"
}

// lookUp returns the addresses of the host.
func (x *examination) lookUp(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, x.client.timeout)
	defer cancel()
	return net.DefaultResolver.LookupHost(ctx, x.host.Hostname())
}

func checkDNS(ctx context.Context, x *examination) outcome {
	name := x.host.Hostname()
	if proxy := x.proxy(); proxy != "" {
		return skip("requests go through the proxy %s, which looks up the name", proxy)
	}
	if net.ParseIP(name) != nil {
		return ok("%s is an address", name)
	}
	addresses, err := x.lookUp(ctx)
	if err != nil {
		reason := err.Error()
		if e, isName := errors.AsType[*net.DNSError](err); isName && e.IsNotFound {
			reason = "there is no such name"
		}
		return fail(mend("DNS: add an A or AAAA record for "+name, "behind a proxy: set HTTPS_PROXY"), "%s: %s", name, reason)
	}
	return ok("%s is %s", name, strings.Join(addresses, ", "))
}

// maxAddresses is how many addresses of a host are tried.
const maxAddresses = 8

func checkConnect(ctx context.Context, x *examination) outcome {
	if proxy := x.proxy(); proxy != "" {
		return skip("requests go through the proxy %s", proxy)
	}
	addresses, err := x.lookUp(ctx)
	if err != nil {
		return skip("%s", err)
	}
	var bad []string
	addresses = addresses[:min(len(addresses), maxAddresses)]
	for _, a := range addresses {
		d := net.Dialer{Timeout: x.client.timeout}
		conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(a, x.port()))
		if err != nil {
			bad = append(bad, fmt.Sprintf("%s (%s)", net.JoinHostPort(a, x.port()), reason(err)))
			continue
		}
		conn.Close()
	}
	lines := mend("firewall: allow TCP port "+x.port()+" to the gallery", "nginx: listen "+x.port()+";", "galshim: --listen :"+x.port())
	switch {
	case len(bad) == 0:
		return ok("%s", net.JoinHostPort(x.host.Hostname(), x.port()))
	case len(bad) == len(addresses):
		return fail(lines, "no connection to %s", strings.Join(bad, ", "))
	}
	return warn(append(mend("DNS: remove the address that does not answer"), lines...),
		"no connection to %s; clients wait before they try another address", strings.Join(bad, ", "))
}

// reason returns the end of an error of package net, without the addresses.
func reason(err error) string {
	if e, isOp := errors.AsType[*net.OpError](err); isOp && e.Err != nil {
		if e.Timeout() {
			return "no answer"
		}
		return strings.TrimPrefix(e.Err.Error(), "connect: ")
	}
	return err.Error()
}

// isLocal reports whether a host is this machine, from which browsers allow http.
func isLocal(name string) bool {
	ip := net.ParseIP(name)
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || ip != nil && ip.IsLoopback()
}

func checkHTTPS(ctx context.Context, x *examination) outcome {
	if x.host.Scheme != "https" {
		if isLocal(x.host.Hostname()) {
			return ok("http, which is enough on this machine")
		}
		return warn(mend("galbuild: galbuild config nginx SITE --base-url https://… --cert FILE --key FILE", "galshim: --tls-cert FILE --tls-key FILE"),
			"the address is http: editors show no icons, and run no web extensions")
	}
	ctx, cancel := context.WithTimeout(ctx, x.client.timeout)
	defer cancel()
	root := url.URL{Scheme: "https", Host: x.host.Host, Path: "/"}
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, root.String(), nil)
	if err != nil {
		return skip("%s", err)
	}
	r.Header.Set("User-Agent", x.client.agent)
	transport := x.client.insecure()
	defer transport.CloseIdleConnections()
	var state *tls.ConnectionState
	resp, err := transport.RoundTrip(r)
	if err == nil {
		resp.Body.Close()
		state = resp.TLS
	}
	switch {
	case retry.IsPlain(err):
		return fail(mend("settings: http:// instead of https://, or", "nginx: listen "+x.port()+" ssl;", "galshim: --tls-cert FILE --tls-key FILE"),
			"port %s speaks http, not TLS", x.port())
	case err != nil:
		return fail(mend("nginx: ssl_protocols TLSv1.2 TLSv1.3;"), "no TLS connection: %s", reason(plain(err)))
	case state == nil || len(state.PeerCertificates) == 0:
		return skip("the server sent no certificate")
	}
	x.certificates = state.PeerCertificates
	return ok("%s", tls.VersionName(state.Version))
}

// needsCertificates is the outcome of checks of certificates without one.
func (x *examination) needsCertificates() (o outcome, missing bool) {
	return skip("the address is http"), len(x.certificates) == 0
}

// verify verifies the chain at a time at which the certificate was valid.
func (x *examination) verify(intermediates []*x509.Certificate) error {
	leaf := x.certificates[0]
	o := x509.VerifyOptions{Intermediates: x509.NewCertPool(), CurrentTime: leaf.NotAfter.Add(-time.Second)}
	if now := time.Now(); now.After(leaf.NotBefore) && now.Before(leaf.NotAfter) {
		o.CurrentTime = now
	}
	if c := x.client.transport.TLSClientConfig; c != nil {
		o.Roots = c.RootCAs
	}
	for _, c := range intermediates {
		o.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(o)
	return err
}

func checkChain(ctx context.Context, x *examination) outcome {
	if o, missing := x.needsCertificates(); missing {
		return o
	}
	leaf, sent := x.certificates[0], x.certificates[1:]
	err := x.verify(sent)
	last := x.certificates[len(x.certificates)-1]
	switch {
	case err == nil:
		return ok("issued by %s", name(leaf.Issuer.CommonName, leaf.Issuer.String()))
	case !errors.As(err, new(x509.UnknownAuthorityError)):
		if e, isInvalid := errors.AsType[x509.CertificateInvalidError](err); isInvalid && e.Reason == x509.Expired {
			return ok("a certificate has expired, see certificate-dates")
		}
		return fail(mend("CA: issue a certificate for servers"), "%s", err)
	case bytes.Equal(leaf.RawIssuer, leaf.RawSubject):
		return fail(trustLines("the certificate itself"), "the certificate is self-signed, so no client trusts it")
	}
	issuer := name(last.Issuer.CommonName, last.Issuer.String())
	if intermediate := x.missingIntermediate(ctx, last); intermediate != "" {
		return fail(mend("nginx: ssl_certificate FILE; where FILE is cat cert.pem intermediate.pem", "galshim: --tls-cert FILE, the same"),
			"the server does not send the certificate of the intermediate authority %s, which clients without it cannot find", intermediate)
	}
	return fail(trustLines("its certificate"), "the authority %s is not one that this machine trusts", issuer)
}

// trustLines are the lines that make clients trust an authority of a company.
func trustLines(what string) []string {
	return mend("here: --ca FILE with "+what, "code-server, VS Code servers: NODE_EXTRA_CA_CERTS=FILE", "desktop and browsers: add it to the certificates of the system")
}

func name(common, all string) string {
	if common != "" {
		return common
	}
	return all
}

// maxIssuer is the size of the largest certificate of an issuer that is downloaded.
const maxIssuer = 64 << 10

// missingIntermediate returns the name of the intermediate authority that issued the last of the
// certificates that the server sent, if it should have sent that of the authority, too. Otherwise
// the issuer is an authority at the end of the chain, which need not be sent.
//
// If the certificate says where that of its issuer is, that one is read: browsers do that, other
// clients do not. Otherwise a certificate of --ca shows which authority the chain should lead to.
func (x *examination) missingIntermediate(ctx context.Context, last *x509.Certificate) string {
	for _, address := range last.IssuingCertificateURL[:min(len(last.IssuingCertificateURL), 1)] {
		resp := x.client.send(ctx, request{method: http.MethodGet, url: address})
		if resp.err != nil || resp.status != http.StatusOK || len(resp.body) > maxIssuer {
			continue
		}
		issuer, err := x509.ParseCertificate(resp.body)
		if err != nil {
			continue
		}
		if bytes.Equal(issuer.RawIssuer, issuer.RawSubject) {
			return ""
		}
		return name(issuer.Subject.CommonName, issuer.Subject.String())
	}
	if x.CA == "" {
		return ""
	}
	return name(last.Issuer.CommonName, last.Issuer.String())
}

func checkName(_ context.Context, x *examination) outcome {
	if o, missing := x.needsCertificates(); missing {
		return o
	}
	leaf, host := x.certificates[0], x.host.Hostname()
	if err := leaf.VerifyHostname(host); err == nil {
		return ok("the certificate is for %s", host)
	}
	names := leaf.DNSNames
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	of := "no name"
	if len(names) > 0 {
		of = strings.Join(names[:min(len(names), 10)], ", ")
	}
	return fail(mend("CA: issue a certificate with the name "+host, "nginx: server_name "+host+"; with its own ssl_certificate", "settings: use a name of the certificate"),
		"the certificate is for %s, not for %s", of, host)
}

// soon is how long before its end a certificate is reported.
const soon = 14 * 24 * time.Hour

func checkDates(_ context.Context, x *examination) outcome {
	if o, missing := x.needsCertificates(); missing {
		return o
	}
	now, end := time.Now(), x.certificates[0].NotAfter
	lines := mend("CA: renew the certificate", "nginx: nginx -s reload, after the file has changed")
	for _, c := range x.certificates {
		subject := name(c.Subject.CommonName, "a certificate")
		if now.After(c.NotAfter) {
			return fail(lines, "%s has expired on %s", subject, c.NotAfter.Format(time.DateOnly))
		}
		if now.Before(c.NotBefore) {
			return fail(mend("clock: set that of this machine, or of the authority"), "%s is valid from %s on", subject, c.NotBefore.Format(time.RFC3339))
		}
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	if now.Add(soon).After(end) {
		return warn(lines, "a certificate expires on %s", end.Format(time.DateOnly))
	}
	return ok("valid until %s", end.Format(time.DateOnly))
}
