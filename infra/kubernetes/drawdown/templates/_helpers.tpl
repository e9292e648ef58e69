{{/* The start of every name: that of the release, with the chart's if it lacks it. */}}
{{- define "drawdown.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) }}
{{- /* Names of Services and Jobs have 63 characters at most, and end in -top-up or -set-up. */}}
{{- if gt (len $name) 56 }}
{{- fail (printf "the release's name %q makes names that are too long: with drawdown in it, it may have 56 characters, else 47" .Release.Name) }}
{{- end }}
{{- $name }}
{{- end }}

{{/* What all pods of the release have, and no other pod. */}}
{{- define "drawdown.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "drawdown.labels" -}}
{{ include "drawdown.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "drawdown.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Of a pod (of: a service, or setUp): nothing of the cluster's own, and no more rights than it needs. */}}
{{- define "drawdown.pod" -}}
automountServiceAccountToken: false
# Else the addresses of other Services come as settings: one named `api` as API_PORT.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: { sizeLimit: 64Mi }
{{- with .Values.certificates }}
  - name: certificates
    configMap: { name: {{ . | quote }} }
{{- end }}
{{- end }}

{{- define "drawdown.container" -}}
image: {{ include "drawdown.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
volumeMounts:
  - name: tmp
    mountPath: /tmp
{{- if .Values.certificates }}
  - name: certificates
    mountPath: /etc/drawdown/certificates
    readOnly: true
{{- end }}
{{- end }}

{{/* Settings as variables. Given: a map of names and texts. */}}
{{- define "drawdown.variables" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "drawdown.secretVariable" -}}
- name: {{ index . 1 }}
  valueFrom: { secretKeyRef: { name: {{ index . 0 | quote }}, key: {{ index . 1 }} } }
{{- end }}

{{/* The secrets that every pod of `of` (a service, or setUp) needs. Given: {root, of}. */}}
{{- define "drawdown.secrets" -}}
{{- $secret := .of.secret | default .root.Values.secrets.services }}
{{- $settings := merge dict .of.settings .root.Values.settings }}
{{ include "drawdown.secretVariable" (list $secret "DATABASE_URL") }}
{{- if $settings.KAFKA_SASL_MECHANISM }}
{{ include "drawdown.secretVariable" (list $secret "KAFKA_SASL_PASSWORD") }}
{{- end }}
{{- if $settings.SCHEMA_REGISTRY_USERNAME }}
{{ include "drawdown.secretVariable" (list $secret "SCHEMA_REGISTRY_PASSWORD") }}
{{- end }}
{{- end }}

{{/* The port of a URL. */}}
{{- define "drawdown.port" -}}
{{- $url := urlParse . }}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "443" "80" (eq $url.scheme "https")) }}
{{- end }}
