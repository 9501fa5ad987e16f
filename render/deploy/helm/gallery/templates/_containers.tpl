{{/* What all containers have in common. */}}
{{- define "gallery.secured" -}}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- end }}

{{/* Prints nginx's configuration for this release into a folder that nginx reads. */}}
{{- define "gallery.nginxConfig" -}}
- name: nginx-config
  {{- include "gallery.galbuildImage" . | nindent 2 }}
  {{- include "gallery.secured" . | nindent 2 }}
  command: [/galbuild]
  args:
    - config
    - nginx
    - {{ include "gallery.siteFolder" . }}
    - --no-check
    - --output=/run/gallery/gallery.conf
    - --listen=8080
    - --shim=127.0.0.1:8081
    - {{ printf "--base-url=%s" (include "gallery.baseURL" .) | quote }}
    {{- with .Values.contentURL }}
    - {{ printf "--content-url=%s" . | quote }}
    {{- end }}
    {{- with .Values.nginx.rateLimit }}
    - --rate-limit={{ . }}
    {{- end }}
    {{- with .Values.nginx.args }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  resources:
    {{- toYaml .Values.nginx.resources | nindent 4 }}
  volumeMounts:
    - {name: nginx-config, mountPath: /run/gallery}
{{- end }}

{{/* The flags and the environment of galbuild pull from the target. */}}
{{- define "gallery.pull" -}}
{{ include "gallery.galbuildImage" . }}
{{ include "gallery.secured" . }}
command: [/galbuild]
args:
  - pull
  {{- with include "gallery.targetAddress" . }}
  - {{ . | quote }}
  {{- end }}
  - --output=/srv/site
  - --progress=plain
  {{- with .Values.site.target.args }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- if .follow }}
  - --follow={{ .Values.site.target.follow }}
  {{- end }}
{{- $artifactory := .Values.persistence.artifactory.enabled }}
{{- if or $artifactory .Values.site.target.env }}
env:
  {{- if $artifactory }}
  - name: ARTIFACTORY_TOKEN
    valueFrom:
      secretKeyRef: {name: artifactory, key: token}
  {{- end }}
  {{- with .Values.site.target.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with .Values.site.target.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .Values.site.target.resources | nindent 2 }}
volumeMounts:
  - {name: site, mountPath: /srv}
  - {name: tmp, mountPath: /tmp}
  {{- if .Values.site.target.secret }}
  - {name: target, mountPath: /secrets, readOnly: true}
  {{- end }}
{{- end }}

{{/*
The containers that fetch the site before it is served. A container with restartPolicy Always is a
sidecar, which keeps running.
*/}}
{{- define "gallery.fetch" -}}
{{- $from := include "gallery.siteFrom" . }}
{{- if eq $from "target" }}
- name: pull
  {{- include "gallery.pull" . | nindent 2 }}
- name: follow
  restartPolicy: Always
  {{- include "gallery.pull" (merge (dict "follow" true) .) | nindent 2 }}
{{- end }}
{{- end }}

