package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// manifests are the objects that `kubectl apply -k` applies.
type manifests struct {
	deployment *apps.Deployment
	claim      *core.PersistentVolumeClaim
	secret     *core.Secret
	service    *core.Service
	monitor    *monitoring.ServiceMonitor
}

// container returns the only container of the Deployment.
func (m manifests) container() core.Container { return m.deployment.Spec.Template.Spec.Containers[0] }

// buildManifests builds the manifests as kustomize does. It fails on an unknown field or
// kind.
func buildManifests(t *testing.T) (m manifests) {
	t.Helper()
	for _, resource := range buildResources(t, "kubernetes") {
		text := resource.MustYaml()
		switch kind := resource.GetGvk().String(); kind {
		case "Deployment.v1.apps":
			m.deployment = decodeYAML[apps.Deployment](t, text)
		case "PersistentVolumeClaim.v1.[noGrp]":
			m.claim = decodeYAML[core.PersistentVolumeClaim](t, text)
		case "Secret.v1.[noGrp]":
			m.secret = decodeYAML[core.Secret](t, text)
		case "Service.v1.[noGrp]":
			m.service = decodeYAML[core.Service](t, text)
		case "ServiceMonitor.v1.monitoring.coreos.com":
			m.monitor = decodeYAML[monitoring.ServiceMonitor](t, text)
		default:
			t.Fatalf("have kind %q, which no test looks at", kind)
		}
	}
	if m.deployment == nil || m.claim == nil || m.secret == nil || m.service == nil || m.monitor == nil {
		t.Fatalf("have %+v, and one of the manifests is missing", m)
	}
	if have := len(m.deployment.Spec.Template.Spec.Containers); have != 1 {
		t.Fatalf("have %d containers, want 1", have)
	}
	return m
}

// buildResources builds a folder as kustomize does, with the secrets in files.
func buildResources(t *testing.T, overlay string) []*resource.Resource {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"kubernetes", "kubernetes-postgresql"} {
		if err := os.CopyFS(filepath.Join(folder, name), os.DirFS(name)); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(folder, "kubernetes", "token"), "a-token")
	writeFile(t, filepath.Join(folder, "kubernetes-postgresql", "password"), "a-password")
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(folder, overlay))
	if err != nil {
		t.Fatal(err)
	}
	return resources.Resources()
}

func TestKubernetes_NeedsNoVolumeWithPostgreSQL(t *testing.T) {
	secrets := map[string]core.Secret{}
	var deployment *apps.Deployment
	for _, resource := range buildResources(t, "kubernetes-postgresql") {
		switch text := resource.MustYaml(); resource.GetKind() {
		case "PersistentVolumeClaim":
			t.Error("have a claim, want none")
		case "Deployment":
			deployment = decodeYAML[apps.Deployment](t, text)
		case "Secret":
			secret := decodeYAML[core.Secret](t, text)
			secrets[secret.Name] = *secret
		}
	}
	pod := deployment.Spec.Template.Spec
	args, mounts := pod.Containers[0].Args, pod.Containers[0].VolumeMounts
	wantFlags(t, args)
	files := 0
	for _, volume := range pod.Volumes {
		if volume.Secret == nil {
			t.Errorf("have the volume %q, want only those of secrets", volume.Name)
			continue
		}
		at := slices.IndexFunc(mounts, func(m core.VolumeMount) bool { return m.Name == volume.Name })
		for file := range secrets[volume.Secret.SecretName].Data {
			path := filepath.Join(mounts[at].MountPath, file)
			if !slices.ContainsFunc(args, func(arg string) bool { return strings.HasSuffix(arg, "-file="+path) }) {
				t.Errorf("have args %q, want a flag of %q", args, path)
			}
			files++
		}
	}
	if files != 2 || len(mounts) != 2 {
		t.Errorf("have %d files of secrets and mounts %v, want the token and the password", files, mounts)
	}
}

func TestKubernetes_RunsOnePod(t *testing.T) {
	spec := buildManifests(t).deployment.Spec
	if spec.Replicas == nil || *spec.Replicas != 1 {
		t.Errorf("have replicas %v, want 1", spec.Replicas)
	}
	if spec.Strategy.Type != apps.RecreateDeploymentStrategyType {
		t.Errorf("have strategy %q, want Recreate", spec.Strategy.Type)
	}
}

