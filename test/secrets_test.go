package test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// The values that must be shown nowhere. secretTexts has the part of each to search for.
const (
	secretToken    = "canarytoken-5up3r"
	secretPassword = "canarypassword"
	secretPhone    = "573009998877"
	secretName     = "Zoraida Quimbaya"
	secretEmail    = "zq.canario@example.com"
	secretID       = "1098765432"
	secretSession  = secretPhone + "_connector-canario"
	secretAgent    = "Leovigilda Cifuentes"
	secretConn     = "770077007700"
)

var secretTexts = []string{
	"canarytoken", secretPassword, "3009998877", "zoraida", "quimbaya", "zq.canario", secretID, "connector-canario", "leovigilda", "cifuentes", secretConn,
}

// findSecret returns the first secret in a text, with the text around it.
func findSecret(text string) string {
	text = strings.ToLower(text)
	for _, secret := range secretTexts {
		if at := strings.Index(text, secret); at >= 0 {
			return fmt.Sprintf("%q in %q", secret, text[max(0, at-80):min(len(text), at+80)])
		}
	}
	return ""
}

func TestServe_ShowsNoPersonalDataOrToken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, format string
		token        func(t *testing.T) (flag, env string)
	}{
		{"logfmt and a token in the environment", "logfmt", func(*testing.T) (flag, env string) {
			return "--wolkvox.timeout=10s", "WOLKVOX_TOKEN=" + secretToken
		}},
		{"json and a token file", "json", func(t *testing.T) (flag, env string) {
			t.Helper()
			return "--wolkvox.token-file=" + writeFile(t, secretToken+"\n"), "NO=ENV"
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			zone := noonZone()
			server := wolkvoxtest.NewServer(wolkvoxtest.Config{
				Token: secretToken, Location: loadZone(t, zone),
				Limits:   wolkvoxtest.Limits{RequestsPerDay: -1},
				Readings: wolkvoxtest.Readings{ListOpen: wolkvoxtest.EmptyEnd},
			})
			defer server.Close()
			for i := range 20 {
				server.Add(secretChat(i))
			}
			leaky := &leakyServer{valid: server.Handler()}
			front := leaky.serve(t)

			flag, env := test.token(t)
			e := invocation{
				args: []string{
					"--wolkvox.url=" + strings.Replace(front.URL, "://", "://user:"+secretPassword+"@", 1), flag, "--wolkvox.timezone=" + zone,
					"--web.listen-address=127.0.0.1:0", "--storage.path=state", "--poll.interval=1s", "--poll.reconcile-interval=2s",
					"--poll.reconcile-window=10m", "--poll.overlap=5m", "--log.level=debug", "--log.format=" + test.format,
				},
				env: []string{env},
			}.start(t)
			e.await("a first poll", up)
			leaky.startLeaking()
			pollUntil(t, 2*waitLimit, time.Second, "every leaky response", func() bool {
				e.checkLeaks()
				return leaky.isDone()
			})
			have := e.await("a good poll after that", up)
			e.checkLeaks()
			if status := e.stop(syscall.SIGTERM); status != 0 {
				t.Errorf("have exit status %d, want 0", status)
			}
			e.checkFiles()
			if found := findSecret(e.logged()); found != "" {
				t.Errorf("the log has %s", found)
			}
			// A response that was not fetched could not leak.
			if have.sum("wolkvox_chat_handoffs_total") == 0 || have.sum("wolkvox_exporter_field_errors_total") < 5 || have.outcomes()["invalid"] == 0 {
				t.Errorf("have outcomes %v and %v field errors, want handoffs, field errors and invalid rows",
					have.outcomes(), have.sum("wolkvox_exporter_field_errors_total"))
			}
			if have.sum("wolkvox_routing_point_info") != 1 || have.sum("wolkvox_api_token_requests_used") != 12 {
				t.Errorf("have no name of a routing point, or no requests of the day: what came with them was not seen")
			}
			results := have.byLabel("wolkvox_api_requests_total", "result")
			for _, result := range []string{"malformed", "unavailable", "server_error", "redirected", "network", "bad_request"} {
				if results[result] == 0 {
					t.Errorf("no request was %s: its message was not seen", result)
				}
			}
		})
	}
}

