package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// pager is a receiver of Alertmanager's notifications.
type pager struct {
	*httptest.Server
	mu    sync.Mutex
	pages []page
}

// page is an alert in a notification.
type page struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func newPager(t *testing.T) *pager {
	t.Helper()
	p := &pager{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var notification struct {
			Alerts []page `json:"alerts"`
		}
		if err := json.NewDecoder(r.Body).Decode(&notification); err != nil {
			t.Errorf("reading a notification: %v", err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.pages = append(p.pages, notification.Alerts...)
	}))
	t.Cleanup(p.Close)
	return p
}

// last returns the newest page of an alert.
func (p *pager) last(alert string) (newest page) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, page := range p.pages {
		if page.Labels["alertname"] == alert {
			newest = page
		}
	}
	return newest
}

// startAlertmanager runs Alertmanager, which notifies a pager, until the test's end.
func startAlertmanager(t *testing.T, p *pager) (target string) {
	t.Helper()
	config := fmt.Sprintf(`
route:
  receiver: pager
  group_by: [alertname, operation, rp_id]
  group_wait: 100ms
  group_interval: 500ms
receivers:
  - name: pager
    webhook_configs:
      - url: %s
        send_resolved: true
`, p.URL)
	am := startProcess(t, t.TempDir(), nil, findProgram(t, "ALERTMANAGER"),
		"--config.file="+writeFile(t, "alertmanager.yml", config), "--storage.path=data", "--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")
	eventually(t, "Alertmanager being ready", func() bool { return am.answers("/-/ready") })
	return strings.TrimPrefix(am.baseURL(), "http://")
}
