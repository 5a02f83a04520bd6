{{- define "steward.labels" -}}
app.kubernetes.io/part-of: steward
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{ include "steward.selector" . }}
{{- end }}

{{- define "steward.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{/* Nobody's root, nothing to write but /tmp and the home, and no key to the cluster. */}}
{{- define "steward.pod" -}}
serviceAccountName: {{ .root.Release.Name }}-{{ .name }}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: 1Gi}
  - name: home
    persistentVolumeClaim: {claimName: {{ .root.Release.Name }}-home}
{{- if and (eq .lake true) (include "steward.store" .root) .root.Values.lake.secret }}
  - name: store
    secret:
      secretName: {{ .root.Values.lake.secret }}
      items: [{key: credentials, path: credentials}]
      defaultMode: 0440
{{- end }}
{{- end }}

{{/* Not empty where the lake lies in a bucket. */}}
{{- define "steward.store" -}}
{{- if hasPrefix "s3://" .Values.lake.address }}s3{{ end }}
{{- end }}

{{/* By digest where one is given: a tag may be moved, a digest may not. */}}
{{- define "steward.image" -}}
{{ .root.Values.image.registry }}/steward-{{ .image }}
{{- with get .root.Values.image.digests .image }}@{{ . }}{{ else }}:{{ .root.Values.image.tag }}{{ end }}
{{- end }}

{{- define "steward.container" -}}
name: {{ .name }}
image: {{ include "steward.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  - {name: home, mountPath: /var/lib/steward}
{{- if and (eq .lake true) (include "steward.store" .root) .root.Values.lake.secret }}
  - {name: store, mountPath: /run/store, readOnly: true}
{{- end }}
{{- end }}

{{/* Of those who read or write the lake. Without a secret the service account's role says who they are. */}}
{{- define "steward.lake" -}}
{{- with .Values.lake.address }}
- {name: STEWARD_LAKE, value: {{ . | quote }}}
{{- end }}
{{- if include "steward.store" . }}
- {name: AWS_REGION, value: {{ .Values.lake.region | quote }}}
{{- with .Values.lake.endpoint }}
- {name: AWS_ENDPOINT_URL, value: {{ . | quote }}}
{{- end }}
{{- if .Values.lake.secret }}
- {name: AWS_SHARED_CREDENTIALS_FILE, value: /run/store/credentials}
{{- end }}
{{- end }}
{{- end }}

{{- define "steward.environment" -}}
- {name: STEWARD_PROFILE, value: {{ .Values.profile }}}
- {name: STEWARD_HOME, value: /var/lib/steward}
- name: STEWARD_DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ .Values.secret }}, key: STEWARD_DATABASE_URL}
{{- end }}
