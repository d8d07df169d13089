{{- define "jupyterhub.image" -}}
image: {{ printf "%s:%s" .name .tag | quote }}
{{- with .pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
{{- end }}

{{/* Pull secrets of the whole chart and of one image. Takes (list . $image). */}}
{{- define "jupyterhub.pullSecrets" -}}
{{- $secrets := list -}}
{{- range concat ((index . 0).Values.imagePullSecrets | default list) ((index . 1).pullSecrets | default list) -}}
{{- $secrets = append $secrets (ternary (dict "name" .) . (kindIs "string" .)) -}}
{{- end -}}
{{- with $secrets }}
imagePullSecrets: {{ . | uniq | toJson }}
{{- end }}
{{- end }}

{{/* Environment variables out of a map (name: value, or name: {valueFrom}) or a list. */}}
{{- define "jupyterhub.extraEnv" -}}
{{- if kindIs "slice" . }}
{{- with . }}
{{ toYaml . }}
{{- end }}
{{- else }}
{{- range $name, $value := . }}
- name: {{ $name | quote }}
{{- if kindIs "map" $value }}
{{ toYaml $value | indent 2 }}
{{- else if not (kindIs "invalid" $value) }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Where the hub and the proxy like to run. Takes (list . $tolerations). */}}
{{- define "jupyterhub.corePlacement" -}}
{{- $core := (index . 0).Values.scheduling.corePods -}}
{{- with concat ($core.tolerations | default list) (index . 1 | default list) }}
tolerations: {{ toJson . }}
{{- end }}
{{- $term := dict "matchExpressions" (list (dict "key" "hub.jupyter.org/node-purpose" "operator" "In" "values" (list "core"))) }}
{{- if eq $core.nodeAffinity.matchNodePurpose "prefer" }}
affinity: {{ dict "nodeAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 100 "preference" $term))) | toJson }}
{{- else if eq $core.nodeAffinity.matchNodePurpose "require" }}
affinity: {{ dict "nodeAffinity" (dict "requiredDuringSchedulingIgnoredDuringExecution" (dict "nodeSelectorTerms" (list $term))) | toJson }}
{{- end }}
{{- end }}

{{/* A probe's numbers, without our own switch. */}}
{{- define "jupyterhub.probe" -}}
{{- toYaml (omit . "enabled") -}}
{{- end }}

{{/* PodDisruptionBudget, of the version that the cluster has. Takes (list . "hub" $pdb). */}}
{{- define "jupyterhub.pdb" -}}
{{- $root := index . 0 -}}
{{- $pdb := index . 2 -}}
apiVersion: {{ semverCompare ">=1.21.0-0" $root.Capabilities.KubeVersion.Version | ternary "policy/v1" "policy/v1beta1" }}
kind: PodDisruptionBudget
metadata:
  name: {{ include "jupyterhub.name" (list $root (index . 1)) }}
  labels: {{- include "jupyterhub.labels" (list $root (index . 1)) | nindent 4 }}
spec:
{{- if not (kindIs "invalid" $pdb.maxUnavailable) }}
  maxUnavailable: {{ $pdb.maxUnavailable }}
{{- else if not (kindIs "invalid" $pdb.minAvailable) }}
  minAvailable: {{ $pdb.minAvailable }}
{{- end }}
  selector:
    matchLabels: {{- include "jupyterhub.selector" (list $root (index . 1)) | nindent 6 }}
{{- end }}
