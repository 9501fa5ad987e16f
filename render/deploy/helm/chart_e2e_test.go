//go:build e2e

package helm

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"galbuild/cmd/e2e/toolchain"
)

// A chart is the chart as galbuild writes it, and Helm.
type chart struct{ program, dir string }

func newChart(t *testing.T) chart {
	t.Helper()
	c := chart{toolchain.Tools(t).Helm, filepath.Join(t.TempDir(), "chart")}
	if err := Write(c.dir, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	return c
}

// helm runs a command of Helm, and returns its output, or its error messages as the error. Helm
// reads no settings of the user, and there is no cluster.
func (c chart) helm(args ...string) (string, error) {
	command := exec.Command(c.program, args...)
	command.Env = []string{"HOME=" + c.dir + ".home", "PATH=" + os.Getenv("PATH")}
	var out, messages bytes.Buffer
	command.Stdout, command.Stderr = &out, &messages
	if err := command.Run(); err != nil {
		return "", errors.New(strings.TrimSpace(messages.String() + out.String()))
	}
	return out.String(), nil
}

// template returns what Helm would install, as release gallery in the namespace tools.
func (c chart) template(args ...string) (string, error) {
	return c.helm(slices.Concat([]string{"template", "gallery", c.dir, "--namespace=tools"}, args)...)
}

// objects returns the objects that Helm would install with a file of values.
func (c chart) objects(t *testing.T, file string) []object {
	t.Helper()
	text, err := c.template("--values=" + file)
	if err != nil {
		t.Fatal(err)
	}
	return parseObjects(t, text)
}

// valuesFiles returns the files of values in testdata.
func valuesFiles(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("testdata/values/*.yaml")
	if err != nil || len(found) < 8 {
		t.Fatalf("testdata/values has %q (%v)", found, err)
	}
	return found
}

// An object is an object of Kubernetes.
type object map[string]any

func parseObjects(t *testing.T, text string) (objects []object) {
	t.Helper()
	for d := yaml.NewDecoder(strings.NewReader(text)); ; {
		var o object
		switch err := d.Decode(&o); {
		case errors.Is(err, io.EOF):
			return objects
		case err != nil:
			t.Fatalf("%v in\n%s", err, text)
		case o != nil:
			objects = append(objects, o)
		}
	}
}

// get returns the value at a path of keys, or nil.
func (o object) get(path ...string) any {
	var v any = o
	for _, key := range path {
		switch m := v.(type) {
		case object:
			v = m[key]
		case map[string]any:
			v = m[key]
		default:
			return nil
		}
	}
	return v
}

// into decodes the value at a path into a struct.
func (o object) into(t *testing.T, target any, path ...string) {
	t.Helper()
	text, err := yaml.Marshal(o.get(path...))
	if err == nil {
		err = yaml.Unmarshal(text, target)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (o object) text(path ...string) string {
	s, _ := o.get(path...).(string)
	return s
}

func (o object) kind() string { return o.text("kind") }

func (o object) name() string { return o.text("metadata", "name") }

// TestLint runs helm lint, which fails for warnings too.
func TestLint(t *testing.T) {
	t.Parallel()
	c := newChart(t)
	for _, file := range valuesFiles(t) {
		if _, err := c.helm("lint", c.dir, "--strict", "--values="+file); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestObjects checks what Helm would install with each file of values.
func TestObjects(t *testing.T) {
	t.Parallel()
	c, s := newChart(t), newSchemas(t)
	for _, file := range valuesFiles(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			objects := c.objects(t, file)
			checkKinds(t, name, objects)
			for _, o := range objects {
				if err := validate(s.schema(t, o), o); err != nil {
					t.Errorf("%s %s: %v", o.kind(), o.name(), err)
				}
			}
			for _, p := range pods(t, objects) {
				p.checkRestricted(t)
				p.checkReferences(t, objects)
			}
			checkSelectors(t, objects)
		})
	}
}

// checkKinds checks which objects there are with a file of values.
func checkKinds(t *testing.T, name string, objects []object) {
	t.Helper()
	const all = "ServiceAccount NetworkPolicy PodDisruptionBudget Service Service Deployment"
	const nginx = " ConfigMap Pod" // the Pod is the test of the chart
	const job = " ConfigMap CronJob NetworkPolicy"
	want, found := map[string]string{
		"default":     all + nginx + " PersistentVolumeClaim",
		"volume":      all + nginx + " PersistentVolumeClaim" + job,
		"target":      all + nginx + job + " PersistentVolumeClaim", // of the job
		"artifactory": all + nginx,
		"image":       all + nginx,
		"image-alone": all,
		"ingress":     all + nginx + " PersistentVolumeClaim Ingress",
		"autoscaling": all + nginx + " HorizontalPodAutoscaler ServiceMonitor",
	}[name]
	if !found {
		t.Error("add the objects to the table")
	}
	var got []string
	for _, o := range objects {
		got = append(got, o.kind())
	}
	wanted := strings.Fields(want)
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		t.Errorf("got %q, want %q", got, wanted)
	}
}

// TestRefuses checks the messages for values that cannot be installed.
func TestRefuses(t *testing.T) {
	t.Parallel()
	c := newChart(t)
	for _, tt := range []struct{ set, want string }{
		{"ngnix.enabled=false", "additional properties 'ngnix' not allowed"},
		{"site.form=image", "additional properties 'form' not allowed"},
		{"site.from=bucket", "value must be one of 'volume', 'target', 'image'"},
		{"replicaCount=many", "got string, want integer"},
		{"service.port=0", "minimum: got 0, want 1"},
		{"image.digest=latest", "'latest' does not match pattern"},
		{"baseURL=gallery.example", "'gallery.example' does not match pattern"},
		{"trustedProxies[0]=proxy.example", "'proxy.example' does not match pattern"},
		{"persistence.size=lots", "'lots' does not match pattern"},
		{"image.repository=", "image.repository: name the image with galshim"},
		{"galbuild.image.repository=,galbuild.image.tag=v1", "galbuild.image.repository: name the image that galbuild.image.tag"},
		{"site.from=target", "site.target.address: name the target of the site"},
		{"site.image.repository=x,site.from=image", "site.image.tag: name the tag of the image with the site"},
		{"replicaCount=2", "persistence.accessModes: several replicas need a volume"},
		{"autoscaling.enabled=true", "persistence.accessModes: several replicas need a volume"},
		{"autoscaling.minReplicas=11", "autoscaling.minReplicas: 11 is more than autoscaling.maxReplicas, 10"},
		{"ingress.enabled=true", "ingress.hosts: want at least one host"},
		{"ingress.enabled=true,ingress.hosts[0].host=*.example,ingress.hosts[0].paths[0].path=/", "baseURL: want the address of the gallery, because *.example"},
		{"ingress.enabled=true,ingress.hosts[0].host=h,ingress.hosts[0].paths[0].path=/x(/|$)(.*)", "because h/x(/|$)(.*) in ingress.hosts is not one"},
		{"sync.enabled=true,site.from=image", "sync.enabled: a job cannot change a site that comes from an image"},
	} {
		if _, err := c.template("--values=testdata/values/default.yaml", "--set="+tt.set); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.set, err, tt.want)
		}
	}
}

// TestNotes checks the address in the notes, which Helm prints after an installation.
func TestNotes(t *testing.T) {
	t.Parallel()
	c := newChart(t)
	for set, want := range map[string]string{
		"nameOverride=":                           "The gallery is at http://gallery.tools\n",
		"service.port=8080":                       "The gallery is at http://gallery.tools:8080\n",
		"nginx.enabled=false":                     "The gallery is at the address of the Service gallery in the namespace tools.\n",
		"baseURL=https://tools.example/gallery/":  "galbuild config code-server --base-url https://tools.example/gallery\n",
		"sync.enabled=true,fullnameOverride=shop": "kubectl create job -n tools --from=cronjob/shop-sync shop-sync-now",
	} {
		out, err := c.helm("install", "gallery", c.dir, "--namespace=tools", "--dry-run=client", "--values=testdata/values/default.yaml", "--set="+set)
		if err != nil {
			t.Errorf("%s: %v", set, err)
			continue
		}
		if _, notes, _ := strings.Cut(out, "NOTES:"); !strings.Contains(notes, want) {
			t.Errorf("%s: got %s, want %q", set, notes, want)
		}
	}
}
