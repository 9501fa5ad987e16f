package manifest

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// maxSigns is the number of signs that network names.
const maxSigns = 3

// authenticators are extensions of VS Code that sign in to a service.
var authenticators = map[string]string{"vscode.github-authentication": "GitHub", "vscode.microsoft-authentication": "Microsoft"}

// network returns sentences about what shows that the extension needs the network when it runs, or
// "" if nothing does. The signs are:
//
//   - it contributes an authentication, or depends on an extension that has one;
//   - it configures an MCP server with an address;
//   - it runs code, and a setting that is about a server has an address as its default.
//
// Only addresses of hosts on the network are signs, see [remote]. No sign are: an activation by
// links, which other programs on the same computer open, too; chat participants and language
// models, which may run on the same computer; and addresses in files, most of which are never
// requested.
func (p *Package) network(contributions object) string {
	signs := p.signIns(contributions)
	defaults := contributions.object("configurationDefaults")
	for _, servers := range []object{defaults.object("mcp").object("servers"), defaults.object("mcp.servers")} {
		for _, s := range servers.objectsByKey() {
			if host, ok := remote(s.text("url")); ok {
				signs = append(signs, "It adds the MCP server "+shownText(s.key)+" at "+host+".")
			}
		}
	}
	if p.truthy("main") || p.truthy("browser") {
		for _, s := range contributions.settings() {
			if host, ok := s.remoteDefault(); ok && len(s.key) <= 200 {
				signs = append(signs, "The setting "+shownText(s.key)+" is "+host+" by default.")
			}
		}
	}
	return strings.Join(signs[:min(len(signs), maxSigns)], " ")
}

// signIns returns sentences about signing in to services.
func (p *Package) signIns(contributions object) (signs []string) {
	for _, a := range contributions.elements("authentication") {
		if label := a.first([]string{"label", "id"}); label != "" {
			signs = append(signs, "It signs in to "+label+".")
		}
	}
	for _, id := range p.Dependencies() {
		if service, ok := authenticators[id]; ok {
			signs = append(signs, "It depends on "+id+", which signs in to "+service+".")
		}
	}
	return signs
}

// objectsByKey returns the members that are objects, sorted by key.
func (o object) objectsByKey() (all []setting) {
	for key := range o.fields {
		if member := o.object(key); len(member.fields) > 0 {
			all = append(all, setting{key, member})
		}
	}
	slices.SortFunc(all, func(a, b setting) int { return strings.Compare(a.key, b.key) })
	return all
}

// Words in the last part of a setting's key: those of settings about servers, and those of settings
// whose address is only shown, or is the name of something.
var (
	serverWords = []string{"url", "uri", "endpoint", "server", "host", "api", "registry", "proxy", "address", "gateway", "mirror", "service", "feed", "download"}
	otherWords  = []string{"doc", "help", "homepage", "author", "issue", "license", "namespace", "schema", "template", "example", "placeholder", "link", "color", "icon"}
)

// remoteDefault returns the address of the host that a setting about a server has as its default.
func (s setting) remoteDefault() (address string, ok bool) {
	word := strings.ToLower(s.key[strings.LastIndexByte(s.key, '.')+1:])
	within := func(part string) bool { return strings.Contains(word, part) }
	if !slices.ContainsFunc(serverWords, within) || slices.ContainsFunc(otherWords, within) {
		return "", false
	}
	return remote(s.text("default"))
}

// notRemote are the ends of names of hosts that are not on the network: names for the same
// computer, those for examples (RFC 2606), and hosts of namespaces of XML.
var notRemote = []string{
	"localhost", "local", "localdomain", "example", "test", "invalid", "example.com", "example.org", "example.net",
	"w3.org", "xmlsoap.org", "json-schema.org",
}

// remote returns the scheme and the host of an address on the network. An address with a
// placeholder is none, nor is a name without a domain.
func remote(address string) (host string, ok bool) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || len(address) > 2000 || !slices.Contains([]string{"http", "https", "ws", "wss"}, u.Scheme) {
		return "", false
	}
	name := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if ip, err := netip.ParseAddr(name); err == nil {
		return u.Scheme + "://" + u.Host, ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	belongs := func(end string) bool { return name == end || strings.HasSuffix(name, "."+end) }
	usual := strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
	if !usual || !strings.Contains(name, ".") || slices.ContainsFunc(notRemote, belongs) {
		return "", false
	}
	return u.Scheme + "://" + name, true
}
