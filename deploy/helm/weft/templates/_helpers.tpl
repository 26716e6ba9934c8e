{{- define "weft.labels" -}}
app.kubernetes.io/part-of: weft
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What selects the pods of one component; it never changes over upgrades. */}}
{{- define "weft.selector" -}}
app.kubernetes.io/name: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{- define "weft.image" -}}
{{ .root.Values.image.registry }}/{{ .component }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end -}}

{{- define "weft.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "weft.tlsSecret" -}}
{{ if eq .Values.tls.mode "secret" }}{{ required "tls.secretName is required with tls.mode=secret" .Values.tls.secretName }}{{ else }}weft-controller-tls{{ end }}
{{- end -}}

{{/* The part of the configuration that asks for a restart when it changes. */}}
{{- define "weft.controllerConfig" -}}
listen: {{ printf "0.0.0.0:%v" .Values.controller.port | quote }}
{{- if .Values.controller.metricsPort }}
metricsListen: {{ printf "0.0.0.0:%v" .Values.controller.metricsPort | quote }}
{{- end }}
tlsDir: /etc/weft/tls
tunnel: {{ .Values.network.tunnel }}
mtu: {{ .Values.network.mtu }}
clusterCidrs: {{ toJson .Values.network.podCidrs }}
serviceCidrs: {{ toJson .Values.network.serviceCidrs }}
loadBalancerPools: {{ toJson .Values.network.loadBalancerPools }}
namespace: {{ .Release.Namespace }}
agentAuthentication: tokenReview
agentAudience: weft-controller
leaderElection: true
{{- with .Values.telemetry.otlpEndpoint }}
otlpEndpoint: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* The network namespace of ports that wait for their pods. */}}
{{- define "weft.portNamespace" -}}weft-ports{{- end -}}

{{- define "weft.agentConfig" -}}
nodeName: ${NODE_NAME}
controllers:
{{- range .Values.controller.addresses }}
  - {{ . | quote }}
{{- else }}
  - {{ printf "https://${WEFT_CONTROLLER_SERVICE_HOST}:%v" .Values.controller.port | quote }}
{{- end }}
controllerCaFile: /etc/weft/ca/ca.crt
tokenFile: /var/run/secrets/weft/token
ovsdb: unix:/run/openvswitch/db.sock
ovsRunDir: /run/openvswitch
bridge: {{ .Values.agent.bridge }}
datapathType: {{ .Values.agent.datapathType }}
cniSocket: /run/weft/cni.sock
stateDir: /var/lib/weft
listen: {{ if .Values.agent.metricsPort }}{{ printf "${NODE_IP}:%v" .Values.agent.metricsPort | quote }}{{ else }}"127.0.0.1:10351"{{ end }}
uplinkMtu: {{ .Values.agent.uplinkMtu }}
minimumNameTtl: {{ .Values.agent.minimumNameTtl }}
hostAccessToTenants: {{ .Values.tenants.hostNetwork }}
{{- if eq .Values.tenants.hostNetwork "kubelet" }}
kubeletCgroup: {{ .Values.tenants.kubeletCgroup | quote }}
hostProc: /host-proc
hostCgroup: /host-cgroup
{{- end }}
sparePorts: {{ .Values.agent.sparePorts }}
sparePortsNamespace: /run/netns/{{ include "weft.portNamespace" . }}
{{- with .Values.telemetry.otlpEndpoint }}
otlpEndpoint: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Nothing that a container of ours need not have. */}}
{{- define "weft.unprivileged" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
privileged: false
capabilities:
  drop: [ALL]
{{- end -}}
