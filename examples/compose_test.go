package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// loadDemo returns the project that `docker compose up` starts.
func loadDemo(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"docker-compose/compose.yml"})
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// loadAccount returns the project that it starts with this text in the file .env. It changes
// to the folder docker-compose, where COMPOSE_FILE is read.
func loadAccount(t *testing.T, env string) (*types.Project, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), ".env")
	writeFile(t, file, env)
	t.Chdir("docker-compose")
	options, err := cli.NewProjectOptions(nil, cli.WithEnvFiles(file), cli.WithDotEnv, cli.WithConfigFileEnv)
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

func TestCompose_ConfinesServices(t *testing.T) {
	for name, service := range loadDemo(t).Services {
		if !service.ReadOnly {
			t.Errorf("%s: have a writable root file system", name)
		}
		if !slices.Equal(service.CapDrop, []string{"ALL"}) {
			t.Errorf("%s: have capabilities left, dropped are %q", name, service.CapDrop)
		}
		if !slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s: have security options %q, want no-new-privileges", name, service.SecurityOpt)
		}
		if uid, err := strconv.Atoi(strings.Split(service.User, ":")[0]); err != nil || uid == 0 {
			t.Errorf("%s: have user %q, want a number other than root's", name, service.User)
		}
		if service.Restart == "" {
			t.Errorf("%s: have no restart policy", name)
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %d is open to %q, want this machine only", name, port.Target, port.HostIP)
			}
		}
	}
}

func TestCompose_PinsImages(t *testing.T) {
	pinned := regexp.MustCompile(`:v?\d+\.\d+\.\d+$`)
	services := loadDemo(t).Services
	for name, service := range services {
		if !pinned.MatchString(service.Image) {
			t.Errorf("%s: have image %q, want a whole version", name, service.Image)
		}
	}
	if have, want := services["exporter"].Image, "wolkvox_exporter:"+imageVersion(t); have != want {
		t.Errorf("have image %q, and `make image` builds %q", have, want)
	}
}

func TestCompose_MountsExistingFiles(t *testing.T) {
	for name, service := range loadDemo(t).Services {
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !volume.ReadOnly {
				t.Errorf("%s: have a writable %s", name, volume.Source)
			}
		}
	}
}

func TestCompose_RunsDemo(t *testing.T) {
	command := loadDemo(t).Services["exporter"].Command
	if command[0] != "demo" {
		t.Errorf("have command %q, want the demo", command)
	}
	if !slices.Contains(command, "--web.listen-address=:10042") {
		t.Errorf("have command %q, which the other containers do not reach", command)
	}
	wantFlags(t, command)
}

func TestCompose_AccountEnvSelectsAccount(t *testing.T) {
	env := strings.Replace(readFile(t, "docker-compose/account.env"), "WOLKVOX_SERVER=", "WOLKVOX_SERVER=0042", 1)
	project, err := loadAccount(t, env)
	if err != nil {
		t.Fatal(err)
	}
	service := project.Services["exporter"]
	wantFlags(t, service.Command)
	for name := range service.Environment {
		wantVariable(t, name)
	}
	if have := service.Environment["WOLKVOX_SERVER"]; have == nil || *have != "0042" {
		t.Errorf("have server %v, want 0042", have)
	}
	// The image's user may write to /data, and the volume outlives the container.
	isState := func(v types.ServiceVolumeConfig) bool { return v.Type == types.VolumeTypeVolume && v.Target == "/data" }
	if !slices.Contains(service.Command, "--storage.path=/data") || !slices.ContainsFunc(service.Volumes, isState) {
		t.Errorf("have command %q and volumes %v, want the state in a named volume at /data", service.Command, service.Volumes)
	}
	for _, secret := range service.Secrets {
		if !slices.Contains(service.Command, "--wolkvox.token-file=/run/secrets/"+secret.Source) {
			t.Errorf("have command %q, want the secret %q as its token", service.Command, secret.Source)
		}
		file := filepath.Base(project.Secrets[secret.Source].File)
		if ignored := strings.Fields(readFile(t, ".gitignore")); !slices.Contains(ignored, "/"+file) {
			t.Errorf("git ignores %q, and not the token in %q", ignored, file)
		}
	}
	if len(service.Secrets) != 1 {
		t.Errorf("have %d secrets, want the token", len(service.Secrets))
	}
}

func TestCompose_AccountEnvRequiresServer(t *testing.T) {
	_, err := loadAccount(t, readFile(t, "docker-compose/account.env"))
	if err == nil || !strings.Contains(err.Error(), "WOLKVOX_SERVER") {
		t.Errorf("have %v, want an error that names WOLKVOX_SERVER", err)
	}
}

func TestCompose_KeepsStateInPostgreSQL(t *testing.T) {
	env := strings.Replace(readFile(t, "docker-compose/account.env"), "WOLKVOX_SERVER=", "WOLKVOX_SERVER=0042", 1)
	project, err := loadAccount(t, strings.Replace(env, "compose.account.yml", "compose.account.yml:compose.postgresql.yml", 1))
	if err != nil {
		t.Fatal(err)
	}
	service, database := project.Services["exporter"], project.Services["postgresql"]
	wantFlags(t, service.Command)
	if len(service.Volumes) > 0 {
		t.Errorf("have volumes %v of the exporter, want none", service.Volumes)
	}
	if _, ok := service.DependsOn["postgresql"]; !ok || len(database.Volumes) != 1 || len(database.Ports) > 0 {
		t.Errorf("have dependencies %v, and volumes %v and ports %v of the database, want it first, with one volume and no port", service.DependsOn, database.Volumes, database.Ports)
	}
	for _, secret := range service.Secrets {
		if !slices.ContainsFunc(service.Command, func(flag string) bool { return strings.HasSuffix(flag, "-file=/run/secrets/"+secret.Source) }) {
			t.Errorf("have command %q, want a file of the secret %q", service.Command, secret.Source)
		}
		file := filepath.Base(project.Secrets[secret.Source].File)
		if ignored := strings.Fields(readFile(t, ".gitignore")); !slices.Contains(ignored, "/"+file) {
			t.Errorf("git ignores %q, and not %q", ignored, file)
		}
	}
	if len(service.Secrets) != 2 {
		t.Errorf("have %d secrets, want the token and the database's password", len(service.Secrets))
	}
}
