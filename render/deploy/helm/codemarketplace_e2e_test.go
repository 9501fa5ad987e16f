//go:build e2e

package helm

import (
	"strings"
	"testing"
)

// codeMarketplace has every value of the chart of coder/code-marketplace 1.4.2: how it is set, and
// what it adds to the objects. Without a text, the value has no effect, and README.md says why.
//
// Source: https://github.com/coder/code-marketplace/blob/f5cc24d/helm/values.yaml
var codeMarketplace = map[string]struct{ set, want string }{
	"replicaCount":            {"replicaCount=3,persistence.accessModes[0]=ReadWriteMany", "\n  replicas: 3\n"},
	"image.repository":        {"image.repository=r.example/x", `image: "r.example/x:v1"`},
	"image.pullPolicy":        {"image.pullPolicy=Always", "imagePullPolicy: Always"},
	"image.tag":               {"image.tag=v9", `image: "registry.example/galshim:v9"`},
	"extraEnv":                {"extraEnv[0].name=A,extraEnv[0].value=b", "- name: A\n              value: b"},
	"verboseLogging":          {"verboseLogging=true", "- --verbose"},
	"extensionSigning":        {"extensionSigning=true", ""},
	"imagePullSecrets":        {"imagePullSecrets[0].name=registry", "imagePullSecrets:\n        - name: registry"},
	"nameOverride":            {"nameOverride=shop", "app.kubernetes.io/name: shop"},
	"fullnameOverride":        {"fullnameOverride=shop", "kind: Deployment\nmetadata:\n  name: shop\n"},
	"serviceAccount.create":   {"serviceAccount.create=false", "serviceAccountName: default"},
	"serviceAccount.name":     {"serviceAccount.name=reader", "serviceAccountName: reader"},
	"podAnnotations":          {"podAnnotations.team=tools", "\n        team: tools\n"},
	"podSecurityContext":      {"podSecurityContext.fsGroup=2000", "fsGroup: 2000"},
	"securityContext":         {"securityContext.runAsUser=1000", "runAsUser: 1000"},
	"service.type":            {"service.type=NodePort", "type: NodePort"},
	"service.port":            {"service.port=8080", "- name: http\n      port: 8080\n"},
	"ingress.enabled":         {ingressOf(""), "kind: Ingress"},
	"ingress.className":       {ingressOf("ingress.className=nginx"), "ingressClassName: nginx"},
	"ingress.hosts":           {ingressOf(""), "- host: \"h.example\"\n      http:\n        paths:\n          - path: /\n            pathType: Prefix"},
	"ingress.tls":             {ingressOf("ingress.tls[0].secretName=tls,ingress.tls[0].hosts[0]=h.example"), "secretName: tls"},
	"ingress.annotations":     {ingressOf("ingress.annotations.team=tools"), "  annotations:\n    team: tools"},
	"resources":               {"resources.limits.cpu=2", "cpu: 2\n"},
	"autoscaling.enabled":     {scaled(""), "kind: HorizontalPodAutoscaler"},
	"autoscaling.minReplicas": {scaled("autoscaling.minReplicas=4"), "minReplicas: 4"},
	"autoscaling.maxReplicas": {scaled("autoscaling.maxReplicas=7"), "maxReplicas: 7"},
	"autoscaling.targetCPUUtilizationPercentage":    {scaled("autoscaling.targetCPUUtilizationPercentage=70"), "averageUtilization: 70"},
	"autoscaling.targetMemoryUtilizationPercentage": {scaled("autoscaling.targetMemoryUtilizationPercentage=60"), "averageUtilization: 60"},
	"volumes":                         {"volumes[0].name=foo,volumes[0].secret.secretName=mine", "- name: foo\n          secret:\n            secretName: mine"},
	"volumeMounts":                    {"volumeMounts[0].name=foo,volumeMounts[0].mountPath=/etc/foo", "- mountPath: /etc/foo\n              name: foo"},
	"nodeSelector":                    {"nodeSelector.disk=ssd", "nodeSelector:\n        disk: ssd"},
	"tolerations":                     {"tolerations[0].key=k,tolerations[0].operator=Exists", "tolerations:\n        - key: k"},
	"affinity":                        {"affinity.podAffinity.x=y", "affinity:\n        podAffinity:"},
	"persistence.storageClass":        {"persistence.storageClass=standard", `storageClassName: "standard"`},
	"persistence.size":                {"persistence.size=10Gi", `storage: "10Gi"`},
	"serviceAccount.annotations":      {"serviceAccount.annotations.role=reader", "  annotations:\n    role: reader"},
	"persistence.artifactory.enabled": {artifactory, "secretKeyRef: {name: artifactory, key: token}"},
	"persistence.artifactory.uri":     {artifactory, "artifactory:https://repo.example/artifactory/"},
	"persistence.artifactory.repo":    {artifactory, "/generic/gallery"},
}

const artifactory = "persistence.artifactory.enabled=true,persistence.artifactory.uri=https://repo.example/artifactory,persistence.artifactory.repo=generic/gallery"

func ingressOf(more string) string {
	return "ingress.enabled=true,ingress.hosts[0].host=h.example,ingress.hosts[0].paths[0].path=/," + more
}

func scaled(more string) string {
	return "autoscaling.enabled=true,persistence.accessModes[0]=ReadWriteMany," + more
}

// TestCodeMarketplace checks that the values of code-marketplace's chart carry over.
func TestCodeMarketplace(t *testing.T) {
	t.Parallel()
	c := newChart(t)
	const file = "--values=testdata/values/default.yaml"
	before, err := c.template(file)
	if err != nil {
		t.Fatal(err)
	}
	readme := string(readChart(t, "README.md"))
	for value, tt := range codeMarketplace {
		after, err := c.template(file, "--set="+tt.set)
		switch {
		case err != nil:
			t.Errorf("%s: %v", value, err)
		case tt.want == "" && (after != before || !strings.Contains(readme, "| `"+value+"` | no effect: ")):
			t.Errorf("%s: it has an effect, or README.md does not say that it has none", value)
		case tt.want != "" && strings.Contains(before, tt.want):
			t.Errorf("%s: %q is there without it", value, tt.want)
		case tt.want != "" && !strings.Contains(after, tt.want):
			t.Errorf("%s: no %q in\n%s", value, tt.want, after)
		}
	}
	if len(codeMarketplace) != 39 {
		t.Errorf("%d values, want 39", len(codeMarketplace))
	}
}
