//go:build e2e

package helm

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// A pod is a pod, or the template of one.
type pod struct {
	owner    string // kind and name of the object that it is in
	Metadata struct{ Labels map[string]string }
	Spec     podSpec
}

type podSpec struct {
	HostNetwork, HostPID, HostIPC bool
	AutomountServiceAccountToken  *bool  `yaml:"automountServiceAccountToken"`
	EnableServiceLinks            *bool  `yaml:"enableServiceLinks"`
	ServiceAccountName            string `yaml:"serviceAccountName"`
	SecurityContext               struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      int                   `yaml:"runAsUser"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	InitContainers []container `yaml:"initContainers"`
	Containers     []container
	Volumes        []map[string]any
}

type container struct {
	Name            string
	Image           string
	Command, Args   []string
	RestartPolicy   string `yaml:"restartPolicy"`
	SecurityContext struct {
		Privileged               bool
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Add, Drop []string }
	} `yaml:"securityContext"`
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
		HostPort      int `yaml:"hostPort"`
	}
	VolumeMounts   []mount `yaml:"volumeMounts"`
	StartupProbe   *probe  `yaml:"startupProbe"`
	LivenessProbe  *probe  `yaml:"livenessProbe"`
	ReadinessProbe *probe  `yaml:"readinessProbe"`
	Resources      struct{ Requests, Limits map[string]string }
}

type mount struct {
	Name      string
	MountPath string `yaml:"mountPath"`
	ReadOnly  bool   `yaml:"readOnly"`
}

type probe struct {
	HTTPGet   *struct{ Path, Port string } `yaml:"httpGet"`
	TCPSocket *struct{ Port string }       `yaml:"tcpSocket"`
}

// pods returns all pods and templates of pods.
func pods(t *testing.T, objects []object) (list []pod) {
	t.Helper()
	paths := map[string][]string{
		"Pod": {}, "Deployment": {"spec", "template"}, "CronJob": {"spec", "jobTemplate", "spec", "template"},
	}
	for _, o := range objects {
		if path, found := paths[o.kind()]; found {
			p := pod{owner: o.kind() + " " + o.name()}
			o.into(t, &p, path...)
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		t.Error("there are no pods")
	}
	return list
}

func (p pod) containers() []container { return slices.Concat(p.Spec.InitContainers, p.Spec.Containers) }

// restrictedVolumes are the kinds of volumes that the standard admits.
var restrictedVolumes = []string{"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"}

// checkRestricted checks the rules of the Pod Security Standard restricted, a root file system that
// cannot be written to, and that a pod has no token for the cluster.
//
// Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
func (p pod) checkRestricted(t *testing.T) {
	t.Helper()
	s := p.Spec
	for rule, broken := range map[string]bool{
		"host namespaces": s.HostNetwork || s.HostPID || s.HostIPC,
		"non-root":        !s.SecurityContext.RunAsNonRoot || s.SecurityContext.RunAsUser == 0,
		"seccomp":         s.SecurityContext.SeccompProfile.Type != "RuntimeDefault",
		"token":           s.AutomountServiceAccountToken == nil || *s.AutomountServiceAccountToken,
		"service links":   s.EnableServiceLinks == nil || *s.EnableServiceLinks,
	} {
		if broken {
			t.Errorf("%s: %s", p.owner, rule)
		}
	}
	for _, v := range s.Volumes {
		for kind := range maps.Keys(v) {
			if kind != "name" && !slices.Contains(restrictedVolumes, kind) {
				t.Errorf("%s: volume of kind %s", p.owner, kind)
			}
		}
	}
	for _, c := range p.containers() {
		c.checkRestricted(t, p.owner)
	}
}

func (c container) checkRestricted(t *testing.T, owner string) {
	t.Helper()
	s := c.SecurityContext
	for rule, broken := range map[string]bool{
		"privileged":           s.Privileged,
		"privilege escalation": s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation,
		"capabilities":         len(s.Capabilities.Add) > 0 || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}),
		"read-only root":       !s.ReadOnlyRootFilesystem,
		"resources":            c.Resources.Requests["cpu"] == "" || c.Resources.Limits["memory"] == "",
	} {
		if broken {
			t.Errorf("%s: container %s: %s", owner, c.Name, rule)
		}
	}
	for _, port := range c.Ports {
		if port.HostPort != 0 || port.ContainerPort < 1024 {
			t.Errorf("%s: container %s: port %v", owner, c.Name, port)
		}
	}
}

// checkReferences checks that what a pod names exists: volumes, ports, and objects of the chart.
func (p pod) checkReferences(t *testing.T, objects []object) {
	t.Helper()
	unused := map[string]bool{}
	for _, v := range p.Spec.Volumes {
		o := object(v)
		unused[o.text("name")] = true
		if name := o.text("configMap", "name"); strings.HasPrefix(name, "gallery") && !has(objects, "ConfigMap", name) {
			t.Errorf("%s: there is no ConfigMap %s", p.owner, name)
		}
		if name := o.text("persistentVolumeClaim", "claimName"); strings.HasPrefix(name, "gallery") && !has(objects, "PersistentVolumeClaim", name) {
			t.Errorf("%s: there is no PersistentVolumeClaim %s", p.owner, name)
		}
	}
	names := slices.Sorted(maps.Keys(unused))
	for _, c := range p.containers() {
		for _, m := range c.VolumeMounts {
			delete(unused, m.Name)
			if !slices.Contains(names, m.Name) {
				t.Errorf("%s: container %s mounts the volume %s, which does not exist", p.owner, c.Name, m.Name)
			}
		}
		for _, probe := range []*probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
			if probe != nil && !c.hasPort(probe.port()) {
				t.Errorf("%s: container %s has no port %s for a probe", p.owner, c.Name, probe.port())
			}
		}
	}
	if len(unused) > 0 {
		t.Errorf("%s: no container mounts %v", p.owner, unused)
	}
	if !has(objects, "ServiceAccount", p.Spec.ServiceAccountName) {
		t.Errorf("%s: there is no ServiceAccount %s", p.owner, p.Spec.ServiceAccountName)
	}
}

func has(objects []object, kind, name string) bool {
	return slices.ContainsFunc(objects, func(o object) bool { return o.kind() == kind && o.name() == name })
}

func (p *probe) port() string {
	if p.HTTPGet != nil {
		return p.HTTPGet.Port
	}
	return p.TCPSocket.Port
}

func (c container) hasPort(name string) bool {
	for _, port := range c.Ports {
		if port.Name == name {
			return true
		}
	}
	return false
}

// checkSelectors checks what Services, policies and so on select: all of them the pods that serve,
// which have the ports, and none of them the pods of jobs.
func checkSelectors(t *testing.T, objects []object) {
	t.Helper()
	selectors := map[string][]string{
		"Service": {"spec", "selector"}, "PodDisruptionBudget": {"spec", "selector", "matchLabels"},
		"NetworkPolicy": {"spec", "podSelector", "matchLabels"}, "Deployment": {"spec", "selector", "matchLabels"},
	}
	for _, o := range objects {
		what := o.kind() + " " + o.name()
		if path, found := selectors[o.kind()]; found {
			owner := "Deployment gallery"
			if what == "NetworkPolicy gallery-sync" {
				owner = "CronJob gallery-sync"
			}
			for _, p := range pods(t, objects) {
				if selects(t, o, path, p.Metadata.Labels) != (p.owner == owner) {
					t.Errorf("%s: wrong for the pods of %s", what, p.owner)
				}
			}
		}
		switch o.kind() {
		case "HorizontalPodAutoscaler":
			if !has(objects, o.text("spec", "scaleTargetRef", "kind"), o.text("spec", "scaleTargetRef", "name")) {
				t.Errorf("%s scales nothing", what)
			}
		case "ServiceMonitor":
			for _, service := range objects {
				var labels map[string]string
				service.into(t, &labels, "metadata", "labels")
				wanted := service.kind() == "Service" && service.name() == "gallery-metrics"
				if service.kind() == "Service" && selects(t, o, []string{"spec", "selector", "matchLabels"}, labels) != wanted {
					t.Errorf("%s: wrong for Service %s", what, service.name())
				}
			}
		}
	}
}

// selects reports whether the selector at a path of an object selects what has these labels.
func selects(t *testing.T, o object, path []string, labels map[string]string) bool {
	t.Helper()
	var selector map[string]string
	o.into(t, &selector, path...)
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return len(selector) > 0
}
