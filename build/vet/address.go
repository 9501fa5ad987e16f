package vet

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// drops are services to which stolen data is sent, or from which code is loaded, by the host and
// the beginning of the path in lower case. Other paths of these hosts are usual.
var drops = map[string]*regexp.Regexp{
	"discord.com":                 regexp.MustCompile(`^/api/(?:v\d+/)?webhooks/\d{6}`),
	"discordapp.com":              regexp.MustCompile(`^/api/(?:v\d+/)?webhooks/\d{6}`),
	"canary.discord.com":          regexp.MustCompile(`^/api/(?:v\d+/)?webhooks/\d{6}`),
	"ptb.discord.com":             regexp.MustCompile(`^/api/(?:v\d+/)?webhooks/\d{6}`),
	"cdn.discordapp.com":          regexp.MustCompile(`^/attachments/\d{6}`),
	"api.telegram.org":            regexp.MustCompile(`^/bot\d{6}`),
	"pastebin.com":                regexp.MustCompile(`^/raw/\w`),
	"rentry.co":                   regexp.MustCompile(`/raw`),
	"paste.ee":                    regexp.MustCompile(`^/r/`),
	"hastebin.com":                regexp.MustCompile(`^/raw/\w`),
	"controlc.com":                regexp.MustCompile(`^/\w`),
	"ghostbin.com":                regexp.MustCompile(`^/paste`),
	"transfer.sh":                 regexp.MustCompile(`^/\w`),
	"file.io":                     regexp.MustCompile(`^/`),
	"0x0.st":                      regexp.MustCompile(`^/`),
	"catbox.moe":                  regexp.MustCompile(`^/user/api`),
	"files.catbox.moe":            regexp.MustCompile(`^/\w`),
	"anonfiles.com":               regexp.MustCompile(`^/`),
	"api.gofile.io":               regexp.MustCompile(`^/`),
	"store1.gofile.io":            regexp.MustCompile(`^/`),
	"webhook.site":                regexp.MustCompile(`^/[0-9a-f-]{8}`),
	"requestbin.net":              regexp.MustCompile(`^/`),
	"api.ipify.org":               nil,
	"ipinfo.io":                   nil,
	"api.mainnet-beta.solana.com": nil,
}

// dropDomains are domains whose subdomains anybody can have for a short time, to receive data.
var dropDomains = []string{"oast.fun", "oast.live", "oast.me", "oast.online", "oast.pro", "oast.site", "interact.sh", "burpcollaborator.net",
	"oastify.com", "requestbin.com", "requestcatcher.com", "m.pipedream.net", "ngrok.io", "ngrok-free.app", "ngrok.app", "trycloudflare.com",
	"serveo.net", "loca.lt", "dnslog.cn", "ceye.io", "beeceptor.com", "duckdns.org", "no-ip.org", "ddns.net", "hopto.org", "zapto.org", "portmap.io", "onion", "nip.io", "sslip.io"}

// openEnd matches the path of a webhook whose key follows from elsewhere.
var openEnd = regexp.MustCompile(`^/bot\$?$|^/api/(?:v\d+/)?webhooks/\$?$`)

// maxAddress is the length of the longest address that is read.
const maxAddress = 300

// maxHosts limits how many hosts of a package are noted.
const maxHosts = 2000

// checkAddresses notes the hosts in code, and looks for those that are suspicious.
func (s *Scanner) checkAddresses(f *file) {
	for i := 0; ; {
		n := bytes.Index(f.content[i:], []byte("://"))
		if n < 0 {
			break
		}
		i += n + 3
		s.checkAddress(f, i-3)
	}
	s.checkEncodedAddresses(f)
	s.checkWrittenAddresses(f)
}

// writtenScheme matches http:// backwards, with escapes and with percent signs.
var writtenScheme = newSearch(`//:ptth //:sptth \x68\x74\x74\x70 \u0068\u0074\u0074\u0070 http%3A http%3a`,
	`//:s?ptth["'\x60]|["'\x60](?:\\x68\\x74\\x74\\x70|\\u0068\\u0074\\u0074\\u0070)|["'\x60]http%3[Aa]%2[Ff]%2[Ff]`)

