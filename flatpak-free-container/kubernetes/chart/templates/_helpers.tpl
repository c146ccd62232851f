{{- /* SPDX-License-Identifier: MIT */ -}}

{{- define "amps.name" -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" }}
{{- end }}

{{- define "amps.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "amps.metadata" -}}
name: {{ include "amps.name" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "amps.selector" . | nindent 2 }}
  app.kubernetes.io/managed-by: {{ .Release.Service }}
  helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "amps.settings" -}}
BROKER_SUBJECT: {{ .Values.queue | quote }}
MAX_CONCURRENCY: {{ .Values.maxConcurrency | quote }}
MAX_IN_FLIGHT_BYTES: {{ printf "%vMiB" .Values.maxInFlightMebibytes | quote }}
JOB_TIMEOUT: {{ printf "%vs" .Values.jobTimeoutSeconds | quote }}
WORKLOAD_ADDRESS: {{ printf "http://127.0.0.1:%v" .Values.workload.port | quote }}
{{- if eq .Values.sidecar "ordinary" }}
DRAIN_TIMEOUT: 5s
{{- end }}
{{- end }}

{{- define "amps.scaleDown" -}}
scaleDown:
  stabilizationWindowSeconds: {{ .Values.scaleDown.stabilizationWindowSeconds }}
  policies:
    - type: Percent
      value: {{ .Values.scaleDown.percentPerMinute }}
      periodSeconds: 60
{{- end }}

{{- define "amps.container" -}}
- name: amps
  {{- with .Values.image }}
  image: {{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
  imagePullPolicy: {{ .pullPolicy }}
  {{- end }}
  {{- if eq .Values.sidecar "native" }}
  restartPolicy: Always
  {{- end }}
  envFrom:
    - configMapRef:
        name: {{ include "amps.name" . }}
  env:
    - name: BROKER_HOST_FILE
      value: /run/secrets/amps/uri
    {{- if .Values.apiToken.secret }}
    - name: API_TOKEN_FILE
      value: /run/secrets/amps-token/token
    {{- end }}
  ports:
    - name: api
      containerPort: 4000
    - name: metrics
      containerPort: 9090
  startupProbe:
    httpGet:
      path: /healthz
      port: api
    periodSeconds: 1
    failureThreshold: 30
  readinessProbe:
    httpGet:
      path: /readyz
      port: api
    periodSeconds: 5
    timeoutSeconds: 2
  livenessProbe:
    httpGet:
      path: /healthz
      port: api
    periodSeconds: 10
    timeoutSeconds: 5
  lifecycle:
    preStop:
      exec:
        command:
          - ampsctl
          - drain
          {{- if eq .Values.sidecar "ordinary" }}
          - --wait={{ .Values.jobTimeoutSeconds }}s
          {{- end }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop: [ALL]
  volumeMounts:
    - name: broker
      mountPath: /run/secrets/amps
      readOnly: true
    {{- if .Values.apiToken.secret }}
    - name: api-token
      mountPath: /run/secrets/amps-token
      readOnly: true
    {{- end }}
    {{- with .Values.volumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "amps.workload" -}}
- name: workload
  image: {{ required "workload.image: which image does the work?" .Values.workload.image }}
  imagePullPolicy: {{ .Values.workload.pullPolicy }}
  ports:
    - name: workload
      containerPort: {{ .Values.workload.port }}
  {{- range $name := list "command" "args" "env" "envFrom" "volumeMounts" "lifecycle" "startupProbe" "readinessProbe" "livenessProbe" "resources" "securityContext" }}
  {{- with index $.Values.workload $name }}
  {{ $name }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end }}
