package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Names of routing points and agents, the quota and a reconcile are there as
// well, each within seconds.
var panelsDemo = []string{
	"demo", "--web.listen-address=127.0.0.1:0", "--storage.path=state", "--poll.interval=1s", "--poll.reconcile-interval=2s",
	"--collector.zero-hold=0s", "--collector.agent-names",
}

func TestEveryPanelShowsDataOfTheDemo(t *testing.T) {
	t.Parallel()
	file := os.Getenv("PROMETHEUS")
	if file == "" {
		file = "prometheus"
	}
	file, err := exec.LookPath(file)
	if err != nil {
		t.Skipf("there is no Prometheus: neither the variable PROMETHEUS nor the PATH has one: %v", err)
	}
	program := filepath.Join(t.TempDir(), "wolkvox_exporter.exe")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".")
	build.Dir = ".." // It is of another module, whose go.sum knows what it needs.
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}

	target := listening(t, program, panelsDemo...)
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	err = os.WriteFile(config, fmt.Appendf(nil, `global: {scrape_interval: 1s}
scrape_configs: [{job_name: wolkvox, static_configs: [{targets: [%q]}]}]
`, target), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	prometheus := listening(t, file, "--config.file="+config, "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0")

	queries := panelQueries(t)
	for deadline := time.Now().Add(90 * time.Second); len(queries) > 0 && time.Now().Before(deadline); time.Sleep(time.Second) {
		queries = slices.DeleteFunc(queries, func(q panelQuery) bool { return hasData(t, prometheus, q) })
	}
	for _, q := range queries {
		t.Errorf("%s: no data for\n%s", q, q.expr)
	}
}

// listening runs a program until the test's end, and returns its address once it
// listens.
func listening(t *testing.T, file string, args ...string) (address string) {
	t.Helper()
	cmd := exec.Command(file, args...)
	cmd.Dir = t.TempDir()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		// It may have ended already.
		_ = cmd.Process.Kill()
		<-done
	})
	// The exporter toolkit's message, which Prometheus uses, too.
	said := regexp.MustCompile(`"Listening on".* address=(\S+)`)
	patience := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer patience.Stop()
	log, lines := strings.Builder{}, bufio.NewScanner(stderr)
	for lines.Scan() {
		if found := said.FindStringSubmatch(lines.Text()); found != nil {
			address = found[1]
			break
		}
		log.WriteString(lines.Text() + "\n")
	}
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, stderr)
		_ = cmd.Wait()
	}()
	if address == "" {
		t.Fatalf("%s does not listen:\n%s", filepath.Base(file), log.String())
	}
	return address
}

// hasData asks as Grafana does, and tells whether there is a number.
func hasData(t *testing.T, prometheus string, q panelQuery) bool {
	t.Helper()
	now := time.Now()
	path, parameters := "query", url.Values{"query": {q.expr}, "time": {unix(now)}}
	if !q.instant {
		path = "query_range"
		parameters = url.Values{"query": {q.expr}, "start": {unix(now.Add(-time.Minute))}, "end": {unix(now)}, "step": {"5"}}
	}
	response, err := http.PostForm("http://"+prometheus+"/api/v1/"+path, parameters)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusServiceUnavailable { // It is still starting.
		return false
	}
	var answer struct {
		Error string
		Data  struct {
			Result []struct {
				Value  [2]any
				Values [][2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatalf("%s: %s: %v", q, response.Status, err)
	}
	if answer.Error != "" {
		t.Fatalf("%s: %s\n%s", q, answer.Error, q.expr)
	}
	for _, series := range answer.Data.Result {
		for _, sample := range append(series.Values, series.Value) {
			if text, ok := sample[1].(string); ok && text != "NaN" {
				return true
			}
		}
	}
	return false
}

func unix(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }
