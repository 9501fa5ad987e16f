//go:build e2e

package e2e

import (
	_ "embed" // container.sh
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"galbuild/cmd/e2e/toolchain"
)

// A kubelet runs the containers of a pod as processes, as the kubelet of a node does: each in a
// mount namespace, with a root file system that cannot be written to, the volumes that it mounts,
// and as the user of the pod. It needs no images, because the programs are those of the test. It
// has no limits of resources, and no network of its own.
type kubelet struct {
	tools    toolchain.Toolbox
	commands commands
	dir      string
	secrets  map[string][]string // by name: variables of envFrom
}

//go:embed container.sh
var containerScript string

// podUser is the user of all containers of the chart.
const podUser = 65532

// A podTemplate is what a kubelet reads of a pod.
type podTemplate struct {
	InitContainers []podContainer `yaml:"initContainers"`
	Containers     []podContainer
	Volumes        []struct {
		Name      string
		ConfigMap *struct{ Name string } `yaml:"configMap"`
		EmptyDir  *struct{}              `yaml:"emptyDir"`
		Claim     *struct{}              `yaml:"persistentVolumeClaim"`
	}
}

type podContainer struct {
	Name          string
	Command, Args []string
	RestartPolicy string                         `yaml:"restartPolicy"`
	Env           []struct{ Name, Value string } `yaml:"env"`
	EnvFrom       []struct {
		SecretRef struct{ Name string } `yaml:"secretRef"`
	} `yaml:"envFrom"`
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

// serve runs the pod of the Deployment in a manifest until the test ends: containers that end one
// after the other, and then sidecars and all others.
func (k *kubelet) serve(t *testing.T, manifest string) {
	t.Helper()
	pod := k.read(t, manifest, "Deployment")
	for _, c := range pod.InitContainers {
		if c.RestartPolicy == "Always" {
			k.start(t, c)
		} else {
			k.finish(t, c)
		}
	}
	for _, c := range pod.Containers {
		k.start(t, c)
	}
}

// job runs the pod of the CronJob in a manifest until it ends.
func (k *kubelet) job(t *testing.T, manifest string) {
	t.Helper()
	for _, c := range k.read(t, manifest, "CronJob").Containers {
		k.finish(t, c)
	}
}

// finish runs a container until it ends.
func (k *kubelet) finish(t *testing.T, c podContainer) {
	t.Helper()
	if out, err := k.command(t, c).CombinedOutput(); err != nil {
		t.Fatalf("container %s: %v\n%s", c.Name, err, out)
	}
}

// read returns the pod of the Deployment or CronJob, and makes its volumes.
func (k *kubelet) read(t *testing.T, manifest, kind string) (pod podTemplate) {
	t.Helper()
	configs := map[string]map[string]string{}
	for _, o := range parseManifest(t, manifest) {
		switch o.Kind {
		case "ConfigMap":
			configs[o.Metadata.Name] = o.Data
		case kind:
			pod = o.pod()
		}
	}
	for _, v := range pod.Volumes {
		switch {
		case v.ConfigMap != nil:
			k.volume(t, v.Name, configs[v.ConfigMap.Name])
		case v.EmptyDir != nil, v.Claim != nil:
			k.volume(t, v.Name, nil)
		default:
			t.Fatalf("volume %s: this kubelet has no volumes of its kind", v.Name)
		}
	}
	return pod
}

// A manifestObject is what a kubelet reads of an object.
type manifestObject struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Template    struct{ Spec podTemplate }
		JobTemplate struct {
			Spec struct {
				Template struct{ Spec podTemplate }
			}
		} `yaml:"jobTemplate"`
	}
}

// pod returns the pod of a Deployment or a CronJob.
func (o manifestObject) pod() podTemplate {
	if o.Kind == "CronJob" {
		return o.Spec.JobTemplate.Spec.Template.Spec
	}
	return o.Spec.Template.Spec
}

func parseManifest(t *testing.T, manifest string) (objects []manifestObject) {
	t.Helper()
	for _, document := range strings.Split(manifest, "\n---\n") {
		var o manifestObject
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, o)
	}
	return objects
}

// podContainers returns all containers of Deployments and CronJobs.
func podContainers(t *testing.T, manifest string) (containers []podContainer) {
	t.Helper()
	for _, o := range parseManifest(t, manifest) {
		containers = slices.Concat(containers, o.pod().InitContainers, o.pod().Containers)
	}
	return containers
}

// volume makes a volume with files. It belongs to the pod, as fsGroup says.
func (k *kubelet) volume(t *testing.T, name string, files map[string]string) {
	t.Helper()
	dir := filepath.Join(k.dir, "volumes", name)
	err := os.MkdirAll(dir, 0o777)
	for file, text := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644)
		}
	}
	if err == nil && os.Geteuid() == 0 {
		err = os.Chown(dir, podUser, podUser)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// start starts a container. The user of the pod may open its standard output, as in a cluster.
func (k *kubelet) start(t *testing.T, c podContainer) {
	t.Helper()
	log := filepath.Join(k.dir, c.Name+".log")
	err := os.WriteFile(log, nil, 0o666)
	if err == nil && os.Geteuid() == 0 {
		err = os.Chown(log, podUser, podUser)
	}
	if err != nil {
		t.Fatal(err)
	}
	start(t, c.Name, k.dir, k.command(t, c))
}

// command returns the command that runs a container.
func (k *kubelet) command(t *testing.T, c podContainer) *exec.Cmd {
	t.Helper()
	root := filepath.Join(k.dir, "roots", c.Name)
	binds := []string{"/dev:/dev:rw", "/proc:/proc:rw", "/usr:/usr:ro", "/lib:/lib:ro", "/lib64:/lib64:ro"} // with libc
	command := c.Command
	switch {
	case len(command) == 0: // the entry point of the image
		command = []string{"/galshim"}
		binds = append(binds, k.commands.galshim+":/galshim:ro")
	case command[0] == "/galbuild":
		binds = append(binds, k.commands.galbuild+":/galbuild:ro")
	case command[0] == "nginx":
		command = slices.Concat([]string{k.tools.Nginx}, command[1:])
		folder := filepath.Dir(filepath.Dir(k.tools.Nginx))
		binds = append(binds, folder+":"+folder+":ro", "/bin:/bin:ro", "/etc/passwd:/etc/passwd:ro", "/etc/group:/etc/group:ro")
	}
	for _, m := range c.VolumeMounts {
		mode := "rw"
		if m.ReadOnly {
			mode = "ro"
		}
		binds = append(binds, fmt.Sprintf("%s:%s:%s", filepath.Join(k.dir, "volumes", m.Name), m.MountPath, mode))
	}
	args := []string{"--mount", "bash", "-c", containerScript, "container.sh", root, strings.Join(binds, "\n")}
	if os.Geteuid() != 0 {
		args = slices.Concat([]string{"--map-root-user"}, args)
	}
	cmd := exec.Command("unshare", slices.Concat(args, command, c.Args)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", fmt.Sprint("POD_USER=", podUser)}
	for _, v := range c.Env {
		cmd.Env = append(cmd.Env, v.Name+"="+v.Value)
	}
	for _, from := range c.EnvFrom {
		variables, found := k.secrets[from.SecretRef.Name]
		if !found {
			t.Fatalf("container %s: there is no Secret %s", c.Name, from.SecretRef.Name)
		}
		cmd.Env = append(cmd.Env, variables...)
	}
	return cmd
}
