//go:build e2e

package e2e

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/build/porttest"
	"galbuild/cmd/e2e/toolchain"
)

// podValues are the values of the chart for a site in a bucket, with the fast interval of a test.
const podValues = `
image: {repository: registry.example/galshim}
galbuild: {image: {repository: registry.example/galbuild}}
baseURL: BASE
site:
  from: target
  target:
    address: s3://BUCKET/gallery
    follow: 1s
    env: [{name: GALBUILD_ENDPOINT, value: SERVER}]
    envFrom: [{secretRef: {name: gallery-read}}]
extraArgs: [--reload=1s]
sync:
  enabled: true
  env: [{name: GALBUILD_ENDPOINT, value: SERVER}]
  envFrom: [{secretRef: {name: gallery-write}}]
`

// TestKubernetes runs the pod that the Helm chart describes: the containers with their arguments,
// volumes and variables, without root and without a file system to write to. The pod copies a site
// from a bucket, serves it at a sub-path, and follows the bucket, to which the job publishes.
func TestKubernetes(t *testing.T) {
	dir := t.TempDir()
	s := suite{tools: toolchain.Tools(t), commands: compile(t, filepath.Join(dir, "bin")), dir: dir}
	t.Run("flags", s.checkFlags)
	packFolder(t, s, filepath.Join("..", "..", "testdata", "samples", "hello"))
	address, metrics := porttest.Address(t), porttest.Address(t)
	g := newGallery(t, s.commands, http.DefaultClient, filepath.Join(dir, "gallery"), "http://"+address+"/tools/gallery", "", filepath.Join(dir, "vsix"))
	b := newBucket(t)
	b.galbuild(t, s.commands, "publish", g.site)

	manifest := s.template(t, strings.NewReplacer("BASE", g.base, "BUCKET", b.name, "SERVER", b.server.URL).Replace(podValues))
	for port, now := range map[string]string{"8080": address, "8081": porttest.Address(t), "9090": metrics} {
		manifest = strings.ReplaceAll(manifest, port, portOf(t, now))
	}
	credentials := []string{"AWS_ACCESS_KEY_ID=" + b.server.AccessKey, "AWS_SECRET_ACCESS_KEY=" + b.server.SecretKey}
	server := kubelet{s.tools, s.commands, filepath.Join(dir, "server"), map[string][]string{"gallery-read": credentials}}
	server.serve(t, manifest)
	for _, url := range []string{"http://" + metrics + "/livez", "http://" + metrics + "/readyz", g.base + "/item/acme.hello.html", g.base + "/readyz"} {
		awaitStatus(t, url, http.StatusOK)
	}
	awaitStatus(t, g.base+"/item/acme.word-count.html", http.StatusNotFound)
	if got := g.request(t, "GET", "/api/vscode/ACME/hello/latest", "", nil); !strings.Contains(string(got.body), g.base+"/assets/acme/hello/") {
		t.Errorf("galshim responds with %d %s", got.status, got.body)
	}

	job := kubelet{s.tools, s.commands, filepath.Join(dir, "job"), map[string][]string{"gallery-write": credentials}}
	s.dir = filepath.Join(dir, "more")
	packFolder(t, s, filepath.Join("..", "..", "testdata", "samples", "word-count"))
	job.volume(t, "site", nil)
	if err := os.CopyFS(filepath.Join(job.dir, "volumes", "site", "vsixs"), os.DirFS(filepath.Join(s.dir, "vsix"))); err != nil {
		t.Fatal(err)
	}
	job.job(t, manifest)
	awaitStatus(t, g.base+"/item/acme.word-count.html", http.StatusOK)
	awaitStatus(t, g.base+"/api/vscode/acme/WORD-COUNT/latest", http.StatusOK) // from galshim
}

// checkFlags checks that the programs understand the arguments of all containers, with each file of
// values. --help as the last argument prints the help after all arguments before it were parsed.
func (s suite) checkFlags(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "render", "deploy", "helm", "testdata", "values", "*.yaml"))
	if err != nil || len(files) < 8 {
		t.Fatalf("found %q (%v)", files, err)
	}
	secrets := t.TempDir() // which some flags need
	for _, name := range []string{"config.json", "key.minisign", "gallery.pub"} {
		if err := os.WriteFile(filepath.Join(secrets, name), []byte(`{"backends": {"s3": {"bucket": "vsix"}}}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range files {
		values, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		manifest := strings.NewReplacer("/secrets/", secrets+"/", "/extra/", secrets+"/").Replace(s.template(t, string(values)))
		for _, c := range podContainers(t, manifest) {
			program := s.commands.galshim
			switch {
			case len(c.Command) > 0 && c.Command[0] == "nginx":
				continue
			case len(c.Command) > 0:
				program = s.commands.galbuild
			}
			if out, err := exec.Command(program, append(c.Args, "--help")...).CombinedOutput(); err != nil {
				t.Errorf("%s: container %s: %q: %s", filepath.Base(file), c.Name, c.Args, out)
			}
		}
	}
}

// template returns what Helm would install with these values.
func (s suite) template(t *testing.T, values string) string {
	t.Helper()
	chart := filepath.Join(t.TempDir(), "chart")
	if out, err := exec.Command(s.commands.galbuild, "config", "helm", "-o", chart).CombinedOutput(); err != nil {
		t.Fatalf("galbuild config helm: %v\n%s", err, out)
	}
	helm := exec.Command(s.tools.Helm, "template", "gallery", chart, "--values=-")
	helm.Stdin = strings.NewReader(values)
	out, err := helm.CombinedOutput()
	if err != nil {
		t.Fatalf("helm template: %v\n%s", err, out)
	}
	return string(out)
}

// awaitStatus sends requests until the status is as wanted.
func awaitStatus(t *testing.T, url string, want int) {
	t.Helper()
	var last any
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(pollInterval) {
		response, err := http.Get(url)
		if last = err; err == nil {
			response.Body.Close()
			if last = response.StatusCode; last == want {
				return
			}
		}
	}
	t.Fatalf("%s: got %v, want %d", url, last, want)
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
