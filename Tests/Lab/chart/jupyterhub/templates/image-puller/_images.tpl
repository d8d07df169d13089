{{/* Every image that a user's pod may need, as a JSON list. */}}
{{- define "jupyterhub.imagePuller.images" -}}
{{- $user := .Values.singleuser -}}
{{- $images := list (printf "%s:%s" $user.image.name $user.image.tag) -}}
{{- if $user.cloudMetadata.blockWithIptables -}}
{{- $images = append $images (printf "%s:%s" $user.networkTools.image.name $user.networkTools.image.tag) -}}
{{- end -}}
{{- range concat $user.initContainers $user.extraContainers -}}
{{- $images = append $images .image -}}
{{- end -}}
{{- if .Values.prePuller.pullProfileListImages -}}
{{- range $user.profileList -}}
{{- with (.kubespawner_override | default dict).image -}}
{{- $images = append $images . -}}
{{- end -}}
{{- range $_, $option := .profile_options | default dict -}}
{{- range $_, $choice := $option.choices | default dict -}}
{{- with ($choice.kubespawner_override | default dict).image -}}
{{- $images = append $images . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $_, $image := .Values.prePuller.extraImages -}}
{{- $images = append $images (printf "%s:%s" $image.name $image.tag) -}}
{{- end -}}
{{- $images | uniq | toJson -}}
{{- end }}

{{- define "jupyterhub.imagePuller.checksum" -}}
{{ include "jupyterhub.imagePuller.images" . | sha256sum }}
{{- end }}

{{/* Whether this installation or upgrade has images to wait for. */}}
{{- define "jupyterhub.imagePuller.hook" -}}
{{- $hook := .Values.prePuller.hook -}}
{{- $live := lookup "v1" "ConfigMap" .Release.Namespace (include "jupyterhub.name" (list . "hub")) | default dict -}}
{{- $known := index ($live.data | default dict) "checksum_hook-image-puller" | default "" -}}
{{- and $hook.enabled (not (and $hook.pullOnlyOnChanges (eq $known (include "jupyterhub.imagePuller.checksum" .)))) -}}
{{- end }}

{{/* A DaemonSet whose init containers name every image and do nothing. Takes (list . "hook-image-puller" $annotations). */}}
{{- define "jupyterhub.imagePuller.daemonset" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $puller := $root.Values.prePuller -}}
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: {{ include "jupyterhub.name" (list $root $name) }}
  labels: {{- include "jupyterhub.labels" (list $root $name) | nindent 4 }}
  {{- with index . 2 }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  selector:
    matchLabels: {{- include "jupyterhub.selector" (list $root $name) | nindent 6 }}
  updateStrategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 100%}
  template:
    metadata:
      labels:
        {{- include "jupyterhub.selector" (list $root $name) | nindent 8 }}
        {{- with $puller.labels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $puller.annotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      terminationGracePeriodSeconds: 0
      automountServiceAccountToken: false
      {{- if $root.Values.scheduling.podPriority.enabled }}
      priorityClassName: {{ include "jupyterhub.name" (list $root "image-puller-priority") }}
      {{- end }}
      {{- with $root.Values.singleuser.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with concat $root.Values.scheduling.userPods.tolerations $root.Values.singleuser.extraTolerations $puller.extraTolerations }}
      tolerations: {{ toJson . }}
      {{- end }}
      {{- include "jupyterhub.pullSecrets" (list $root $root.Values.singleuser.image) | nindent 6 }}
      initContainers:
        {{- range $index, $image := include "jupyterhub.imagePuller.images" $root | fromJsonArray }}
        - name: image-pull-{{ $index }}
          image: {{ $image | quote }}
          command: [/bin/sh, -c, "echo 'Pulling complete'"]
          {{- with $puller.resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with $puller.containerSecurityContext }}
          securityContext: {{- toYaml . | nindent 12 }}
          {{- end }}
        {{- end }}
      containers:
        - name: pause
          {{- include "jupyterhub.image" $puller.pause.image | nindent 10 }}
          {{- with $puller.resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with $puller.containerSecurityContext }}
          securityContext: {{- toYaml . | nindent 12 }}
          {{- end }}
{{- end }}