// Names and conn_ids are shown in the metrics if their flags are set, and nowhere else.
func TestServe_ShowsOptionalPersonalDataInMetricsOnly(t *testing.T) {
	t.Parallel()
	zone := noonZone()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: secretToken, Location: loadZone(t, zone), Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
	defer server.Close()
	for i := range 5 {
		server.Add(secretChat(i))
	}
	e := invocation{
		args: []string{
			"--wolkvox.url=" + server.URL(), "--wolkvox.timezone=" + zone, "--web.listen-address=127.0.0.1:0", "--storage.path=state",
			"--collector.agent-names", "--collector.exemplars", "--log.level=debug",
		},
		env: []string{"WOLKVOX_TOKEN=" + secretToken},
	}.start(t)
	e.await("a first poll", up)
	shown := regexp.MustCompile(`wolkvox_agent_info\{agent_id="1201",agent_name="` + secretAgent + `",operation="[^"]+"\} 1|# \{conn_id="` + secretConn + `\d"\}`)
	for accept, want := range map[string]int{"text/plain": 1, "application/openmetrics-text;version=1.0.0": 1 + 7} {
		_, body, err := e.get("/metrics", "Accept", accept)
		if err != nil {
			t.Fatal(err)
		}
		if have := shown.FindAllString(body, -1); len(have) < want {
			t.Errorf("%s: have %q, want %d at least", accept, have, want)
		}
		if found := findSecret(shown.ReplaceAllString(body, "")); found != "" {
			t.Errorf("%s has %s", accept, found)
		}
	}
	if _, body, err := e.get("/"); err != nil || findSecret(body) != "" {
		t.Errorf("the landing page has %s (error %v)", findSecret(body), err)
	}
	if status := e.stop(syscall.SIGTERM); status != 0 {
		t.Errorf("have exit status %d, want 0", status)
	}
	e.checkFiles()
	if found := findSecret(e.logged()); found != "" {
		t.Errorf("the log has %s", found)
	}
}

func secretChat(i int) wolkvoxtest.Chat {
	now := time.Now()
	c := wolkvoxtest.Chat{
		ConnID: secretConn + fmt.Sprint(i), SessionID: secretSession, Start: now.Add(-time.Minute - time.Duration(i)*time.Second),
		BotTime: 5 * time.Second, Answer: 7 * time.Second, HandleTime: 8 * time.Second, Total: 20 * time.Second,
		RoutingPoint: "1101", Channel: "whatsapp", HandedOff: true,
		Customer: wolkvoxtest.Customer{Phone: secretPhone, Name: secretName, ID: secretID, Email: secretEmail},
		AgentID:  "1201", AgentName: secretAgent, Messages: 9, CustomerChars: 90, AgentChars: 80, LastSender: "agent",
	}
	if c.End = c.Start.Add(c.Total); i%5 == 0 {
		c.End = time.Time{}
	}
	return c
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// checkLeaks searches all pages of the program for secrets.
func (e *exporter) checkLeaks() {
	e.t.Helper()
	for _, page := range []struct{ path, accept, has string }{
		{"/metrics", "text/plain", "# TYPE wolkvox_up gauge\n"},
		{"/metrics", "application/openmetrics-text;version=1.0.0", "# EOF\n"},
		{"/metrics", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", "\n\nwolkvox_up\x12"},
		{"/", "text/html", "</html>"},
		{"/-/ready", "*/*", "ready"},
		{"/-/healthy", "*/*", "healthy"},
	} {
		_, body, err := e.get(page.path, "Accept", page.accept)
		if err != nil {
			e.t.Fatal(err)
		}
		if !strings.Contains(body, page.has) {
			e.t.Fatalf("%s as %s has no %q:\n%s", page.path, page.accept, page.has, body)
		}
		if found := findSecret(body); found != "" {
			e.t.Fatalf("%s as %s has %s", page.path, page.accept, found)
		}
	}
}

// checkFiles searches all files of the program's folder and their names for secrets.
func (e *exporter) checkFiles() {
	e.t.Helper()
	seen := 0
	err := filepath.WalkDir(e.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if found := findSecret(entry.Name() + "\n" + string(content)); found != "" {
			e.t.Errorf("%s has %s", entry.Name(), found)
		}
		seen += len(content)
		return err
	})
	if err != nil || seen < 100 {
		e.t.Errorf("have looked at %d bytes (error %v), want a state", seen, err)
	}
}
