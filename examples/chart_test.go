package examples

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

const chartPath = "../charts/wolkvox-exporter"

// The values of three installations: the least, several operations, and everything.
const (
	leastValues = `
server: "0042"
secret: {name: tokens}
`
	severalValues = `
secret: {name: tokens}
config:
  operations:
    - {name: sales, server: "0042", token_file: sales.token}
    - {name: claims, server: "0043", token_file: claims.token, time_zone: America/Santiago}
persistence: {existingClaim: kept}
serviceMonitor: {enabled: true, nativeHistograms: false}
`
	allValues = `
server: "0042"
timeZone: America/Santiago
secret: {name: tokens, key: sales}
fullnameOverride: chats
image: {repository: registry.example/exporter, digest: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
imagePullSecrets: [{name: pull}]
extraArgs: [--collector.agents]
persistence: {storageClass: fast, size: 2Gi, keep: false}
service: {port: 8080, annotations: {note: x}}
serviceMonitor: {enabled: true, labels: {release: prometheus}}
prometheusRule: {enabled: true, days: true, labels: {release: prometheus}}
dashboards: {enabled: true, annotations: {grafana_folder: wolkvox}}
networkPolicy: {enabled: true, from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]}
podLabels: {team: care}
podAnnotations: {note: x}
priorityClassName: high
nodeSelector: {disk: ssd}
tolerations: [{key: dedicated, operator: Exists}]
affinity: {podAffinity: {}}
`
)

// release is what helm installs.
type release struct {
	manifests
	config     *core.ConfigMap
	dashboards []*core.ConfigMap
	rules      []*monitoring.PrometheusRule
	policy     *networking.NetworkPolicy
}

