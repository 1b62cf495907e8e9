package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// panelTest has the series of a test, a minute apart, and the result of the first query of a
// panel.
type panelTest struct {
	dashboard, panel string
	series           map[string]string // values by series, as promtool reads them
	at               string            // the time of evaluation, from the start of the series
	want             map[string]float64
}

func testPanel(t *testing.T, promtool string, test panelTest) {
	t.Helper()
	type object = map[string]any
	input, samples := []object{}, []object{}
	for series, values := range test.series {
		input = append(input, object{"series": series, "values": values})
	}
	for labels, value := range test.want {
		samples = append(samples, object{"labels": labels, "value": value})
	}
	// Rounded, as an older promtool compares floats bit by bit.
	expr := "round(" + firstQuery(t, test.dashboard, test.panel) + ", 0.001)"
	// JSON is YAML.
	text, err := json.Marshal(object{"tests": []object{{
		"interval": "1m", "input_series": input,
		"promql_expr_test": []object{{"expr": expr, "eval_time": test.at, "exp_samples": samples}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.yml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