// checkWrittenAddresses looks for addresses that are written backwards, with escapes or with
// percent signs.
func (s *Scanner) checkWrittenAddresses(f *file) {
	if !writtenScheme.in(f.content) {
		return
	}
	for _, at := range writtenScheme.pattern.FindAllIndex(f.content, 100) {
		from, to := at[0], at[1]
		var text string
		if f.content[from] == '/' {
			from = bytes.LastIndexAny(f.content[max(0, from-maxAddress):from], "\"'`") + max(0, from-maxAddress) + 1
			backwards := slices.Clone(f.content[from : to-1])
			slices.Reverse(backwards)
			text = string(backwards)
		} else {
			to = endOfText(f.content, from)
			text = unescape(f.content[from+1 : max(from+1, min(to-1, from+4*maxAddress))])
			if decoded, err := url.PathUnescape(text); err == nil {
				text = decoded
			}
		}
		if _, rest, ok := strings.Cut(text, "://"); ok {
			s.judge(f, from, to, []byte(rest), "in encoded form ")
		}
	}
}

// checkAddress looks at the address with :// at an offset.
func (s *Scanner) checkAddress(f *file, at int) {
	from := nameStart(f.content, at)
	scheme := strings.ToLower(string(f.content[from:at]))
	rest := f.content[at+3 : min(len(f.content), at+3+maxAddress)]
	if hiddenScheme(scheme) {
		if host, _ := splitAddress(rest); host != "" {
			if _, public := publicIP(host); public {
				s.judge(f, from, at+3+len(rest), rest, "")
			}
		}
		return
	}
	if scheme = scheme[max(0, len(scheme)-5):]; !strings.HasSuffix(scheme, "http") && scheme != "https" && !strings.HasSuffix(scheme, "ws") && !strings.HasSuffix(scheme, "wss") && !strings.HasSuffix(scheme, "tcp") && !strings.HasSuffix(scheme, "ftp") {
		return
	}
	s.judge(f, from, at+3+len(rest), rest, "")
}

// hiddenScheme reports whether a scheme is the end of one that is written in parts, or http with
// other letters.
func hiddenScheme(scheme string) bool {
	switch scheme {
	case "", "tp", "ttp", "p", "s", "ps", "tps", "ttps", "hxxp", "hxxps":
		return true
	}
	return false
}

// judge looks at an address without its scheme. how says how the code hides it.
func (s *Scanner) judge(f *file, from, to int, rest []byte, how string) {
	host, path := splitAddress(rest)
	if host == "" {
		return
	}
	s.addHost(host)
	s.checkPlace(f, host, from)
	detail, severity := suspicious(host, path)
	if how != "" && severity < High {
		severity++
		detail = "the address of " + host
	}
	if detail == "" {
		return
	}
	end := min(to, from+len("https://")+len(host)+len(path))
	if s.findings.full(address, severity) {
		return
	}
	s.findings.add(f.at(address, min(severity, High), from, max(end, from), "code has "+how+detail))
}