func loadChart(t *testing.T) *chart.Chart {
	t.Helper()
	loaded, err := loader.Load(chartPath)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// render checks the values against the schema and renders the templates.
func render(t *testing.T, values string) (map[string]string, error) {
	t.Helper()
	parsed, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	loaded := loadChart(t)
	options := chartutil.ReleaseOptions{Name: "shop", Namespace: "care", IsInstall: true}
	all, err := chartutil.ToRenderValues(loaded, parsed, options, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(loaded, all)
}

// install renders the chart and decodes its objects. It fails on an unknown field or kind.
func install(t *testing.T, values string) (r release) {
	t.Helper()
	files, err := render(t, values)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if filepath.Ext(file) != ".yaml" {
			continue
		}
		for document := range strings.SplitSeq("\n"+files[file], "\n---\n") {
			if strings.TrimSpace(document) != "" {
				r.add(t, document)
			}
		}
	}
	if r.deployment == nil || r.service == nil {
		t.Fatalf("have no Deployment or no Service among %v", files)
	}
	return r
}

func (r *release) add(t *testing.T, document string) {
	t.Helper()
	var kind struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	switch kind.APIVersion + " " + kind.Kind {
	case "apps/v1 Deployment":
		r.deployment = decodeYAML[apps.Deployment](t, document)
	case "v1 Service":
		r.service = decodeYAML[core.Service](t, document)
	case "v1 PersistentVolumeClaim":
		r.claim = decodeYAML[core.PersistentVolumeClaim](t, document)
	case "v1 ConfigMap":
		object := decodeYAML[core.ConfigMap](t, document)
		if object.Labels["grafana_dashboard"] != "" {
			r.dashboards = append(r.dashboards, object)
		} else {
			r.config = object
		}
	case "monitoring.coreos.com/v1 ServiceMonitor":
		r.monitor = decodeYAML[monitoring.ServiceMonitor](t, document)
	case "monitoring.coreos.com/v1 PrometheusRule":
		r.rules = append(r.rules, decodeYAML[monitoring.PrometheusRule](t, document))
	case "networking.k8s.io/v1 NetworkPolicy":
		r.policy = decodeYAML[networking.NetworkPolicy](t, document)
	default:
		t.Fatalf("have kind %q, which no test looks at", kind)
	}
}

func TestChart_MatchesManifests(t *testing.T) {
	want := buildManifests(t)
	for name, values := range map[string]string{"least": leastValues, "several": severalValues, "all": allValues} {
		t.Run(name, func(t *testing.T) {
			have := install(t, values)
			pod, wantPod := have.deployment.Spec.Template.Spec, want.deployment.Spec.Template.Spec
			container, wantContainer := have.container(), want.container()
			for what, pair := range map[string][2]any{
				"replicas":          {have.deployment.Spec.Replicas, want.deployment.Spec.Replicas},
				"strategy":          {have.deployment.Spec.Strategy, want.deployment.Spec.Strategy},
				"pod security":      {pod.SecurityContext, wantPod.SecurityContext},
				"token of the pod":  {pod.AutomountServiceAccountToken, wantPod.AutomountServiceAccountToken},
				"grace period":      {pod.TerminationGracePeriodSeconds, wantPod.TerminationGracePeriodSeconds},
				"security":          {container.SecurityContext, wantContainer.SecurityContext},
				"liveness probe":    {container.LivenessProbe, wantContainer.LivenessProbe},
				"readiness probe":   {container.ReadinessProbe, wantContainer.ReadinessProbe},
				"ports":             {container.Ports, wantContainer.Ports},
				"resources":         {container.Resources, wantContainer.Resources},
				"not ready":         {have.service.Spec.PublishNotReadyAddresses, want.service.Spec.PublishNotReadyAddresses},
				"port's name":       {have.service.Spec.Ports[0].Name, want.service.Spec.Ports[0].Name},
				"the port's target": {have.service.Spec.Ports[0].TargetPort, want.service.Spec.Ports[0].TargetPort},
			} {
				wantSameYAML(t, what, pair[0], pair[1])
			}
			wantSelected(t, "the Deployment", have.deployment.Spec.Selector.MatchLabels, have.deployment.Spec.Template.Labels)
			wantSelected(t, "the Service", have.service.Spec.Selector, have.deployment.Spec.Template.Labels)
			if have.monitor != nil {
				wantSelected(t, "the ServiceMonitor", have.monitor.Spec.Selector.MatchLabels, have.service.Labels)
			}
			wantFlags(t, container.Args)
		})
	}
}

// wantSameYAML compares two parts of objects as the API server sees them.
func wantSameYAML(t *testing.T, what string, have, want any) {
	t.Helper()
	haveText, err := yaml.Marshal(have)
	if err != nil {
		t.Fatal(err)
	}
	wantText, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(haveText, wantText) {
		t.Errorf("%s: have\n%swant\n%s", what, haveText, wantText)
	}
}

func wantSelected(t *testing.T, selector string, want, labels map[string]string) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s selects everything", selector)
	}
	for key, value := range want {
		if labels[key] != value {
			t.Errorf("%s wants %s=%s, the labels are %v", selector, key, value, labels)
		}
	}
}

func TestChart_LeastValuesGiveAccountAndState(t *testing.T) {
	r := install(t, leastValues)
	container := r.container()
	for _, want := range []string{"--storage.path=/data", "--wolkvox.server=0042", "--wolkvox.timezone=America/Bogota", "--wolkvox.token-file=/etc/wolkvox/token"} {
		if !slices.Contains(container.Args, want) {
			t.Errorf("have args %q, want %s", container.Args, want)
		}
	}
	if have, want := container.Image, "ghcr.io/wolkvox-exporter/wolkvox_exporter:"+imageVersion(t); have != want {
		t.Errorf("have image %q, want %q", have, want)
	}
	wantMount(t, r, "/data", core.VolumeSource{PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: r.claim.Name}})
	wantMount(t, r, "/etc/wolkvox", core.VolumeSource{Projected: &core.ProjectedVolumeSource{
		DefaultMode: new(int32(0o440)),
		Sources: []core.VolumeProjection{{Secret: &core.SecretProjection{
			LocalObjectReference: core.LocalObjectReference{Name: "tokens"},
			Items:                []core.KeyToPath{{Key: "token", Path: "token"}},
		}}},
	}})
	if r.claim.Annotations["helm.sh/resource-policy"] != "keep" {
		t.Errorf("have annotations %v of the claim, want it to be kept", r.claim.Annotations)
	}
	if r.config != nil || r.monitor != nil || r.policy != nil || r.rules != nil || r.dashboards != nil {
		t.Errorf("have objects that the values do not ask for: %+v", r)
	}
}

