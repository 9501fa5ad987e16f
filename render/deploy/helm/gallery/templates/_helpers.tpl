{{- define "gallery.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of most objects. It is short enough for a suffix such as -metrics. */}}
{{- define "gallery.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "gallery.selectorLabels" -}}
app.kubernetes.io/name: {{ include "gallery.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The labels of the pods that serve the gallery, but not those of jobs. */}}
{{- define "gallery.serverLabels" -}}
{{ include "gallery.selectorLabels" . }}
app.kubernetes.io/component: server
{{- end }}

{{- define "gallery.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "gallery.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "gallery.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "gallery.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The reference of an image, from a map with repository, tag and digest. */}}
{{- define "gallery.reference" -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end }}
{{- end }}

{{/*
The lines image and imagePullPolicy of a container that runs galbuild. Without a repository of its own,
the image is the one with galshim.
*/}}
{{- define "gallery.galbuildImage" -}}
{{- $image := .Values.galbuild.image }}
{{- if $image.repository -}}
image: {{ include "gallery.reference" (dict "repository" $image.repository "tag" (default .Chart.AppVersion $image.tag) "digest" $image.digest) | quote }}
{{- else if or $image.tag $image.digest }}
{{- fail "galbuild.image.repository: name the image that galbuild.image.tag or galbuild.image.digest is of" }}
{{- else -}}
image: {{ include "gallery.galshimReference" . | quote }}
{{- end }}
imagePullPolicy: {{ default .Values.image.pullPolicy $image.pullPolicy }}
{{- end }}

{{/* The reference of the image with galshim. */}}
{{- define "gallery.galshimReference" -}}
{{- $repository := required "image.repository: name the image with galshim in your registry, such as registry.example/galshim" .Values.image.repository }}
{{- include "gallery.reference" (dict "repository" $repository "tag" (default .Chart.AppVersion .Values.image.tag) "digest" .Values.image.digest) }}
{{- end }}

{{/* The reference of the image with the site. Without a repository of its own, it is the one with galshim. */}}
{{- define "gallery.siteReference" -}}
{{- $image := .Values.site.image }}
{{- if $image.repository }}
{{- if not (or $image.tag $image.digest) }}{{ fail "site.image.tag: name the tag of the image with the site, or its digest" }}{{ end }}
{{- include "gallery.reference" $image }}
{{- else }}
{{- include "gallery.galshimReference" . }}
{{- end }}
{{- end }}

{{- define "gallery.sitePullPolicy" -}}
{{- default .Values.image.pullPolicy .Values.site.image.pullPolicy }}
{{- end }}

{{/*
Whether galshim runs from the image with the site, in which case no volume is needed. nginx is another
image, so it needs the volume.
*/}}
{{- define "gallery.inSiteImage" -}}
{{- if and (eq (include "gallery.siteFrom" .) "image") (not .Values.nginx.enabled) }}true{{ end }}
{{- end }}

{{/* Where the site comes from. persistence.artifactory is a target, as in code-marketplace's chart. */}}
{{- define "gallery.siteFrom" -}}
{{- if .Values.persistence.artifactory.enabled }}target{{ else }}{{ .Values.site.from }}{{ end }}
{{- end }}

{{/* The address of the target, or "" if site.target.args names it. */}}
{{- define "gallery.targetAddress" -}}
{{- $artifactory := .Values.persistence.artifactory }}
{{- if $artifactory.enabled -}}
artifactory:{{ required "persistence.artifactory.uri: want the address of Artifactory" $artifactory.uri | trimSuffix "/" }}/{{ required "persistence.artifactory.repo: want the repository, and the folder of the site in it" $artifactory.repo }}
{{- else -}}
{{- if not (or .Values.site.target.address .Values.site.target.args) }}{{ fail "site.target.address: name the target of the site, such as s3://vsix/gallery" }}{{ end -}}
{{ .Values.site.target.address }}
{{- end }}
{{- end }}

{{/* The folder of the site in all containers. */}}
{{- define "gallery.siteFolder" -}}
{{- if include "gallery.inSiteImage" . }}
{{- .Values.site.image.path }}
{{- else if eq (include "gallery.siteFrom" .) "image" -}}
/srv{{ .Values.site.image.path }}
{{- else -}}
/srv/site
{{- end }}
{{- end }}

{{/*
The address at which editors reach the gallery, without a slash at the end, or "" if galshim takes it
from each request. nginx needs one, so without an ingress it is that of the Service.
*/}}
{{- define "gallery.baseURL" -}}
{{- if .Values.baseURL }}
{{- .Values.baseURL | trimSuffix "/" }}
{{- else if .Values.ingress.enabled }}
{{- if not .Values.ingress.hosts }}
{{- fail "ingress.hosts: want at least one host, such as {host: gallery.example, paths: [{path: /, pathType: Prefix}]}" }}
{{- end }}
{{- $host := first .Values.ingress.hosts }}
{{- $path := (first $host.paths).path | trimSuffix "/" }}
{{- if or (contains "*" $host.host) (not (regexMatch "^(/[A-Za-z0-9._~-]+)*$" $path)) }}
{{- fail (printf "baseURL: want the address of the gallery, because %s%s in ingress.hosts is not one" $host.host $path) }}
{{- end }}
{{- printf "%s://%s%s" (ternary "https" "http" (gt (len .Values.ingress.tls) 0)) $host.host $path }}
{{- else if .Values.nginx.enabled }}
{{- printf "http://%s.%s" (include "gallery.fullname" .) .Release.Namespace }}
{{- if ne (int .Values.service.port) 80 }}:{{ .Values.service.port }}{{ end }}
{{- end }}
{{- end }}

{{/* Whether several pods can mount the volume of the site at once. */}}
{{- define "gallery.sharedVolume" -}}
{{- if or (has "ReadWriteMany" .Values.persistence.accessModes) (has "ReadOnlyMany" .Values.persistence.accessModes) }}true{{ end }}
{{- end }}

{{- define "gallery.claimName" -}}
{{- default (include "gallery.fullname" .) .Values.persistence.existingClaim }}
{{- end }}

{{/* The egress rules of pods that read a target: DNS, and the ports of targets. */}}
{{- define "gallery.targetEgress" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- range .Values.networkPolicy.egressPorts }}
    - {port: {{ . }}, protocol: TCP}
{{- end }}
{{- end }}

{{/* Errors for combinations of values that the schema cannot refuse. */}}
{{- define "gallery.check" -}}
{{- $several := or (gt (int .Values.replicaCount) 1) .Values.autoscaling.enabled }}
{{- if and $several (eq (include "gallery.siteFrom" .) "volume") (not (include "gallery.sharedVolume" .)) }}
{{- fail "persistence.accessModes: several replicas need a volume that several nodes can mount, ReadWriteMany or ReadOnlyMany; or set site.from to target or image" }}
{{- end }}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) }}
{{- fail (printf "autoscaling.minReplicas: %v is more than autoscaling.maxReplicas, %v" .Values.autoscaling.minReplicas .Values.autoscaling.maxReplicas) }}
{{- end }}
{{- if and .Values.sync.enabled (eq (include "gallery.siteFrom" .) "image") }}
{{- fail "sync.enabled: a job cannot change a site that comes from an image; set site.from to volume or target" }}
{{- end }}
{{- end }}
