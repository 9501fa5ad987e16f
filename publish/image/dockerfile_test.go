package image

import (
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDockerfile checks that the image of the Dockerfile has the configuration of this package's.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("../../render/deploy/container/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, last, ok := strings.Cut(string(text), "\nFROM scratch\n")
	if !ok {
		t.Fatal("the last stage is not from scratch")
	}
	out := filepath.Join(t.TempDir(), "oci.tar")
	if _, err := write(t.Context(), Config{Programs: []Program{program(t, elf.EM_X86_64)}, Version: "v1.2.0", Output: out}, nil); err != nil {
		t.Fatal(err)
	}
	_, index := unpack(t, out)
	c, err := imageOf(t, index, "amd64").ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(last, "\n")
	for _, want := range []string{
		"USER " + c.Config.User, "WORKDIR " + c.Config.WorkingDir, "ENV " + strings.Join(c.Config.Env, " "), "EXPOSE 8080/tcp",
		`ENTRYPOINT ["` + c.Config.Entrypoint[0] + `"]`, "COPY --from=build --chown=" + c.Config.User + " /out/cache /" + cacheFolder,
		"COPY --from=build /out/galshim " + c.Config.Entrypoint[0], "COPY --from=build /etc/ssl/certs/ca-certificates.crt /" + filepath.Dir(caFile) + "/",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("the Dockerfile has no line %q", want)
		}
	}
	if _, ok := c.Config.ExposedPorts["8080/tcp"]; !ok {
		t.Errorf("the image exposes %v", c.Config.ExposedPorts)
	}
}
