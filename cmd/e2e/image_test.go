//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"galbuild/build/porttest"
	"galbuild/cmd/e2e/toolchain"
)

// TestDeployment runs galshim with one site in the ways of render/deploy that have no web server.
func TestDeployment(t *testing.T) {
	dir := t.TempDir()
	s := suite{tools: toolchain.Tools(t), commands: compile(t, filepath.Join(dir, "bin")), dir: dir}
	packFolder(t, s, filepath.Join("..", "..", "testdata", "samples", "hello"))
	site := filepath.Join(dir, "site")
	if out, err := exec.Command(s.commands.galbuild, filepath.Join(dir, "vsix"), "-o", site).CombinedOutput(); err != nil {
		t.Fatalf("galbuild: %v\n%s", err, out)
	}
	t.Run("container", func(t *testing.T) { runImage(t, s, site) })
	t.Run("socket", func(t *testing.T) { socketActivation(t, s, site) })
}

// runImage builds galshim as the Dockerfile does, writes an image with a site, and runs what is in
// it as a container: from its layers alone, with a read-only root, and as its user.
func runImage(t *testing.T, s suite, site string) {
	dir := t.TempDir()
	file := filepath.Join(dir, "oci.tar")
	image := exec.Command(s.commands.galbuild, "image", site, "-o", file, "--galshim", buildAsDockerfile(t, dir))
	if out, err := image.CombinedOutput(); err != nil {
		t.Fatalf("galbuild image: %v\n%s", err, out)
	}
	root := filepath.Join(dir, "root")
	config := unpackImage(t, file, root)
	if out, err := exec.Command(s.commands.galbuild, "verify", filepath.Join(root, "site")).CombinedOutput(); err != nil {
		t.Errorf("galbuild verify: %v\n%s", err, out)
	}
	address := porttest.Address(t)
	c := container(config, root, "--listen", address)
	start(t, "container", dir, c).await(t, "msg=listening")
	for path, want := range map[string]string{"/healthz": `"status":"ok"`, "/item/acme.hello.html": "Hello", "/api/vscode/acme/hello/latest": `"extensionName":"hello"`} {
		response, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s, %v: %.300s", path, response.Status, err, body)
		}
	}
}

// buildAsDockerfile runs the command of the Dockerfile that builds galshim, and returns the
// program.
func buildAsDockerfile(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile("../../render/deploy/container/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^RUN (.* go build .*)$`).FindStringSubmatch(string(text))
	if line == nil {
		t.Fatal("the Dockerfile does not build galshim")
	}
	out := filepath.Join(dir, "out")
	build := exec.Command("sh", "-c", strings.Replace(line[1], "/out/", out+"/", 1))
	build.Dir, build.Env = "../..", append(os.Environ(), "TARGETARCH=amd64")
	if printed, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line[1], err, printed)
	}
	return filepath.Join(out, "galshim")
}

// unpackImage extracts the only image of a tarball into a folder, as a runtime does, and returns
// its configuration.
func unpackImage(t *testing.T, file, root string) v1.Config {
	t.Helper()
	oci := filepath.Join(filepath.Dir(file), "oci")
	for _, args := range [][]string{{"mkdir", oci, root}, {"tar", "xf", file, "-C", oci}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	index, err := layout.ImageIndexFromPath(oci)
	if err == nil {
		err = validate.Index(index)
	}
	if err != nil {
		t.Fatal(err)
	}
	var docker []struct {
		Config string
		Layers []string
	}
	text, err := os.ReadFile(filepath.Join(oci, "manifest.json"))
	if err := errors.Join(err, json.Unmarshal(text, &docker)); err != nil || len(docker) != 1 {
		t.Fatalf("manifest.json: %s, %v", text, err)
	}
	for _, layer := range docker[0].Layers {
		if out, err := exec.Command("tar", "xzpf", filepath.Join(oci, layer), "-C", root).CombinedOutput(); err != nil {
			t.Fatalf("layer %s: %v\n%s", layer, err, out)
		}
	}
	f, err := os.Open(filepath.Join(oci, docker[0].Config))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	config, err := v1.ParseConfigFile(f)
	if err != nil {
		t.Fatal(err)
	}
	return config.Config
}

// container returns a command that runs an image in the folder root. If this user is not root, it
// is the only one that the container can run as.
func container(c v1.Config, root string, args ...string) *exec.Cmd {
	namespace, user := []string{"--mount"}, "--userspec="+c.User
	if os.Geteuid() != 0 {
		namespace, user = []string{"--map-root-user", "--mount"}, "--userspec=0:0"
	}
	script := fmt.Sprintf(`mount --bind %[1]s %[1]s && mount -o remount,bind,ro %[1]s && exec env -i PATH="$PATH" %[2]s chroot %[3]s %[1]s "$@"`,
		root, strings.Join(c.Env, " "), user)
	command := append(append(namespace, "sh", "-c", script, "sh"), append(c.Entrypoint, args...)...)
	return exec.Command("unshare", command...)
}