// wantMount checks what the container has at a path.
func wantMount(t *testing.T, r release, path string, want core.VolumeSource) {
	t.Helper()
	for _, mount := range r.container().VolumeMounts {
		for _, volume := range r.deployment.Spec.Template.Spec.Volumes {
			if mount.MountPath == path && mount.Name == volume.Name {
				wantSameYAML(t, path, volume.VolumeSource, want)
				return
			}
		}
	}
	t.Errorf("nothing is mounted at %s", path)
}

// The configuration file lies beside the tokens that it names.
func TestChart_SeveralOperationsUseOneFolder(t *testing.T) {
	r := install(t, severalValues)
	wantMount(t, r, "/data", core.VolumeSource{PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: "kept"}})
	wantMount(t, r, "/etc/wolkvox", core.VolumeSource{Projected: &core.ProjectedVolumeSource{
		DefaultMode: new(int32(0o440)),
		Sources: []core.VolumeProjection{
			{Secret: &core.SecretProjection{LocalObjectReference: core.LocalObjectReference{Name: "tokens"}}},
			{ConfigMap: &core.ConfigMapProjection{LocalObjectReference: core.LocalObjectReference{Name: r.config.Name}}},
		},
	}})
	if r.claim != nil {
		t.Errorf("have the claim %q beside the one that exists", r.claim.Name)
	}
	if have := r.container().Args; !slices.Contains(have, "--config.file=/etc/wolkvox/wolkvox.yml") {
		t.Errorf("have args %q, want the configuration file", have)
	}
	values, err := chartutil.ReadValues([]byte(severalValues))
	if err != nil {
		t.Fatal(err)
	}
	var have any
	if err := yaml.Unmarshal([]byte(r.config.Data["wolkvox.yml"]), &have); err != nil {
		t.Fatal(err)
	}
	wantSameYAML(t, "wolkvox.yml", have, values["config"])
	if spec := r.monitor.Spec; spec.ScrapeNativeHistograms != nil || spec.ScrapeClassicHistograms != nil {
		t.Error("an older Prometheus Operator refuses the keys on native histograms")
	}
}