{{- define "gallery.galshim" -}}
- name: galshim
  {{- if include "gallery.inSiteImage" . }}
  image: {{ include "gallery.siteReference" . | quote }}
  imagePullPolicy: {{ include "gallery.sitePullPolicy" . }}
  {{- else }}
  image: {{ include "gallery.galshimReference" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  {{- end }}
  {{- include "gallery.secured" . | nindent 2 }}
  args:
    - --index={{ include "gallery.siteFolder" . }}
    - --listen={{ ternary "127.0.0.1:8081" ":8080" .Values.nginx.enabled }}
    - --metrics=:9090
    - --log-format={{ .Values.logFormat }}
    {{- with include "gallery.baseURL" . }}
    - {{ printf "--base-url=%s" . | quote }}
    {{- end }}
    {{- with .Values.contentURL }}
    - {{ printf "--content-url=%s" . | quote }}
    {{- end }}
    {{- if not .Values.nginx.enabled }}
    {{- range .Values.trustedProxies }}
    - {{ printf "--trusted-proxy=%s" . | quote }}
    {{- end }}
    {{- end }}
    {{- if .Values.verboseLogging }}
    - --verbose
    {{- end }}
    {{- with .Values.extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.extraEnv }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    {{- if not .Values.nginx.enabled }}
    - {name: http, containerPort: 8080}
    {{- end }}
    - {name: metrics, containerPort: 9090}
  {{- /* A large index takes its time to load. Then a pod is only out of service while nothing is served. */}}
  startupProbe:
    httpGet: {path: /livez, port: metrics}
    periodSeconds: 2
    failureThreshold: 150
  livenessProbe:
    httpGet: {path: /livez, port: metrics}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  readinessProbe:
    httpGet: {path: /readyz, port: metrics}
    periodSeconds: 5
    timeoutSeconds: 2
  {{- include "gallery.drain" . | nindent 2 }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  {{- $mounted := not (include "gallery.inSiteImage" .) }}
  {{- if or $mounted .Values.volumeMounts }}
  volumeMounts:
    {{- if $mounted }}
    - {name: site, mountPath: /srv, readOnly: true}
    {{- end }}
    {{- with .Values.volumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end }}

{{- define "gallery.nginx" -}}
- name: nginx
  image: {{ include "gallery.reference" .Values.nginx.image | quote }}
  imagePullPolicy: {{ .Values.nginx.image.pullPolicy }}
  {{- include "gallery.secured" . | nindent 2 }}
  command: [nginx]
  args: [-e, stderr, -c, /etc/gallery/nginx.conf, -g, daemon off;]
  ports:
    - {name: http, containerPort: 8080}
  livenessProbe:
    tcpSocket: {port: http}
    periodSeconds: 10
    failureThreshold: 6
  readinessProbe:
    tcpSocket: {port: http}
    periodSeconds: 5
  {{- include "gallery.drain" . | nindent 2 }}
  resources:
    {{- toYaml .Values.nginx.resources | nindent 4 }}
  volumeMounts:
    - {name: site, mountPath: /srv, readOnly: true}
    - {name: nginx, mountPath: /etc/gallery, readOnly: true}
    - {name: nginx-config, mountPath: /run/gallery, readOnly: true}
    - {name: tmp, mountPath: /tmp}
{{- end }}

{{/* A pod gets requests for some seconds after it was told to stop, until all nodes know that it stops. */}}
{{- define "gallery.drain" -}}
lifecycle:
  preStop:
    sleep: {seconds: 5}
{{- end }}

{{/* The volumes of pods that serve the gallery. */}}
{{- define "gallery.volumes" -}}
{{- $from := include "gallery.siteFrom" . }}
{{- if not (include "gallery.inSiteImage" .) }}
- name: site
  {{- if eq $from "volume" }}
  persistentVolumeClaim:
    claimName: {{ include "gallery.claimName" . }}
  {{- else if eq $from "image" }}
  image:
    reference: {{ include "gallery.siteReference" . | quote }}
    pullPolicy: {{ include "gallery.sitePullPolicy" . }}
  {{- else }}
  emptyDir: {{ if .Values.site.target.size }}{sizeLimit: {{ .Values.site.target.size }}}{{ else }}{}{{ end }}
  {{- end }}
{{- end }}
{{- if or .Values.nginx.enabled (eq $from "target") }}
- name: tmp
  emptyDir: {}
{{- end }}
{{- if .Values.nginx.enabled }}
- name: nginx
  configMap:
    name: {{ include "gallery.fullname" . }}-nginx
- name: nginx-config
  emptyDir: {}
{{- end }}
{{- if and (eq $from "target") .Values.site.target.secret }}
- name: target
  secret:
    secretName: {{ .Values.site.target.secret }}
{{- end }}
{{- with .Values.volumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What all pods have in common. */}}
{{- define "gallery.pod" -}}
serviceAccountName: {{ include "gallery.serviceAccountName" . }}
automountServiceAccountToken: false
{{- /* With a Service named galshim, Kubernetes would set variables that galshim reads as its flags. */}}
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
