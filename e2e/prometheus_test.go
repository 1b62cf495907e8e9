package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// prometheus is a running Prometheus.
type prometheus struct {
	*process
}

// prometheusVersion returns the version of the Prometheus under test, as major version and whole.
func prometheusVersion(t *testing.T) (major int, full string) {
	t.Helper()
	out, err := exec.Command(findProgram(t, "PROMETHEUS"), "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("asking Prometheus for its version: %v\n%s", err, out)
	}
	found := regexp.MustCompile(`version ((\d+)\.[^ ]*)`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("have no version in %q", out)
	}
	major, err = strconv.Atoi(string(found[2]))
	if err != nil {
		t.Fatal(err)
	}
	return major, string(found[1])
}

// startPrometheus runs Prometheus with a configuration until the test's end.
func startPrometheus(t *testing.T, config string, args ...string) *prometheus {
	t.Helper()
	p := &prometheus{startProcess(t, t.TempDir(), nil, findProgram(t, "PROMETHEUS"), append([]string{
		"--config.file=" + writeFile(t, "prometheus.yml", config), "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0",
	}, args...)...)}
	eventually(t, "Prometheus being ready", func() bool { return p.answers("/-/ready") })
	return p
}

// series is a series of a query's result, with one sample for an instant query and several
// for a range.
type series struct {
	Metric     map[string]string `json:"metric"`
	Value      *sample           `json:"value"`
	Values     []sample          `json:"values"`
	Histogram  *histogramSample  `json:"histogram"`
	Histograms []histogramSample `json:"histograms"`
}

// sample is a float at a time, in seconds.
type sample struct{ at, value float64 }

// UnmarshalJSON reads [time, "value"].
func (s *sample) UnmarshalJSON(text []byte) error {
	var value string
	if err := json.Unmarshal(text, &[]any{&s.at, &value}); err != nil {
		return err
	}
	var err error
	s.value, err = strconv.ParseFloat(value, 64)
	return err
}

// histogramSample is a native histogram at a time, in seconds.
type histogramSample struct{ at, count, sum float64 }

// UnmarshalJSON reads [time, {"count": "1", "sum": "1", ...}].
func (s *histogramSample) UnmarshalJSON(text []byte) error {
	var histogram struct {
		Count float64 `json:"count,string"`
		Sum   float64 `json:"sum,string"`
	}
	err := json.Unmarshal(text, &[]any{&s.at, &histogram})
	s.count, s.sum = histogram.Count, histogram.Sum
	return err
}

// query evaluates an expression at a time.
func (p *prometheus) query(expression string, at time.Time) []series {
	p.t.Helper()
	var result struct {
		Result []series `json:"result"`
	}
	p.get("/api/v1/query", url.Values{"query": {expression}, "time": {seconds(at)}}, &result)
	return result.Result
}

// number evaluates an expression that has one series or none, which is 0.
func (p *prometheus) number(expression string, at time.Time) float64 {
	p.t.Helper()
	switch result := p.query(expression, at); {
	case len(result) == 0:
		return 0
	case len(result) > 1 || result[0].Value == nil:
		p.t.Fatalf("%s: have %d series, want one of floats", expression, len(result))
		return 0
	default:
		return result[0].Value.value
	}
}

// exemplars are the exemplars of one series.
type exemplars struct {
	SeriesLabels map[string]string `json:"seriesLabels"`
	Exemplars    []struct {
		Labels map[string]string `json:"labels"`
		Value  float64           `json:"value,string"`
	} `json:"exemplars"`
}

func (p *prometheus) exemplars(selector string, from, to time.Time) []exemplars {
	p.t.Helper()
	var result []exemplars
	p.get("/api/v1/query_exemplars", url.Values{"query": {selector}, "start": {seconds(from)}, "end": {seconds(to)}}, &result)
	return result
}

// get sends a request to the API. The test fails if the API returns an error.
func (p *prometheus) get(path string, parameters url.Values, into any) {
	p.t.Helper()
	response, err := client.PostForm(p.baseURL()+path, parameters)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Status string          `json:"status"`
		Error  string          `json:"error"`
		Data   json.RawMessage `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		p.t.Fatalf("%s %s: %v", path, parameters, err)
	}
	if answer.Status != "success" {
		p.t.Fatalf("%s %s: %s", path, parameters, answer.Error)
	}
	if err := json.Unmarshal(answer.Data, into); err != nil {
		p.t.Fatalf("%s %s: %v", path, parameters, err)
	}
}

// seconds formats a time for the API.
func seconds(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

// scrapeJob returns a job of a configuration with additional lines.
func scrapeJob(name, target string, lines ...string) string {
	job := fmt.Sprintf("  - job_name: %s\n    static_configs:\n      - targets: [%q]\n", name, target)
	for _, line := range lines {
		job += "    " + line + "\n"
	}
	return job
}

// prometheusConfig returns a configuration that scrapes and evaluates rules at an interval.
func prometheusConfig(every string, jobs ...string) string {
	return fmt.Sprintf("global:\n  scrape_interval: %[1]s\n  scrape_timeout: %[1]s\n  evaluation_interval: %[1]s\nscrape_configs:\n%[2]s",
		every, strings.Join(jobs, ""))
}
