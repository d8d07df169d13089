{{/* Who may be reached, by the rules of egressAllowRules. Takes (list . $networkPolicy). */}}
{{- define "jupyterhub.egress" -}}
{{- $root := index . 0 -}}
{{- $policy := index . 1 -}}
{{- $rules := $policy.egressAllowRules -}}
{{- $metadata := $root.Values.singleuser.cloudMetadata.ip -}}
{{- $dns := list (dict "protocol" "UDP" "port" 53) (dict "protocol" "TCP" "port" 53) -}}
{{- $private := list "10.0.0.0/8" "172.16.0.0/12" "192.168.0.0/16" -}}
{{- if $rules.dnsPortsCloudMetadataServer }}
- to: [{ipBlock: {cidr: {{ $metadata }}/32}}]
  ports: {{ toJson $dns }}
{{- end }}
{{- if $rules.dnsPortsKubeSystemNamespace }}
- to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]
  ports: {{ toJson $dns }}
{{- end }}
{{- if $rules.dnsPortsPrivateIPs }}
- to:
{{- range $private }}
    - ipBlock: {cidr: {{ . }}}
{{- end }}
  ports: {{ toJson $dns }}
{{- end }}
{{- if $rules.nonPrivateIPs }}
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except: {{ concat $private (list (printf "%s/32" $metadata)) | toJson }}
{{- end }}
{{- if $rules.privateIPs }}
- to:
{{- range $private }}
    - ipBlock: {cidr: {{ . }}}
{{- end }}
{{- end }}
{{- if $rules.cloudMetadataServer }}
- to: [{ipBlock: {cidr: {{ $metadata }}/32}}]
{{- end }}
{{- with $policy.egress }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Pods with an access label, here or (if asked for) in any namespace. Takes (list "label" $networkPolicy). */}}
{{- define "jupyterhub.peers" -}}
{{- $label := printf "hub.jupyter.org/network-access-%s" (index . 0) -}}
- podSelector: {matchLabels: { {{- $label }}: "true"}}
{{- if eq (index . 1).interNamespaceAccessLabels "accept" }}
  namespaceSelector: {}
{{- end }}
{{- end }}
