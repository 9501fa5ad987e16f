//go:build e2e

package e2e

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"galbuild/build/porttest"
	"galbuild/cmd/e2e/toolchain"
	"galbuild/publish/target/s3/s3test"
)

// readmeBucket is the section of render/deploy/README.md on nginx in front of a bucket: its nginx
// configuration, and its blocks of commands in their order.
type readmeBucket struct {
	nginx  string
	blocks []string
}

// readBucketSection reads the section, and replaces addresses in it.
func readBucketSection(t *testing.T, addresses *strings.Replacer) (r readmeBucket) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "render", "deploy", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## nginx in front of a bucket\n")
	section, _, _ = strings.Cut(section, "\n#")
	before, rest, _ := strings.Cut(section, "```nginx\n")
	conf, after, _ := strings.Cut(rest, "```\n")
	r.nginx = addresses.Replace(conf)
	for block := range strings.SplitSeq(before+after, "\n\n") {
		if strings.HasPrefix(block, "    ") {
			r.blocks = append(r.blocks, addresses.Replace(strings.TrimRight(block, "\n")))
		}
	}
	if len(r.blocks) != 3 || r.nginx == "" {
		t.Fatalf("the README's section has %d blocks of commands, want 3, and the configuration %q", len(r.blocks), r.nginx)
	}
	return r
}

// bucketSetups has a bucket with a site, and what the commands of the section need.
type bucketSetups struct {
	suite  suite
	server *s3test.Server
	env    []string
}

// TestReadmeBucket runs each set-up in the section of render/deploy/README.md on nginx in front of
// a bucket, with other addresses, and makes the requests of editors and people.
func TestReadmeBucket(t *testing.T) {
	dir := t.TempDir()
	b := bucketSetups{suite: suite{tools: toolchain.Tools(t), commands: compile(t, filepath.Join(dir, "bin")), dir: dir, authority: newAuthority(t, dir)}, server: s3test.Start(t, s3test.WithUsers(t)...)}
	b.env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "HOME="+dir, "AWS_ENDPOINT_URL_S3="+b.server.URL,
		"AWS_ACCESS_KEY_ID="+b.server.AccessKey, "AWS_SECRET_ACCESS_KEY="+b.server.SecretKey)
	if err := b.server.Client.MakeBucket(t.Context(), "vsix", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	samples, err := filepath.Abs(filepath.Join("..", "..", "testdata", "samples"))
	if err != nil {
		t.Fatal(err)
	}
	b.shell(t, "for s in hello word-count system-probe; do galbuild package -q '"+samples+"'/$s -o .; done; galbuild *.vsix -o site -q; galbuild publish site -o s3://vsix/gallery")
	setPolicy := func(t *testing.T, policy string) {
		if err := b.server.Client.SetBucketPolicy(t.Context(), "vsix", policy); err != nil {
			t.Fatal(err)
		}
	}
	setPolicy(t, fmt.Sprintf(publicRead, "vsix"))
	t.Run("readable", func(t *testing.T) { b.serves(t, 0, "", true) })
	t.Run("readable, no files", func(t *testing.T) { b.serves(t, 0, " --no-files", false) })
	t.Run("read by galshim with credentials", func(t *testing.T) { b.serves(t, 1, "", true) })
	setPolicy(t, "")
	t.Run("private, files from galshim", func(t *testing.T) { b.serves(t, 1, "", true, "/index/CURRENT") })
	t.Run("private", func(t *testing.T) { b.serves(t, 2, "", true) })
	t.Run("private, no files", func(t *testing.T) { b.serves(t, 2, " --no-files", false) })
	t.Run("a user who may only read", b.readOnly)
}

