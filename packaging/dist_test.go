//go:build release

// Package packaging checks the files that make release-snapshot has made in dist.
package packaging

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var platforms = []string{"linux-amd64", "linux-arm64", "linux-armv7", "darwin-amd64", "darwin-arm64", "windows-amd64"}

// archived is a file of an archive.
type archived struct {
	mode os.FileMode
	data []byte
}

func version(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(string(readFile(t, "../VERSION"))) + "-snapshot"
}

func readFile(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// readTar returns the regular files of a tar archive.
func readTar(t *testing.T, reader io.Reader) map[string]archived {
	t.Helper()
	files := map[string]archived{}
	archive := tar.NewReader(reader)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = archived{header.FileInfo().Mode(), data}
	}
}

func readTarGzip(t *testing.T, data []byte) map[string]archived {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return readTar(t, reader)
}

func readZip(t *testing.T, data []byte) map[string]archived {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]archived{}
	for _, file := range archive.File {
		reader, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		files[file.Name] = archived{file.Mode(), data}
	}
	return files
}

func TestArchive_HasProgramAndDocuments(t *testing.T) {
	want := []string{
		"CHANGELOG.md", "LICENSE", "NOTICE", "README.es.md", "README.md",
		"completions/_wolkvox_exporter", "completions/wolkvox_exporter.bash",
		"docs/wolkvox.example.yml", "examples/systemd/wolkvox_exporter.service", "man/wolkvox_exporter.1",
		"rules/wolkvox.alerts.yml", "rules/wolkvox.days.rules.yml", "rules/wolkvox.rules.yml",
	}
	dashboards, err := filepath.Glob("../dashboards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, dashboard := range dashboards {
		want = append(want, "dashboards/"+filepath.Base(dashboard))
	}
	for _, platform := range platforms {
		t.Run(platform, func(t *testing.T) {
			folder := "wolkvox_exporter-" + version(t) + "." + platform
			program, read, suffix := "wolkvox_exporter", readTarGzip, ".tar.gz"
			if strings.HasPrefix(platform, "windows") {
				program, read, suffix = "wolkvox_exporter.exe", readZip, ".zip"
			}
			files := read(t, readFile(t, "../dist/"+folder+suffix))
			var have []string
			for name, file := range files {
				rest, ok := strings.CutPrefix(name, folder+"/")
				if !ok {
					t.Errorf("have %s outside %s", name, folder)
				}
				have = append(have, rest)
				wantMode := os.FileMode(0o644)
				if rest == program {
					wantMode = 0o755
				}
				if file.mode.Perm() != wantMode {
					t.Errorf("%s: have mode %v, want %v", name, file.mode, wantMode)
				}
			}
			slices.Sort(have)
			all := append([]string{program}, want...)
			slices.Sort(all)
			if !slices.Equal(have, all) {
				t.Errorf("have %q\nwant %q", have, all)
			}
			for _, text := range []string{version(t), "wolkvox_exporter-release"} {
				if !bytes.Contains(files[folder+"/"+program].data, []byte(text)) {
					t.Errorf("the program has no %q", text)
				}
			}
			if title := ".TH WOLKVOX_EXPORTER 1 \"\" \"wolkvox_exporter " + version(t) + "\"\n"; !bytes.HasPrefix(files[folder+"/man/wolkvox_exporter.1"].data, []byte(title)) {
				t.Errorf("the man page does not begin with %s", title)
			}
		})
	}
}

func TestChecksums_CoverEachFile(t *testing.T) {
	listed := map[string]string{}
	for line := range strings.Lines(string(readFile(t, "../dist/sha256sums.txt"))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		listed[name] = sum
	}
	for _, pattern := range []string{"*.tar.gz", "*.zip", "*.deb", "*.rpm", "*.cdx.json"} {
		files, err := filepath.Glob("../dist/" + pattern)
		if err != nil || len(files) == 0 {
			t.Errorf("have no %s: %v", pattern, err)
		}
		for _, file := range files {
			sum := sha256.Sum256(readFile(t, file))
			if have, want := listed[filepath.Base(file)], hex.EncodeToString(sum[:]); have != want {
				t.Errorf("%s: have %q in the list, want %s", file, have, want)
			}
		}
	}
}

func TestSBOM_ListsModulesOfEachProgram(t *testing.T) {
	for _, platform := range platforms {
		var bom struct {
			BOMFormat string `json:"bomFormat"`
			Metadata  struct {
				Component struct{ Name, Version string }
			}
			Components []struct{ Name, Version, PURL string }
		}
		if err := json.Unmarshal(readFile(t, fmt.Sprintf("../dist/wolkvox_exporter-%s.%s.cdx.json", version(t), platform)), &bom); err != nil {
			t.Fatal(err)
		}
		if bom.BOMFormat != "CycloneDX" || bom.Metadata.Component.Version != version(t) {
			t.Errorf("%s: have %s of %+v", platform, bom.BOMFormat, bom.Metadata.Component)
		}
		have := map[string]bool{}
		for _, component := range bom.Components {
			if component.Version == "" || !strings.HasPrefix(component.PURL, "pkg:golang/") {
				t.Errorf("%s: have component %+v", platform, component)
			}
			have[component.Name] = true
		}
		for _, want := range []string{"std", "github.com/prometheus/client_golang", "github.com/alecthomas/kingpin/v2"} {
			if !have[want] {
				t.Errorf("%s: have no component %s", platform, want)
			}
		}
	}
}

// descriptor is an entry of an OCI index or manifest.
type descriptor struct {
	Digest   string `json:"digest"`
	Platform struct{ OS, Architecture, Variant string }
}

func TestImage_HasEachPlatformAndLabels(t *testing.T) {
	files := readTar(t, bytes.NewReader(readFile(t, "../dist/wolkvox_exporter-"+version(t)+".oci.tar")))
	decode := func(name string, value any) {
		t.Helper()
		if err := json.Unmarshal(files[name].data, value); err != nil {
			t.Fatalf("reading %s: %v", name, err)
		}
	}
	blob := func(d descriptor) string { return path.Join("blobs", strings.Replace(d.Digest, ":", "/", 1)) }
	var index struct{ Manifests []descriptor }
	decode("index.json", &index)
	if len(index.Manifests) != 1 {
		t.Fatalf("have %d images, want one list of them", len(index.Manifests))
	}
	decode(blob(index.Manifests[0]), &index)
	var have []string
	for _, image := range index.Manifests {
		have = append(have, path.Join(image.Platform.OS, image.Platform.Architecture, image.Platform.Variant))
		var manifest struct{ Config descriptor }
		decode(blob(image), &manifest)
		var config struct {
			OS, Architecture string
			Config           struct {
				User       string
				Entrypoint []string
				Labels     map[string]string
			}
		}
		decode(blob(manifest.Config), &config)
		if config.OS != image.Platform.OS || config.Architecture != image.Platform.Architecture || config.Config.User != "65532:65532" {
			t.Errorf("%v: have configuration %+v", image.Platform, config)
		}
		for _, label := range []string{"title", "description", "source", "licenses", "version", "revision"} {
			if config.Config.Labels["org.opencontainers.image."+label] == "" {
				t.Errorf("%v: have no label %s", image.Platform, label)
			}
		}
		if have := config.Config.Labels["org.opencontainers.image.version"]; have != version(t) {
			t.Errorf("%v: have version %q, want %q", image.Platform, have, version(t))
		}
	}
	if want := []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}; !slices.Equal(have, want) {
		t.Errorf("have platforms %q, want %q", have, want)
	}
}
