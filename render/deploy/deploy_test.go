package deploy

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is printed to testdata")

// golden compares what write prints with a file of testdata.
func golden(t *testing.T, name string, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("%s differs from what is printed (run with -update if that is intended):\n%s", path, got)
	}
	if i := strings.Index(b.String(), " \n"); i >= 0 {
		t.Errorf("%s: blank at the end of a line, at %d", name, i)
	}
	return b.String()
}

func TestBucketPolicy(t *testing.T) {
	golden(t, "bucket-policy.json", func(w io.Writer) error {
		_, err := io.WriteString(w, BucketPolicy("vsix", "tools/gallery"))
		return err
	})
	if policy := BucketPolicy("vsix", ""); !strings.Contains(policy, `"arn:aws:s3:::vsix/index/*"`) || strings.Contains(policy, "private") || strings.Contains(policy, "inbox") || strings.Contains(policy, "vsix/*") {
		t.Errorf("%s", policy)
	}
}

// TestAuthors prints policies with authors, and checks that everyone else can do what they could.
func TestAuthors(t *testing.T) {
	golden(t, "author-policy.json", func(w io.Writer) error {
		_, err := io.WriteString(w, AuthorPolicy("vsix", "tools/gallery", "Acme-Labs"))
		return err
	})
	golden(t, "bucket-policy-inbox.json", func(w io.Writer) error {
		_, err := io.WriteString(w, BucketPolicy("vsix", "", Author{"acme", "arn:aws:iam::123456789012:user/alice"}, Author{"globex", "bob"}))
		return err
	})
}

func TestNginx(t *testing.T) {
	plain := golden(t, "nginx.conf", Nginx{BaseURL: "http://gallery.example:8081/", Root: "/srv/gallery/site"}.Write)
	if strings.Contains(plain, "internal") || strings.Contains(plain, "ssl") {
		t.Error("a site at the root, without TLS, has parts for others")
	}
	golden(t, "nginx-access.conf", Nginx{
		BaseURL: "https://host.example/tools/gallery", ContentURL: "https://files.example", Root: "/srv/site", Cert: "/etc/ssl/host.pem", Key: "/etc/ssl/host.key",
		Tokens: true, ClientCA: "/etc/ssl/clients.pem",
	}.Write)
	golden(t, "nginx-subpath-tls.conf", Nginx{
		BaseURL: "https://host.example/tools/gallery", Root: `/srv/my "gallery"/site`, Shim: "unix:/run/galshim.sock",
		Listen: "10.0.0.1:8443", ServerName: "other.example", Cert: "/etc/ssl/host.pem", Key: "/etc/ssl/host.key",
	}.Write)
}

// TestNginxCacheNames checks that what two galleries name in nginx does not have the same name.
func TestNginxCacheNames(t *testing.T) {
	names := make(map[string]string)
	for _, base := range []string{"http://a.b.example", "https://a.b.example", "http://a-b.example", "http://a.b.example/x", "http://a.b.example/y"} {
		var b bytes.Buffer
		if err := (Nginx{BaseURL: base, Root: "/s", Cache: 1 << 20, RateLimit: 1}).Write(&b); err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`(?m)^upstream (\S+)|keys_zone=(\w+)|proxy_cache_path (\S+)|zone=(\w+):`).FindAllString(b.String(), -1)
		if len(found) != 4 {
			t.Fatalf("%s names %q", base, found)
		}
		for _, name := range found {
			if other := names[name]; other != "" {
				t.Errorf("%s and %s have %s", base, other, name)
			}
			names[name] = base
		}
	}
}

// TestNginxContent prints a second server, for a galshim on another machine.
func TestNginxContent(t *testing.T) {
	text := golden(t, "nginx-content.conf", Nginx{
		BaseURL: "https://host.example/tools/gallery", ContentURL: "https://files.example", Root: "/srv/gallery/site", Shim: "10.0.0.7:8080",
		Cert: "/etc/ssl/both.pem", Key: "/etc/ssl/both.key", RateLimit: 50,
	}.Write)
	for _, want := range []string{
		"\n    server_name files.example;", "--trusted-proxy ADDRESS-OF-THIS-MACHINE", "--content-url https://files.example", "rate=50r/s",
		"img-src 'self' https://files.example; connect-src 'self' https://files.example;",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%d times %q", strings.Count(text, want), want)
		}
	}
	for _, local := range []string{"127.0.0.1:80", "127.0.0.2:80", "localhost:8080", "[::1]:80", "unix:/run/x"} {
		var b bytes.Buffer
		if err := (Nginx{BaseURL: "http://h", Root: "/s", Shim: local}).Write(&b); err != nil || strings.Contains(b.String(), "trusted-proxy") {
			t.Errorf("%s: %v, or the text is that for another machine", local, err)
		}
	}
}