func (b bucketSetups) shell(t *testing.T, script string) {
	t.Helper()
	command := exec.Command("sh", "-ec", script)
	command.Dir, command.Env = b.suite.dir, b.env
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// run runs a block of commands, with more flags for galshim in its last line, and nginx.
func (b bucketSetups) run(t *testing.T, block int, flags string) *gallery {
	t.Helper()
	dir, err := os.MkdirTemp(b.suite.dir, "run")
	if err != nil {
		t.Fatal(err)
	}
	listen, shim := porttest.Address(t), porttest.Address(t)
	conf := filepath.Join(dir, "gallery.conf")
	r := readBucketSection(t, strings.NewReplacer("https://s3.example", b.server.URL, "127.0.0.1:8080", shim, "listen 80;", "listen "+listen+";",
		"/srv/gallery", filepath.Join(dir, "srv"), "/etc/nginx/conf.d/gallery.conf", conf, "http://gallery.example", "http://"+listen))
	script := exec.Command("sh", "-ec", r.blocks[block]+flags)
	script.Dir, script.Env = dir, append(b.env, "XDG_CACHE_HOME="+dir)
	start(t, "readme", dir, script).await(t, `msg=listening .*addr=(\S+)`)
	if printed, err := os.ReadFile(conf); err == nil {
		r.nginx = strings.ReplaceAll(string(printed), "127.0.0.1:8080", shim)
	}
	g := &gallery{client: b.suite.authority.client(), dir: dir, base: "http://" + listen, shim: "http://" + shim}
	g.startNginx(t, b.suite.tools, r.nginx)
	return g
}

// bucketResponses are the same in every set-up.
var bucketResponses = []responseCase{
	{path: "/", status: 200, header: map[string]string{"Content-Type": "text/html; charset=utf-8"}},
	{path: "/item/acme.hello.html", status: 200, header: map[string]string{"Content-Type": "text/html; charset=utf-8"}},
	{path: "/item?itemName=ACME.Hello", status: 302, header: map[string]string{"Cache-Control": "no-store"}},
	{path: "/item/?itemName=acme.hello", status: 302},
	{path: "/vscode/item?itemName=acme.hello", status: 302},
	{path: "/item?itemName=acme.nobody", status: 404},
	{path: "/publishers/acme.html", status: 200, header: map[string]string{"Content-Type": "text/html; charset=utf-8"}},
	{path: "/publishers/acme", status: 302},
	{path: "/categories/", status: 200, header: map[string]string{"Content-Type": "text/html; charset=utf-8"}},
	{path: "/gallery.js", status: 200, header: map[string]string{"Content-Type": "text/javascript; charset=utf-8"}},
	{path: "/search/top.json", status: 200, header: map[string]string{"Content-Type": "application/json"}},
	{path: "/control.json", status: 200, header: map[string]string{"Content-Type": "application/json"}},
	{path: "/index/CURRENT", status: 200, header: map[string]string{"Cache-Control": "no-cache"}},
	{path: hello + services + "VSIXPackage?redirect=true&install=true", status: 200, header: map[string]string{"Content-Type": "application/vsix", "Cache-Control": immutable}},
	{path: hello + services + "Icons.Default", status: 200, header: map[string]string{"Content-Type": "image/png", "Cache-Control": immutable}},
	{path: hello + code + "Manifest", send: map[string]string{"Authorization": "Bearer of.the.gallery"}, status: 200, header: map[string]string{"Content-Type": "application/json"}},
	{path: "/files/acme/word-count/1.0.0/extension/extension.js", status: 200, header: map[string]string{"Content-Type": "text/javascript; charset=utf-8"}},
	{path: "/api/vscode/acme/hello/latest", status: 200, header: map[string]string{"Content-Type": "application/json"}},
	{path: "/api/vscode/ACME/Hello/latest", status: 200},
	{path: "/nothing/here", status: 404},
	{path: "/publishers/acme/nothing", status: 404},
	{path: "/assets/acme/hello/9.9.9/" + code + "Manifest", status: 404},
	{path: "/api/vscode/acme/nothing/latest", status: 404},
	{method: "OPTIONS", path: "/api/extensionquery", status: 204, send: map[string]string{"Origin": "http://editor.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-market-client-id"}},
	{method: "OPTIONS", path: hello + code + "Manifest", status: 204, send: map[string]string{"Origin": "http://editor.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-market-client-id"}},
	{method: "POST", path: "/api/publishers/acme/extensions/hello/1.1.0/stats?statType=install", status: 204},
}

// serves runs a set-up and makes requests. If files is set, galshim has the site's files, and finds
// those that are requested in another case of letters.
func (b bucketSetups) serves(t *testing.T, block int, flags string, files bool, missing ...string) {
	g := b.run(t, block, flags)
	for _, c := range bucketResponses {
		if slices.Contains(missing, c.path) {
			c.status, c.header = 404, nil
		}
		t.Run(c.method+c.path, func(t *testing.T) { g.checkResponseHeaders(t, c) })
	}
	otherCase := responseCase{path: "/assets/ACME/Hello/1.1.0/" + code + "Manifest", status: 404}
	forPeople := responseCase{path: "/api/publishers/acme/vsextensions/hello/1.1.0/vspackage", status: 200} // nginx finds the file without galshim
	if files {
		otherCase.status = 200
	}
	for _, c := range []responseCase{otherCase, forPeople} {
		t.Run(c.path, func(t *testing.T) { g.checkResponseHeaders(t, c) })
	}
	got := g.request(t, "POST", "/api/extensionquery", `{"filters":[{"criteria":[{"filterType":7,"value":"acme.hello"}]}],"flags":950}`, nil)
	if got.status != 200 || !strings.Contains(string(got.body), `"`+g.base+strings.TrimSuffix(hello, "/")+`"`) {
		t.Errorf("a query: %d %.300s", got.status, got.body)
	}
}

// checkResponseHeaders checks a response, and that it has each of the security headers once.
func (g *gallery) checkResponseHeaders(t *testing.T, c responseCase) {
	g.checkResponse(t, c)
	got := g.request(t, cmp.Or(c.method, http.MethodGet), c.path, "", c.send)
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "cross-origin"} {
		if v := got.header.Values(name); !slices.Equal(v, []string{want}) {
			t.Errorf("%s: %q, want one %q", name, v, want)
		}
	}
}