func TestKubernetes_SelectorsMatch(t *testing.T) {
	m := buildManifests(t)
	pod := m.deployment.Spec.Template.Labels
	for _, test := range []struct {
		selector     string
		want, labels map[string]string
	}{
		{"the Deployment's", m.deployment.Spec.Selector.MatchLabels, pod},
		{"the Service's", m.service.Spec.Selector, pod},
		{"the ServiceMonitor's", m.monitor.Spec.Selector.MatchLabels, m.service.Labels},
	} {
		if len(test.want) == 0 {
			t.Errorf("%s selector is empty", test.selector)
		}
		for key, value := range test.want {
			if test.labels[key] != value {
				t.Errorf("%s selector wants %s=%s, the labels are %v", test.selector, key, value, test.labels)
			}
		}
	}
}

func TestKubernetes_PortsMatchContainer(t *testing.T) {
	m := buildManifests(t)
	container := m.container()
	if len(container.Ports) != 1 || container.Ports[0].ContainerPort != 10042 {
		t.Fatalf("have ports %v, want 10042", container.Ports)
	}
	name := container.Ports[0].Name
	for who, port := range map[string]string{
		"the Service":         m.service.Spec.Ports[0].TargetPort.String(),
		"the liveness probe":  container.LivenessProbe.HTTPGet.Port.String(),
		"the readiness probe": container.ReadinessProbe.HTTPGet.Port.String(),
	} {
		if port != name {
			t.Errorf("%s goes to port %q, want %q", who, port, name)
		}
	}
	if have, want := m.monitor.Spec.Endpoints[0].Port, m.service.Spec.Ports[0].Name; have != want {
		t.Errorf("the ServiceMonitor goes to port %q, the Service has %q", have, want)
	}
}

// With a label of the pod, each pod would have new series.
func TestServiceMonitor_GivesEachPodTheSameLabels(t *testing.T) {
	m := buildManifests(t)
	rules := m.monitor.Spec.Endpoints[0].RelabelConfigs
	if len(rules) != 2 {
		t.Fatalf("have %d relabelings, want 2", len(rules))
	}
	var sources []string
	for _, source := range rules[0].SourceLabels {
		sources = append(sources, string(source))
	}
	if want := []string{"__meta_kubernetes_service_name", "__meta_kubernetes_namespace"}; !slices.Equal(sources, want) || rules[0].TargetLabel != "__address__" {
		t.Errorf("have %s from %v, want __address__ from %v", rules[0].TargetLabel, sources, want)
	}
	address := regexp.MustCompile("^(?:"+rules[0].Regex+")$").ReplaceAllString("exporter"+*rules[0].Separator+"shop", strings.NewReplacer("$1", "${1}", "$2", "${2}").Replace(*rules[0].Replacement))
	if want := fmt.Sprintf("exporter.shop.svc:%d", m.service.Spec.Ports[0].Port); address != want {
		t.Errorf("have address %q, want %q", address, want)
	}
	drop := regexp.MustCompile("^(?:" + rules[1].Regex + ")$")
	for _, label := range []string{"pod", "container", "node"} {
		if rules[1].Action != "labeldrop" || !drop.MatchString(label) {
			t.Errorf("the label %s is kept", label)
		}
	}
	for _, label := range []string{"job", "namespace", "service", "endpoint", "instance"} {
		if drop.MatchString(label) {
			t.Errorf("the label %s is dropped", label)
		}
	}
}

func TestKubernetes_MetricsAreReachableWhileNotReady(t *testing.T) {
	m := buildManifests(t)
	if !m.service.Spec.PublishNotReadyAddresses {
		t.Error("a pod that is not ready is not in the Service")
	}
	if have := m.container().LivenessProbe.HTTPGet.Path; have != "/-/healthy" {
		t.Errorf("the liveness probe asks for %q, want /-/healthy: a restart does not repair the API", have)
	}
	if have := m.container().ReadinessProbe.HTTPGet.Path; have != "/-/ready" {
		t.Errorf("the readiness probe asks for %q, want /-/ready", have)
	}
}