// TestNginxBehind prints the two parts for a host that has a server block.
func TestNginxBehind(t *testing.T) {
	n := Nginx{BaseURL: "https://host.example/tools/gallery", Root: "/srv/gallery/site", RateLimit: 50, Behind: true}
	golden(t, "nginx-behind-http.conf", n.Write)
	golden(t, "nginx-behind-server.conf", n.WriteLocations)
	n.Tokens = true
	var locations bytes.Buffer
	if err := n.WriteLocations(&locations); err != nil || strings.Count(locations.String(), "access_log off;") != 2 || strings.Count(locations.String(), "error_log /dev/null;") != 2 {
		t.Errorf("%v: the log of the server block of the host would have tokens:\n%s", err, &locations)
	}
	n.Tokens = false
	for want, spoil := range map[string]func(*Nginx){
		"certificate: the server block": func(n *Nginx) { n.Cert, n.Key = "/c", "/k" },
		"content URL: print the whole":  func(n *Nginx) { n.ContentURL = "https://files.example" },
		`listen "8081": want host:port`: func(n *Nginx) { n.Listen = "8081" },
	} {
		bad := n
		spoil(&bad)
		if err := bad.WriteLocations(io.Discard); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestNginxDefaults(t *testing.T) {
	tests := []struct {
		base, cert string
		want       []string
	}{
		{"https://h.example", "", []string{"listen 80;", "server_name h.example;", `"https"`, "server \"127.0.0.1:8080\";"}},
		{"https://h.example", "/c.pem", []string{"listen 443 ssl http2;"}},
		{"https://h.example:9443/g", "/c.pem", []string{"listen 9443 ssl http2;", "server_name h.example;", `X-Forwarded-Host   "h.example:9443"`}},
		{"http://[::1]:81", "", []string{"listen 81;", "server_name ::1;"}},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		if err := (Nginx{BaseURL: tt.base, Root: "/s", Cert: tt.cert, Key: tt.cert}).Write(&b); err != nil {
			t.Errorf("%s: %v", tt.base, err)
		}
		for _, want := range tt.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q in\n%s", tt.base, want, b.String())
			}
		}
	}
}