// splitAddress returns the host of an address in lower case, and what follows it.
func splitAddress(rest []byte) (host, path string) {
	end := 0
	for end < len(rest) && rest[end] > ' ' && rest[end] < 0x80 && strings.IndexByte("\"'`<>\\(){}|,;^*", rest[end]) < 0 {
		end++
	}
	rest = rest[:end]
	authority, path := string(rest), ""
	if i := strings.IndexAny(authority, "/?#"); i >= 0 {
		authority, path = authority[:i], authority[i:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	host, port, _ := strings.Cut(authority, ":")
	if inside, after, ok := strings.Cut(authority, "]"); ok && authority[0] == '[' {
		host, port = inside[1:], strings.TrimPrefix(after, ":")
		if _, public := publicIP(host); !public {
			return "", ""
		}
	}
	host = strings.ToLower(strings.Trim(host, ".[]"))
	if port != "" {
		path = ":" + port + path
	}
	if len(host) < 4 || strings.IndexByte(host, '.') < 0 && !allDigits(host) && !strings.HasPrefix(host, "0x") && strings.IndexByte(host, ':') < 0 || strings.ContainsAny(host, "$%&+=!~") {
		return "", ""
	}
	return host, path
}

func allDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// suspicious returns what is unusual about an address in code, or "".
func suspicious(host, path string) (detail string, severity Severity) {
	if ip, ok := publicIP(host); ok {
		return "the public IP address " + ip, High
	}
	where := path
	if strings.HasPrefix(where, ":") { // without the port
		where = "/" + strings.TrimLeft(where, ":0123456789/")
	}
	if pattern, known := drops[strings.TrimPrefix(host, "www.")]; known {
		if pattern == nil {
			return "the address of " + host, Low
		}
		if openEnd.MatchString(where) {
			return "an address of " + host + " with a key that is not in it, to which stolen data is often sent", Medium
		}
		if pattern.MatchString(strings.ToLower(where)) {
			return "an address of " + host + ", to which stolen data is often sent", High
		}
		return "", 0
	}
	for _, domain := range dropDomains {
		if sub, ok := strings.CutSuffix(host, "."+domain); ok && sub != "www" && sub != "docs" && sub != "api" && sub != "app" && sub != "dashboard" && sub != "bin" {
			return "an address below " + domain + ", to which stolen data is often sent", High
		}
	}
	return "", 0
}

// harmlessIPs are public addresses of well-known name servers, and those that documentation uses
// as if they were not public.
var harmlessIPs = map[string]bool{"8.8.8.8": true, "8.8.4.4": true, "1.1.1.1": true, "1.0.0.1": true, "9.9.9.9": true,
	"208.67.222.222": true, "208.67.220.220": true, "1.2.3.4": true, "4.3.2.1": true, "5.6.7.8": true, "4.4.4.4": true, "2.2.2.2": true, "3.3.3.3": true,
	"114.114.114.114": true, "223.5.5.5": true, "168.63.129.16": true, "100.100.100.200": true, "11.11.11.11": true, "1.1.1.2": true, "12.34.56.78": true, "123.123.123.123": true, "111.111.111.111": true}

// reserved are ranges of addresses that are not public: of documentation, carriers, benchmarks
// and the future.
var reserved = prefixes("0.0.0.0/8 100.64.0.0/10 192.0.0.0/24 192.0.2.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 " +
	"2001::/23 2001:db8::/32 2002::/16 3fff::/20 2001:4860:4860::/48 2606:4700:4700::/48 2620:fe::/48")

func prefixes(list string) (all []netip.Prefix) {
	for s := range strings.FieldsSeq(list) {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

// globalIPv6 are the addresses of version 6 that are given to anybody.
var globalIPv6 = netip.MustParsePrefix("2000::/3")

// publicIP returns the IP address that a host is, also if it is written as one number, and
// whether it is public.
func publicIP(host string) (string, bool) {
	if n, err := strconv.ParseUint(host, 0, 32); err == nil && len(host) >= 8 {
		host = netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String()
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.IsPrivate() || !ip.IsGlobalUnicast() || ip.Is6() && !globalIPv6.Contains(ip) || ip.IsLinkLocalUnicast() || harmlessIPs[host] {
		return "", false
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return "", false
		}
	}
	return host, true
}

// encodedScheme are the beginnings of http:// and https:// in base64, and in hexadecimal digits.
var encodedScheme = []string{"aHR0cDov", "aHR0cHM6Ly", "687474703a2f2f", "68747470733a2f2f"}

// checkEncodedAddresses looks for addresses that the code hides in base64 or hexadecimal digits.
func (s *Scanner) checkEncodedAddresses(f *file) {
	for _, prefix := range encodedScheme {
		for i, n := 0, 0; n < 100; n++ {
			at := bytes.Index(f.content[i:], []byte(prefix))
			if at < 0 {
				break
			}
			at += i
			i = at + len(prefix)
			if at == 0 || bytes.IndexByte([]byte("\"'`"), f.content[at-1]) < 0 {
				continue // within longer data, such as a source map
			}
			end := at
			for end < len(f.content) && end-at < maxAddress*2 && bytes.IndexByte([]byte("\"'`"), f.content[end]) < 0 {
				end++
			}
			if decoded := decode(f.content[at:end]); decoded != nil {
				_, rest, _ := bytes.Cut(decoded, []byte("://"))
				s.judge(f, at, end, rest, "in encoded form ")
			}
		}
	}
}

// decode decodes base64 or hexadecimal digits, or returns nil.
func decode(b []byte) []byte {
	if decoded, err := hex.DecodeString(string(b)); err == nil {
		return decoded
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if decoded, err := encoding.DecodeString(strings.TrimRight(string(b), "=")); err == nil {
			return decoded
		}
	}
	return nil
}

// connection matches an IPv4 address in a text that is given to a connection.
var connection = regexp.MustCompile(`(?:\bconnect\s*\(|\bcreateConnection\s*\(|\bhost(?:name)?\s*[:=]\s*)[^"'\x60\n;(){}]{0,20}["'\x60]([0-9]{1,3}(?:\.[0-9]{1,3}){3})["'\x60]`)

// checkConnections looks for connections to a public IP address.
func (s *Scanner) checkConnections(f *file) {
	for i, n := 0, 0; n < 1000; n++ {
		at, digits := nextAddress(f.content, i)
		if at < 0 {
			return
		}
		i = at + digits
		from := max(0, at-40)
		m := connection.FindIndex(f.content[from:min(len(f.content), i+1)])
		if m == nil {
			if !usedAsHost(f.content, at-1) {
				continue
			}
			m = []int{at - 1 - from, i + 1 - from}
		}
		if ip, ok := publicIP(string(f.content[at : at+digits])); ok && !s.findings.full(address, High) {
			s.findings.add(f.at(address, High, from+m[0], from+m[1], "code connects to the public IP address "+ip))
		}
	}
}

// maxUses limits how many uses of a name are looked at.
const maxUses = 20

// usedAsHost reports whether the name that is given the text at an offset is the host of an
// address or a connection somewhere after it.
func usedAsHost(b []byte, text int) bool {
	before, ok := bytes.CutSuffix(bytes.TrimRight(b[max(0, text-maxName):text], " "), []byte("="))
	if !ok {
		return false
	}
	before = bytes.TrimRight(before, " ")
	name := before[nameStart(before, len(before)):]
	if len(name) == 0 || len(name) < 2 && len(b) > smallCode {
		return false
	}
	rest := b[text:min(len(b), text+lookBack)]
	for range maxUses {
		n := bytes.Index(rest, name)
		if n < 0 {
			return false
		}
		if asHost.Match(rest[max(0, n-30):n]) && (n+len(name) == len(rest) || !isNameByte(rest[n+len(name)])) {
			return true
		}
		rest = rest[n+len(name):]
	}
	return false
}

// asHost matches what precedes a name that is a host.
var asHost = regexp.MustCompile(`(?:://(?:\$\{|["'\x60]\s*\+\s*)|\bconnect\s*\((?:\s*\w+\s*,)?\s*|\bcreateConnection\s*\((?:\s*\w+\s*,)?\s*|\bhost(?:name)?\s*:\s*)$`)

// joinedIP matches an IPv4 address in an array that is joined.
var joinedIP = newSearch(`.join(".") .join('.')`, `\[\s*["']?(\d{1,3})["']?\s*,\s*["']?(\d{1,3})["']?\s*,\s*["']?(\d{1,3})["']?\s*,\s*["']?(\d{1,3})["']?\s*\]\s*\.join\(["']\.["']\)`)

// checkJoined looks for IP addresses that are written in parts.
func (s *Scanner) checkJoined(f *file) {
	if !joinedIP.in(f.content) {
		return
	}
	for _, at := range joinedIP.pattern.FindAllSubmatchIndex(f.content, maxPerRule) {
		parts := make([]string, 0, 4)
		for i := 2; i < len(at); i += 2 {
			parts = append(parts, string(f.content[at[i]:at[i+1]]))
		}
		if ip, public := publicIP(strings.Join(parts, ".")); public {
			s.findings.add(f.at(address, High, at[0], at[1], "code has in parts the public IP address "+ip))
		}
	}
}

// nextAddress returns the offset and the length of the next text that is only digits and three
// dots.
func nextAddress(b []byte, from int) (at, length int) {
	for i := from; i < len(b); i++ {
		n := bytes.IndexByte(b[i:], '.')
		if n < 0 {
			return -1, 0
		}
		i += n
		start := i
		for start > 0 && b[start-1] >= '0' && b[start-1] <= '9' && i-start < 3 {
			start--
		}
		if start == i || start == 0 || bytes.IndexByte([]byte("\"'`"), b[start-1]) < 0 {
			continue
		}
		end, dots := i, 0
		for end < len(b) && (b[end] == '.' || b[end] >= '0' && b[end] <= '9') && end-start < 16 {
			if b[end] == '.' {
				dots++
			}
			end++
		}
		if dots == 3 && end < len(b) && bytes.IndexByte([]byte("\"'`"), b[end]) >= 0 {
			return start, end - start
		}
	}
	return -1, 0
}

// addHost notes a host for the profile: its registrable domain, or the IP address.
func (s *Scanner) addHost(host string) {
	if ip, public := publicIP(host); public {
		host = ip
	} else if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		host = domain
	} else {
		return
	}
	if suffix, icann := publicsuffix.PublicSuffix(host); !icann && strings.IndexByte(suffix, '.') < 0 && host != suffix && !allDigits(suffix) {
		return // no such top-level domain: a member of an object
	}
	if len(s.hosts) < maxHosts {
		s.hosts[host] = true
	}
}

func (s *Scanner) hostList() []string {
	all := make([]string, 0, len(s.hosts))
	for host := range s.hosts {
		all = append(all, host)
	}
	slices.Sort(all)
	return all
}
