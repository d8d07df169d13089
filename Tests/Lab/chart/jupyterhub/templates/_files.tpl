{{/* extraFiles as the data of a Secret: everything in base64. */}}
{{- define "jupyterhub.files.data" -}}
{{- range $name, $file := . }}
{{- if hasKey $file "binaryData" }}
{{ $name | quote }}: {{ $file.binaryData | quote }}
{{- else if hasKey $file "stringData" }}
{{ $name | quote }}: {{ $file.stringData | b64enc | quote }}
{{- else if or (hasSuffix ".yaml" $file.mountPath) (hasSuffix ".yml" $file.mountPath) }}
{{ $name | quote }}: {{ $file.data | toYaml | b64enc | quote }}
{{- else if hasSuffix ".json" $file.mountPath }}
{{ $name | quote }}: {{ $file.data | toJson | b64enc | quote }}
{{- else if hasSuffix ".toml" $file.mountPath }}
{{ $name | quote }}: {{ $file.data | toToml | b64enc | quote }}
{{- else }}
{{- fail (printf "extraFiles.%s: data is written as YAML, JSON or TOML by the ending of mountPath, which is %s" $name $file.mountPath) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Which keys of the Secret are files, with their modes. */}}
{{- define "jupyterhub.files.items" -}}
{{- range $name, $file := . }}
- key: {{ $name | quote }}
  path: {{ $name | quote }}
{{- with $file.mode }}
  mode: {{ . | int }}
{{- end }}
{{- end }}
{{- end }}

{{- define "jupyterhub.files.mounts" -}}
{{- range $name, $file := . }}
- name: files
  mountPath: {{ $file.mountPath | quote }}
  subPath: {{ $name | quote }}
{{- end }}
{{- end }}
