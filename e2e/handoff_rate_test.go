package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// handoffRateTest is a unit test for promtool. The dashboard's query is read 25
// hours after the first chat.
const handoffRateTest = `
tests:
  - interval: 5m
    input_series:
      - {series: 'wolkvox_chat_interactions_total{operation="wv0042",rp_id="1203",channel="web"}', values: %s}
      - {series: 'wolkvox_chat_handoffs_total{operation="wv0042",rp_id="1203",channel="web"}', values: %s}
    promql_expr_test:
      - {expr: %q, eval_time: 25h, exp_samples: [{labels: '{}', value: %v}]}
`

func TestHandoffRatePanel_ShowsNoRateWhereReportLeavesBotOnlyChatsOut(t *testing.T) {
	t.Parallel()
	promtool := findProgram(t, "PROMTOOL")
	var expr string
	for _, q := range panelQueries(t) {
		if q.panel == "Handoff rate, last $window" {
			expr = q.expr
		}
	}
	for name, test := range map[string]struct {
		interactions, handoffs string
		want                   float64
	}{
		"no bot-only chats":                   {"0+1x300", "0+1x300", -1},
		"some bot-only chats":                 {"0+2x300", "0+1x300", 0.5},
		"none in the window, some in the day": {"0+2x280 562+2x20", "0+1x280 282+2x20", 1},
		"few chats":                           {"0x296 1+1x4", "0x296 1+1x4", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "test.yml")
			text := fmt.Sprintf(handoffRateTest, test.interactions, test.handoffs, expr, test.want)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if output, err := exec.CommandContext(t.Context(), promtool, "test", "rules", file).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}
