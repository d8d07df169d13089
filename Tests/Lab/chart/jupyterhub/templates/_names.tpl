{{/* An object's name: plain, as fullnameOverride is empty by default. Takes (list . "hub"). */}}
{{- define "jupyterhub.name" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- if kindIs "invalid" $root.Values.fullnameOverride -}}
{{- if contains "jupyterhub" $root.Release.Name }}{{ $root.Release.Name }}{{ else }}{{ $root.Release.Name }}-{{ include "jupyterhub.app" $root }}{{ end }}-{{ $name }}
{{- else if $root.Values.fullnameOverride -}}
{{ $root.Values.fullnameOverride }}-{{ $name }}
{{- else -}}
{{ $name }}
{{- end -}}
{{- end }}

{{- define "jupyterhub.app" -}}
{{ .Values.nameOverride | default .Chart.Name }}
{{- end }}

{{/* A service account's name: the one that is given, else the object's own. Takes (list . "hub" $serviceAccount). */}}
{{- define "jupyterhub.serviceAccount" -}}
{{- (index . 2).name | default (ternary (include "jupyterhub.name" (list (index . 0) (index . 1))) "default" (index . 2).create) -}}
{{- end }}

{{/* Labels that select: they never change over the life of an object. Takes (list . "hub"). */}}
{{- define "jupyterhub.selector" -}}
{{- $root := index . 0 -}}
app: {{ include "jupyterhub.app" $root }}
release: {{ $root.Release.Name }}
component: {{ index . 1 }}
{{- end }}

{{/* All labels of an object. Takes (list . "hub"). */}}
{{- define "jupyterhub.labels" -}}
{{- $root := index . 0 -}}
{{ include "jupyterhub.selector" . }}
chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version }}
heritage: {{ $root.Release.Service }}
app.kubernetes.io/name: {{ include "jupyterhub.app" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version }}
{{- end }}