func TestKubernetes_MountsClaimAndSecret(t *testing.T) {
	m := buildManifests(t)
	mounted := map[string]string{}
	for _, volume := range m.deployment.Spec.Template.Spec.Volumes {
		for _, mount := range m.container().VolumeMounts {
			if mount.Name != volume.Name {
				continue
			}
			switch {
			case volume.PersistentVolumeClaim != nil:
				mounted["claim "+volume.PersistentVolumeClaim.ClaimName] = mount.MountPath
			case volume.Secret != nil:
				mounted["secret "+volume.Secret.SecretName] = mount.MountPath
			}
		}
	}
	args := m.container().Args
	if at := mounted["claim "+m.claim.Name]; !slices.Contains(args, "--storage.path="+at) {
		t.Errorf("have args %q and mounts %v, want the state in %q", args, mounted, m.claim.Name)
	}
	at := mounted["secret "+m.secret.Name]
	for file, token := range m.secret.Data {
		if !slices.Contains(args, "--wolkvox.token-file="+filepath.Join(at, file)) || string(token) != "a-token" {
			t.Errorf("have args %q and mounts %v, want the token from %q", args, mounted, m.secret.Name)
		}
	}
	if len(mounted) != 2 || len(m.secret.Data) != 1 {
		t.Errorf("have mounts %v and %d secrets, want the claim, and the secret with the token", mounted, len(m.secret.Data))
	}
}

// imageUser is the number of the user and of the group in the Dockerfile.
const imageUser = 65532

func TestKubernetes_ConfinesPod(t *testing.T) {
	want := core.PodSecurityContext{
		RunAsNonRoot:        new(true),
		RunAsUser:           new(int64(imageUser)),
		RunAsGroup:          new(int64(imageUser)),
		FSGroup:             new(int64(imageUser)),
		FSGroupChangePolicy: new(core.FSGroupChangeOnRootMismatch),
		SeccompProfile:      &core.SeccompProfile{Type: core.SeccompProfileTypeRuntimeDefault},
	}
	wantContainer := core.SecurityContext{
		AllowPrivilegeEscalation: new(false),
		ReadOnlyRootFilesystem:   new(true),
		Capabilities:             &core.Capabilities{Drop: []core.Capability{"ALL"}},
	}
	m := buildManifests(t)
	pod := m.deployment.Spec.Template.Spec
	if have := pod.SecurityContext; !reflect.DeepEqual(have, &want) {
		t.Errorf("have %v\nwant %v", have, &want)
	}
	if have := m.container().SecurityContext; !reflect.DeepEqual(have, &wantContainer) {
		t.Errorf("have %v\nwant %v", have, &wantContainer)
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Error("it has a token of the API server, which it does not need")
	}
	if limits := m.container().Resources.Limits; limits.Memory().IsZero() {
		t.Error("its memory has no limit")
	}
	if user := fmt.Sprintf("USER %[1]d:%[1]d\n", imageUser); !strings.Contains(readFile(t, "../Dockerfile"), user) {
		t.Errorf("the image's user is another one, want %s", user)
	}
}

func TestKubernetes_UsesImageOfThisVersion(t *testing.T) {
	if have, want := buildManifests(t).container().Image, "/wolkvox_exporter:"+imageVersion(t); !strings.HasSuffix(have, want) {
		t.Errorf("have image %q, want one that ends in %q", have, want)
	}
}

func TestKubernetes_FlagsAreValid(t *testing.T) {
	args := buildManifests(t).container().Args
	wantFlags(t, args)
	// Without a server the exporter would send this token to another operation's server.
	if out, status := run(t, exporter, args...); status == 0 || !strings.Contains(out, "CHANGE-ME") {
		t.Errorf("with the placeholder for the server, have status %d:\n%s", status, out)
	}
}

func TestKubernetes_PrometheusRuleMatchesRules(t *testing.T) {
	script, err := filepath.Abs("kubernetes/prometheusrule.sh")
	if err != nil {
		t.Fatal(err)
	}
	out, status := run(t, "sh", script)
	if status != 0 {
		t.Fatal(out)
	}
	documents := strings.Split(out, "---\n")[1:]
	for _, document := range documents {
		rule := decodeYAML[monitoring.PrometheusRule](t, document)
		if rule.Kind != monitoring.PrometheusRuleKind || len(rule.Spec.Groups) == 0 {
			t.Errorf("have no groups of rules in %s", document)
		}
	}
	if len(documents) != 2 {
		t.Errorf("have %d documents, want one for each file of rules", len(documents))
	}
}