func TestChart_AllValuesApply(t *testing.T) {
	r := install(t, allValues)
	want := buildManifests(t)
	monitor := want.monitor.Spec.DeepCopy()
	monitor.Selector.MatchLabels = r.service.Spec.Selector
	monitor.Endpoints[0].RelabelConfigs[0].Replacement = new("$1.$2.svc:8080")
	wantSameYAML(t, "the ServiceMonitor", r.monitor.Spec, *monitor)
	if r.monitor.Labels["release"] != "prometheus" || r.service.Spec.Ports[0].Port != 8080 {
		t.Errorf("have labels %v and ports %v", r.monitor.Labels, r.service.Spec.Ports)
	}

	files := []string{"rules", "alerts", "days.rules"}
	if len(r.rules) != len(files) {
		t.Fatalf("have %d PrometheusRules, want %d", len(r.rules), len(files))
	}
	for i, file := range files {
		spec := decodeYAML[monitoring.PrometheusRuleSpec](t, readFile(t, "../rules/wolkvox."+file+".yml"))
		wantSameYAML(t, file, r.rules[i].Spec, spec)
	}

	paths, err := filepath.Glob("../dashboards/*.json")
	if err != nil || len(r.dashboards) != len(paths) || len(paths) == 0 {
		t.Fatalf("have %d dashboards, want those of %q: %v", len(r.dashboards), paths, err)
	}
	for i, path := range paths {
		want := strings.TrimSpace(readFile(t, path))
		if have := strings.TrimSpace(r.dashboards[i].Data["wolkvox-"+filepath.Base(path)]); have != want {
			t.Errorf("the dashboard of %s is another one", path)
		}
	}

	wantSelected(t, "the NetworkPolicy", r.policy.Spec.PodSelector.MatchLabels, r.deployment.Spec.Template.Labels)
	if ingress := r.policy.Spec.Ingress[0]; ingress.Ports[0].Port.String() != "metrics" || len(ingress.From) != 1 {
		t.Errorf("have ingress %v, want the port of the metrics, from one namespace", ingress)
	}
	if len(r.policy.Spec.Egress) != 2 {
		t.Errorf("have egress %v, want DNS and the API", r.policy.Spec.Egress)
	}
	pod := r.deployment.Spec.Template
	if have := pod.Spec.Containers[0].Image; !strings.HasPrefix(have, "registry.example/exporter@sha256:e3b0") {
		t.Errorf("have image %q, want the digest", have)
	}
	if pod.Labels["team"] != "care" || pod.Annotations["note"] != "x" || pod.Spec.PriorityClassName != "high" || pod.Spec.NodeSelector["disk"] != "ssd" ||
		len(pod.Spec.Tolerations) != 1 || pod.Spec.Affinity == nil || len(pod.Spec.ImagePullSecrets) != 1 {
		t.Errorf("have pod %+v", pod)
	}
	if args := r.container().Args; !slices.Contains(args, "--collector.agents") || !slices.Contains(args, "--wolkvox.token-file=/etc/wolkvox/sales") {
		t.Errorf("have args %q", args)
	}
	if *r.claim.Spec.StorageClassName != "fast" || r.claim.Annotations != nil {
		t.Errorf("have claim %+v", r.claim)
	}
}

func TestChart_SchemaRefusesWrongValues(t *testing.T) {
	for name, values := range map[string]string{
		"no operation":            `secret: {name: tokens}`,
		"no secret":               `server: "0042"`,
		"one and several":         leastValues + `config: {operations: [{name: sales}]}`,
		"a server as a number":    `{server: 42, secret: {name: tokens}}`,
		"the server's URL":        `{server: "https://wv0042.wolkvox.com", secret: {name: tokens}}`,
		"a token in the values":   `{secret: {name: tokens}, config: {operations: [{name: sales, token: x}]}}`,
		"a misspelled value":      leastValues + `servicemonitor: {enabled: true}`,
		"a misspelled inner one":  leastValues + `serviceMonitor: {enable: true}`,
		"a switch as a text":      leastValues + `dashboards: {enabled: "yes"}`,
		"an argument, not a flag": leastValues + `extraArgs: [demo]`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := render(t, values); err == nil {
				t.Errorf("the schema accepts:\n%s", values)
			}
		})
	}
}

// A chart's package takes no file from outside its folder: `make dashboards` copies them.
func TestChart_HasCheckedInFiles(t *testing.T) {
	copies, err := os.ReadDir(filepath.Join(chartPath, "files"))
	if err != nil {
		t.Fatal(err)
	}
	rules, dashboards := 0, 0
	for _, file := range copies {
		source := filepath.Join("../rules", file.Name())
		if filepath.Ext(source) == ".json" {
			source = filepath.Join("../dashboards", file.Name())
			dashboards++
		} else {
			rules++
		}
		if readFile(t, filepath.Join(chartPath, "files", file.Name())) != readFile(t, source) {
			t.Errorf("the chart's %s is not %s: run make dashboards", file.Name(), source)
		}
	}
	all, err := filepath.Glob("../dashboards/*.json")
	if err != nil || dashboards != len(all) || rules != 3 {
		t.Errorf("the chart has %d dashboards and %d files of rules, want %d and 3: run make dashboards", dashboards, rules, len(all))
	}
	metadata := loadChart(t).Metadata
	if have := imageVersion(t); metadata.AppVersion != have || metadata.Version != have {
		t.Errorf("have chart %s for %s, VERSION is %s", metadata.Version, metadata.AppVersion, have)
	}
}
