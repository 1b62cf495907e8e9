package wolkvoxtest_test

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The package is part of the program, but independent of its client.
func TestPackage_ImportsStandardLibraryOnly(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if strings.Contains(path, ".") || path == "net/http/httptest" || strings.HasPrefix(path, "testing") {
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
}

const (
	reports     = "/api/v2/reports_manager.php"
	information = "/api/v2/information.php"
)

// bogota is a zone without clock changes. noon is a time in the past.
var (
	bogota = time.FixedZone("America/Bogota", -5*60*60)
	noon   = time.Date(2026, 3, 10, 12, 0, 0, 0, bogota)
)

func newServer(t *testing.T, cfg wolkvoxtest.Config) *wolkvoxtest.Server {
	t.Helper()
	s := wolkvoxtest.NewServer(cfg)
	t.Cleanup(s.Close)
	return s
}

// answered is a chat that an agent ended after ten minutes.
func answered(n int, start time.Time) wolkvoxtest.Chat {
	phone := "57300555" + strconv.Itoa(1000+n)
	return wolkvoxtest.Chat{
		ConnID: strconv.Itoa(1000 + n), SessionID: phone + "_whatsapp", Start: start, End: start.Add(10 * time.Minute),
		BotTime: 30 * time.Second, Answer: 90 * time.Second, HandleTime: 8 * time.Minute, Total: 10 * time.Minute,
		RoutingPoint: "77", Channel: "WhatsApp", HandedOff: true,
		Customer: wolkvoxtest.Customer{Phone: phone, Name: "Ana Núñez", ID: "1000000001", Email: "ana@example.com"},
		AgentID:  "1201", AgentName: "Darío Monsalve",
		Messages: 12, CustomerChars: 210, AgentChars: 480, LastSender: "agent",
	}
}

// botOnly is a chat that the bot ended after a minute.
func botOnly(n int, start time.Time) wolkvoxtest.Chat {
	c := answered(n, start)
	c.End, c.BotTime, c.Total = start.Add(time.Minute), time.Minute, time.Minute
	c.Answer, c.HandleTime, c.AgentChars = wolkvoxtest.Absent, wolkvoxtest.Absent, wolkvoxtest.Absent
	c.HandedOff, c.AgentID, c.AgentName, c.LastSender = false, "", "", "chat_bot"
	return c
}

// response is a response as a plain client gets it.
type response struct {
	status int
	header http.Header
	body   string
	err    error // of the request, or of reading the body
}

// get sends a request. It follows no redirects and does not decompress.
func get(t *testing.T, s *wolkvoxtest.Server, path string, headers ...string) response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("wolkvox-token", "secret")
	for h := range slices.Chunk(headers, 2) {
		req.Header.Set(h[0], h[1])
	}
	return do(s, req)
}

func do(s *wolkvoxtest.Server, req *http.Request) response {
	transport := s.Transport().Clone()
	transport.DisableCompression = true
	transport.DisableKeepAlives = true
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	resp, err := client.Do(req)
	if err != nil {
		return response{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return response{resp.StatusCode, resp.Header, string(body), err}
}

// chat8 returns the path of a report.
func chat8(from, to time.Time) string {
	const layout = "20060102150405"
	return reports + "?api=chat_8&date_ini=" + from.Format(layout) + "&date_end=" + to.Format(layout)
}

// dayReport returns the path of the report of the day of noon.
func dayReport() string { return chat8(noon.Add(-12*time.Hour), noon.Add(12*time.Hour-time.Second)) }

// document is a response of the API.
type document struct {
	Code  any
	Error any
	Msg   string
	Data  []map[string]any
}

func (r response) document(t *testing.T) document {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	var d document
	decoder := json.NewDecoder(strings.NewReader(r.body))
	decoder.UseNumber()
	if err := decoder.Decode(&d); err != nil {
		t.Fatalf("%v in %q", err, r.body)
	}
	return d
}

// column returns one field of all rows.
func (d document) column(field string) []any {
	values := make([]any, len(d.Data))
	for i, row := range d.Data {
		values[i] = row[field]
	}
	return values
}

// isSampled reports whether to try the i-th of many readings. With -short, which make test
// uses with the race detector only, every tenth is enough.
func isSampled(i int) bool { return !testing.Short() || i%10 == 0 }

func clockAt(t time.Time) func() time.Time { return func() time.Time { return t } }