func TestNginxRefuses(t *testing.T) {
	good := Nginx{BaseURL: "https://h", Root: "/s"}
	for want, bad := range map[string]Nginx{
		"client CA: clients send":     {BaseURL: "https://h", Root: "/s", ClientCA: "/ca.pem"},
		`client CA "ca.pem": want`:    {BaseURL: "https://h", Root: "/s", ClientCA: "ca.pem", Cert: "/c", Key: "/k"},
		"access log: only the":        {BaseURL: "https://h", Root: "/s", AccessLog: "/log"},
		`access log "log": want an`:   {BaseURL: "https://h", Root: "/s", AccessLog: "log", Tokens: true},
		"cache: responses to clients": {BaseURL: "https://h", Root: "/s", Tokens: true, Cache: 1 << 20},
		`access log "/$log": nginx`:   {BaseURL: "https://h", Root: "/s", AccessLog: "/$log", Tokens: true},
	} {
		if err := bad.Write(io.Discard); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := good.Write(io.Discard); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		spoil func(*Nginx)
		want  string
	}{
		"base URL":      {func(n *Nginx) { n.BaseURL = "h" }, `base URL "h": want http:// or https://`},
		"no root":       {func(n *Nginx) { n.Root = "" }, "root: the folder of the site is not given"},
		"relative root": {func(n *Nginx) { n.Root = "site" }, `root "site": want an absolute path`},
		"variable":      {func(n *Nginx) { n.Root = "/s/$x" }, `root "/s/$x": nginx does not support a path with a dollar sign or control characters`},
		"cert alone":    {func(n *Nginx) { n.Cert = "/c" }, "certificate and key: want both or none"},
		"cache":         {func(n *Nginx) { n.CacheDir = "cache" }, `folder of the cache "cache": want an absolute path`},
		"shim":          {func(n *Nginx) { n.Shim = "127.0.0.1" }, `shim "127.0.0.1": want host:port or unix:/path`},
		"shim injects":  {func(n *Nginx) { n.Shim = "h;}:80" }, `shim "h;}:80": want host:port or unix:/path`},
		"socket":        {func(n *Nginx) { n.Shim = "unix:run/x" }, `shim "run/x": want an absolute path`},
		"listen":        {func(n *Nginx) { n.Listen = "443 ssl" }, `listen "443 ssl": want one word`},
		"content URL":   {func(n *Nginx) { n.ContentURL = "files.example" }, `content URL "files.example": want http:// or https://`},
		"same origin":   {func(n *Nginx) { n.ContentURL = "https://h/files" }, `content URL "https://h/files": has the host and port of the base URL, want another host`},
		"same server": {func(n *Nginx) { n.ContentURL, n.Listen = "https://h:444", "1.2.3.4:443" },
			`content URL "https://h:444": nginx cannot distinguish it from the base URL by listen "1.2.3.4:443" and server name "h"`},
		"server name": {func(n *Nginx) { n.ServerName = "a;b" }, `server name "a;b": want one word`},
	}
	for name, tt := range tests {
		n := good
		tt.spoil(&n)
		if err := n.Write(io.Discard); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
}

func TestBase(t *testing.T) {
	for text, want := range map[string]string{
		"https://h.example":       "https://h.example",
		"https://h.example/":      "https://h.example",
		"http://h:8080/a/b//":     "http://h:8080/a/b",
		"http://[2001:db8::1]/~x": "http://[2001:db8::1]/~x",
	} {
		if b, err := parseBase(text); err != nil || b.String() != want {
			t.Errorf("%q: got %v, %v, want %s", text, b, err, want)
		}
	}
	for _, text := range []string{
		"", "/gallery", "ftp://h", "https://", "https:///x", "https://u:p@h", "https://h/?x=1", "https://h?", "https://h/#x", "https://h/a b",
		"https://h/a'b", "https://h/$(x)", "https://h/%41%20", "https://h/a//b", "https://h/../x", "https://h/.", "https://h:x", "https://h;x", "https://h'x", "https://\u00fc.example",
	} {
		if b, err := parseBase(text); err == nil {
			t.Errorf("%q is accepted as %v", text, b)
		}
	}
}

var editors = map[string]func(io.Writer, Editor) error{"code-server": CodeServer, "vscodium": VSCodium, "vscode": VSCode}

func TestEditors(t *testing.T) {
	for name, write := range editors {
		for _, base := range []string{"https://host.example/tools/gallery", "http://gallery.example"} {
			scheme, _, _ := strings.Cut(base, ":")
			golden(t, name+"-"+scheme+".txt", func(w io.Writer) error { return write(w, Editor{BaseURL: base}) })
		}
		if err := write(io.Discard, Editor{BaseURL: "https://h'; rm -rf /"}); err == nil {
			t.Errorf("%s accepts a base URL with a quotation mark", name)
		}
	}
}

// TestEditorsContent checks that only the addresses of files are below the content URL.
func TestEditorsContent(t *testing.T) {
	for name, write := range editors {
		var b bytes.Buffer
		if err := write(&b, Editor{BaseURL: "https://h.example/g", ContentURL: "https://files.example/x/"}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if !strings.Contains(text, "https://files.example/x/files/{publisher}/{name}/{version}/{path}") || strings.Contains(text, "https://h.example/g/files") ||
			strings.Count(text, "files.example") != strings.Count(text, "files.example/x/files/") {
			t.Errorf("%s:\n%s", name, text)
		}
		if err := write(io.Discard, Editor{BaseURL: "https://h", ContentURL: "https://f'; rm -rf /"}); err == nil {
			t.Errorf("%s accepts a content URL with a quotation mark", name)
		}
	}
}

// TestEditorsToken checks that all addresses of a gallery with tokens have the token.
func TestEditorsToken(t *testing.T) {
	const token = "gal_0123456789abcdefghijklmnopqrstuvwxyzABC-_xY"
	for name, write := range editors {
		var b bytes.Buffer
		if err := write(&b, Editor{BaseURL: "https://h.example/g", ContentURL: "https://files.example", Token: token}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, address := range []string{"https://h.example/g", "https://files.example"} {
			if n := strings.Count(text, address); n == 0 || n != strings.Count(text, address+"/t/"+token) {
				t.Errorf("%s: not all addresses have the token:\n%s", name, text)
			}
		}
		if !strings.Contains(text, "# The addresses have a token") {
			t.Errorf("%s: it is not said that the text is secret", name)
		}
		if err := write(io.Discard, Editor{BaseURL: "https://h.example", Token: "x'; rm -rf /"}); err == nil {
			t.Errorf("%s accepts what is not a token", name)
		}
	}
}

// printed returns what is printed for an editor.
func printed(t *testing.T, write func(io.Writer, Editor) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, Editor{BaseURL: "https://h.example/g"}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wantGallery checks the addresses in the JSON of a gallery.
func wantGallery(t *testing.T, what, text string) {
	t.Helper()
	var got map[string]string
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Errorf("%s: %v in %s", what, err, text)
		return
	}
	want := map[string]string{
		"serviceUrl":           "https://h.example/g/api",
		"itemUrl":              "https://h.example/g/item",
		"publisherUrl":         "https://h.example/g/publishers",
		"resourceUrlTemplate":  "https://h.example/g/files/{publisher}/{name}/{version}/{path}",
		"extensionUrlTemplate": "https://h.example/g/api/vscode/{publisher}/{name}/latest",
		"controlUrl":           "https://h.example/g/control.json",
		"nlsBaseUrl":           "",
	}
	if len(got) != len(want) {
		t.Errorf("%s: keys of %s", what, text)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: %s is %q, want %q", what, k, got[k], v)
		}
	}
}

// extensionsGallery returns the value of that key in a product.json.
func extensionsGallery(t *testing.T, product string) string {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(product), &all); err != nil {
		t.Fatalf("%v in %s", err, product)
	}
	return string(all["extensionsGallery"])
}

func TestVSCodeIsJSON(t *testing.T) {
	wantGallery(t, "product.json", extensionsGallery(t, withoutComments(printed(t, VSCode))))
}

func TestVSCodiumProduct(t *testing.T) {
	text := strings.ReplaceAll(printed(t, VSCodium), "\n#   ", "\n")
	_, product, _ := strings.Cut(text, "Its content is\n")
	wantGallery(t, "product.json", extensionsGallery(t, product))
}

func TestCodeServerVariants(t *testing.T) {
	text := printed(t, CodeServer)
	for _, around := range [][2]string{
		{"#   Environment='EXTENSIONS_GALLERY=", "'\n"},
		{"#   EXTENSIONS_GALLERY: '", "'\n"},
	} {
		_, after, found := strings.Cut(text, around[0])
		value, _, ends := strings.Cut(after, around[1])
		if !found || !ends {
			t.Errorf("no %q", around[0])
		}
		wantGallery(t, around[0], value)
	}
}

// TestShell runs the printed shell scripts.
func TestShell(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	run := func(script string) string {
		command := exec.Command(shell, "-eu")
		command.Stdin = strings.NewReader(script)
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	wantGallery(t, "EXTENSIONS_GALLERY", run(printed(t, CodeServer)+"\nprintf %s \"$EXTENSIONS_GALLERY\""))
	got := run(printed(t, VSCodium) + `
printf '%s\n' "$VSCODE_GALLERY_SERVICE_URL" "$VSCODE_GALLERY_ITEM_URL" "$VSCODE_GALLERY_EXTENSION_URL_TEMPLATE" \
	"$VSCODE_GALLERY_RESOURCE_URL_TEMPLATE" "$VSCODE_GALLERY_CONTROL_URL"`)
	want := `https://h.example/g/api
https://h.example/g/item
https://h.example/g/api/vscode/{publisher}/{name}/latest
https://h.example/g/files/{publisher}/{name}/{version}/{path}
https://h.example/g/control.json
`
	if got != want {
		t.Errorf("VSCodium's variables are\n%s, want\n%s", got, want)
	}
}

func FuzzBase(f *testing.F) {
	for _, seed := range []string{"https://h.example/a/b/", "http://[::1]:80", "https://h/%2e%2e/x", "https://h'/$x", "HTTPS://H"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := parseBase(text)
		if err != nil {
			return
		}
		if again, err := parseBase(b.String()); err != nil || again != b {
			t.Errorf("%q is %v, which is %v (%v)", text, b, again, err)
		}
		if strings.ContainsAny(b.String(), "'\"$%;{}\\ \n") || strings.HasSuffix(b.String(), "/") {
			t.Errorf("%q is %q", text, b)
		}
	})
}
