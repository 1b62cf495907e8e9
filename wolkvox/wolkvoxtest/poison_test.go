package wolkvoxtest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// newPoisoned returns a server with three chats, a minute apart. The row of the second has
// a poison.
func newPoisoned(t *testing.T, p wolkvoxtest.Poison) *wolkvoxtest.Server {
	t.Helper()
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Now: clockAt(noon.Add(24 * time.Hour))})
	s.Add(answered(1, noon), answered(2, noon.Add(time.Minute)), answered(3, noon.Add(2*time.Minute)))
	s.PoisonWith(func(c wolkvoxtest.Chat) wolkvoxtest.Poison {
		if c.ConnID == "1002" {
			return p
		}
		return wolkvoxtest.NoPoison
	})
	return s
}

func TestPoison_Responses(t *testing.T) {
	for _, test := range []struct {
		poison wolkvoxtest.Poison
		text   string
	}{
		{wolkvoxtest.PoisonQuote, `"customer_name":"Ana "la mona" Núñez","customer_id"`},
		{wolkvoxtest.PoisonWarning, "\"customer_name\":<br />\n<b>Warning</b>"},
		{wolkvoxtest.PoisonNaN, `"asa":NaN,`},
		{wolkvoxtest.PoisonTab, "\"Ana\tNu\\u00f1ez\""},
		{wolkvoxtest.PoisonBreak, "\"Ana\r\nNu\\u00f1ez\""},
		{wolkvoxtest.PoisonLatin1, "\"Ana N\xfa\xf1ez\""},
	} {
		have := get(t, newPoisoned(t, test.poison), dayReport())
		if have.err != nil || have.status != http.StatusOK || strings.Count(have.body, test.text) != 1 {
			t.Errorf("%v: have %+v", test.poison, have)
		}
		wantText(t, have.body, `"msg":"3 records were found"`, `"conn_id":"1001"`, `"conn_id":"1003"`)
	}
	have := get(t, newPoisoned(t, wolkvoxtest.PoisonEmpty), dayReport())
	if have.err != nil || have.status != http.StatusOK || have.body != "" || have.header.Get("Content-Type") != "application/json" {
		t.Errorf("empty: have %+v", have)
	}
	have = get(t, newPoisoned(t, wolkvoxtest.PoisonCut), dayReport())
	if have.err != nil || have.status != http.StatusOK || !strings.Contains(have.body, `"conn_id":"1002"`) ||
		strings.Contains(have.body, `"conn_id":"1003"`) || strings.HasSuffix(have.body, "}") {
		t.Errorf("cut: have %+v", have)
	}
}

func TestPoison_LastsUntilRemoved(t *testing.T) {
	names := map[string]bool{}
	for _, poison := range wolkvoxtest.AllPoisons() {
		if names[poison.String()] {
			t.Errorf("%v twice", poison)
		}
		names[poison.String()] = true
		s := newPoisoned(t, poison)
		before := s.Truth(noon.Add(24 * time.Hour))
		body := get(t, s, dayReport()).body
		tolerable := strings.NewReplacer("\t", " ", "\r", " ", "\n", " ").Replace(body)
		if json.Valid([]byte(tolerable)) == poison.Unreadable() {
			t.Errorf("%v: have %q", poison, body)
		}
		wantColumn(t, get(t, s, chat8(noon, noon.Add(59*time.Second))).document(t), "conn_id", "1001")
		wantColumn(t, get(t, s, chat8(noon.Add(61*time.Second), noon.Add(time.Hour))).document(t), "conn_id", "1003")
		if whole := get(t, s, chat8(noon.Add(time.Minute), noon.Add(time.Minute))).body; poison.Unreadable() && json.Valid([]byte(whole)) {
			t.Errorf("%v: its own second: have %q", poison, whole)
		}
		s.PoisonWith(nil)
		wantColumn(t, get(t, s, dayReport()).document(t), "conn_id", "1001", "1002", "1003")
		if before.Total.Interactions != 3 {
			t.Errorf("%v: truth %+v", poison, before)
		}
	}
	if p := wolkvoxtest.Poison(99).String(); p != "poison-99" || wolkvoxtest.NoPoison.Unreadable() {
		t.Errorf("have %s", p)
	}
}

func TestServer_TruthOf(t *testing.T) {
	s := newPoisoned(t, wolkvoxtest.PoisonEmpty)
	have := s.TruthOf(noon.Add(24*time.Hour), func(c wolkvoxtest.Chat) bool { return c.ConnID != "1002" })
	if have.Total.Interactions != 2 || have.Agents["1201"].Chats != 2 {
		t.Errorf("have %+v", have)
	}
}
