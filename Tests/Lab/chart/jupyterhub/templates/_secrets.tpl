{{/* 64 hexadecimal digits, new at each call. */}}
{{- define "jupyterhub.random" -}}
{{ randAlphaNum 64 | sha256sum }}
{{- end }}

{{/*
A secret of the hub: the value that is given, else what the Secret in the cluster holds, else a new one.
So an upgrade keeps it, and a rendering without a cluster makes a new one each time.
Takes (list . "key in the Secret" $given).
*/}}
{{- define "jupyterhub.secret" -}}
{{- $root := index . 0 -}}
{{- $key := index . 1 -}}
{{- $live := lookup "v1" "Secret" $root.Release.Namespace (include "jupyterhub.name" (list $root "hub")) | default dict -}}
{{- if index . 2 -}}
{{ index . 2 }}
{{- else if hasKey ($live.data | default dict) $key -}}
{{ index $live.data $key | b64dec }}
{{- else -}}
{{ include "jupyterhub.random" $root }}
{{- end -}}
{{- end }}

{{- define "jupyterhub.authToken" -}}
{{- $config := .Values.hub.config | default dict -}}
{{- $given := (index $config "ConfigurableHTTPProxy" | default dict).auth_token | default .Values.proxy.secretToken -}}
{{- include "jupyterhub.secret" (list . "hub.config.ConfigurableHTTPProxy.auth_token" $given) -}}
{{- end }}

{{- define "jupyterhub.cookieSecret" -}}
{{- $config := .Values.hub.config | default dict -}}
{{- $given := (index $config "JupyterHub" | default dict).cookie_secret | default .Values.hub.cookieSecret -}}
{{- include "jupyterhub.secret" (list . "hub.config.JupyterHub.cookie_secret" $given) -}}
{{- end }}

{{- define "jupyterhub.cryptKeys" -}}
{{- $config := .Values.hub.config | default dict -}}
{{- $given := (index $config "CryptKeeper" | default dict).keys | default list | join ";" -}}
{{- include "jupyterhub.secret" (list . "hub.config.CryptKeeper.keys" $given) -}}
{{- end }}
