{{/* "true" where the proxy itself speaks TLS. */}}
{{- define "jupyterhub.proxy.tls" -}}
{{- $https := .Values.proxy.https -}}
{{- if and $https.enabled (eq ($https.type | default "") "letsencrypt") -}}
{{- fail "proxy.https.type: letsencrypt needs the Internet and is not in this chart; use manual, secret or offload" -}}
{{- end -}}
{{- and $https.enabled (has ($https.type | default "") (list "manual" "secret")) -}}
{{- end }}
