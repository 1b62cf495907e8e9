package backfill

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"go.uber.org/goleak"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const day = 24 * time.Hour

func mustLoad(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

func mustParse(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// past is an operation with a past time span to backfill.
type past struct {
	readings wolkvoxtest.Readings
	options  Options
	chats    []wolkvoxtest.Chat
	source   wolkvoxtest.Source
	log      bytes.Buffer
	requests int
	limit    int // maximum number of rows of a response; 0 for the default
	// poisoned holds chats that make every response with them unreadable.
	poisoned []wolkvoxtest.Chat
	// stop is called before each request.
	stop func(n int, cancel context.CancelFunc)
}

// isSelected reports whether to run the i-th of many backfills. With -short, which make test
// uses with the race detector, only every tenth runs.
func isSelected(i int) bool { return !testing.Short() || i%10 == 0 }

func newPast(zone, from string, lasts time.Duration) *past {
	p := &past{stop: func(int, context.CancelFunc) {}}
	p.options = Options{
		Operation: "test",
		Zone:      mustLoad(zone),
		From:      mustParse(from),
		To:        mustParse(from).Add(lasts),
		Step:      20 * time.Minute,
		Lookback:  day,
		Ledger:    ledger.Options{MaxLabelSets: 10, Agents: true},
	}
	p.makeChats()
	return p
}

// run runs a backfill two days later.
func (p *past) run(t *testing.T) (text string, err error) {
	t.Helper()
	var out bytes.Buffer
	if p.options.Stdout == nil {
		p.options.Stdout = &out
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(p.options.To.Add(2 * day)))
		server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{
			Token: "t", Location: p.options.Zone, Readings: p.readings, Source: p.source, Limits: wolkvoxtest.Limits{SameMonth: true, Rows: p.limit},
		})
		defer server.Close()
		server.Add(p.chats...)
		server.Add(p.poisoned...)
		server.PoisonWith(func(c wolkvoxtest.Chat) wolkvoxtest.Poison {
			if slices.ContainsFunc(p.poisoned, func(poisoned wolkvoxtest.Chat) bool { return poisoned.ConnID == c.ConnID }) {
				return wolkvoxtest.PoisonEmpty
			}
			return wolkvoxtest.NoPoison
		})
		base, parseErr := url.Parse(server.URL())
		if parseErr != nil {
			t.Fatal(parseErr)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		transport := &http.Transport{DialContext: server.DialContext, DisableCompression: true}
		defer transport.CloseIdleConnections()
		client := wolkvox.NewClient(base, wolkvox.StaticToken("t"), wolkvox.WithTransport(roundTripper(func(r *http.Request) (*http.Response, error) {
			p.requests++
			p.stop(p.requests, cancel)
			return transport.RoundTrip(r)
		})))
		p.options.Logger = log.NewLogfmtLogger(&p.log)
		err = Run(ctx, reader.NewHistory(client, reader.Options{
			Zone: p.options.Zone, Logger: p.options.Logger, Interval: 5 * time.Minute, Timeout: time.Minute,
		}), p.options)
		if most := server.MaxInFlight(); most > 1 {
			t.Errorf("requests at the same time: have %d, want 1", most)
		}
	})
	return out.String(), err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// makeChats makes chats from a day before the time that is read to a day after it,
// seconds to twenty hours long, and those that end where something begins or ends.
func (p *past) makeChats() {
	random := rand.New(rand.NewPCG(1, 2))
	from, to := p.options.From.Add(-day), p.options.To.Add(day)
	var ends []time.Time
	for len(ends) < 1500 {
		ends = append(ends, from.Add(time.Duration(random.Int64N(int64(to.Sub(from)))).Truncate(time.Second)))
	}
	for _, at := range []time.Time{p.options.From, p.options.To, p.options.From.Add(p.options.Step), p.options.From.Add(6 * time.Hour)} {
		ends = append(ends, at.Add(-time.Second), at, at.Add(time.Second))
	}
	for n, end := range ends {
		length := time.Duration(10+random.IntN(900)) * time.Second
		if random.IntN(4) == 0 {
			length = time.Duration(random.Int64N(int64(20 * time.Hour))).Truncate(time.Second)
		}
		if p.isNearMonthEnd(end) || p.isNearMonthEnd(end.Add(-length)) {
			continue
		}
		p.chats = append(p.chats, makeChat(random, n, end, length))
	}
	p.chats[5].End = time.Time{} // it never ends
}

func makeChat(random *rand.Rand, n int, end time.Time, length time.Duration) wolkvoxtest.Chat {
	c := wolkvoxtest.Chat{
		ConnID: fmt.Sprint(1000 + n), SessionID: fmt.Sprintf("57300%07d@web", n), Start: end.Add(-length), End: end,
		BotTime: min(length, time.Duration(random.IntN(300))*time.Second), Total: length,
		Answer: wolkvoxtest.Absent, HandleTime: wolkvoxtest.Absent, AgentChars: wolkvoxtest.Absent,
		RoutingPoint: fmt.Sprint(random.IntN(3)), Channel: []string{"web", "WhatsApp"}[random.IntN(2)],
		Messages: random.IntN(40), CustomerChars: random.IntN(900), LastSender: []string{"chat_bot", "customer", "agent"}[random.IntN(3)],
	}
	if random.IntN(2) == 0 {
		c.HandedOff, c.AgentID = true, fmt.Sprint(1201+random.IntN(3))
		c.Answer, c.HandleTime, c.AgentChars = time.Duration(random.IntN(600))*time.Second, length/2, random.IntN(5000)
	}
	return c
}

// isNearMonthEnd reports whether t is in the first or the last second of a month.
// If the API excludes both ends of a range, no range shows what is there.
func (p *past) isNearMonthEnd(t time.Time) bool {
	t = t.In(p.options.Zone)
	return t.Add(-time.Second).Month() != t.Add(time.Second).Month()
}

// wantTruth compares all samples of a text with what the chats come to.
func (p *past) wantTruth(t *testing.T, text string) {
	t.Helper()
	have := p.parse(t, text)
	var chats []wolkvoxtest.Chat
	for _, c := range p.chats {
		if c.End.IsZero() {
			continue
		}
		c.End = wolkvox.ToLocalTime(c.End.In(p.options.Zone)).LastIn(p.options.Zone)
		if c.End.After(p.options.From) && !c.End.After(p.options.To) {
			chats = append(chats, c)
		}
	}
	slices.SortFunc(chats, func(a, b wolkvoxtest.Chat) int { return a.End.Compare(b.End) })
	want, next := tally{}, 0
	for n := range p.options.sampleCount() {
		for ; next < len(chats) && !chats[next].End.After(p.options.sampleTime(n)); next++ {
			want.add(chats[next])
		}
		for series, values := range have {
			if values[n] != want[series] {
				t.Fatalf("%s at %s: have %v, want %v", series, p.options.sampleTime(n), values[n], want[series])
			}
		}
	}
	if next == 0 {
		t.Fatal("no chat ended in the time that was read")
	}
	for series := range want {
		if have[series] == nil {
			t.Errorf("have no %s, want %v", series, want[series])
		}
	}
}

// parse reads the samples of each series. A family, and in it a metric, is in one
// place, and each series has each sample.
func (p *past) parse(t *testing.T, text string) map[string][]float64 {
	t.Helper()
	text, ended := strings.CutSuffix(text, "# EOF\n")
	if !ended {
		t.Fatalf("it ends with %q, want # EOF", text[max(0, len(text)-100):])
	}
	have, over := map[string][]float64{}, map[string]bool{}
	last := ""
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "# HELP ") || strings.HasPrefix(line, "# TYPE ") {
			continue
		}
		words := strings.Fields(line)
		if len(words) != 3 {
			t.Fatalf("line %q: want series, value and time", line)
		}
		series := words[0]
		value, err := strconv.ParseFloat(words[1], 64)
		if at := fmt.Sprint(p.options.sampleTime(len(have[series])).Unix()); err != nil || at != words[2] {
			t.Fatalf("line %q: want time %s (error %v)", line, at, err)
		}
		have[series] = append(have[series], value)
		if metric := findMetric(series); metric != last {
			if over[metric] {
				t.Fatalf("line %q: the metric is there in two places", line)
			}
			over[last], last = true, metric
		}
	}
	for series, values := range have {
		if len(values) != p.options.sampleCount() {
			t.Errorf("%s: have %d samples, want %d", series, len(values), p.options.sampleCount())
		}
	}
	return have
}

// findMetric is the name of a metric's family and its labels.
func findMetric(series string) string {
	name, labels, _ := strings.Cut(series, "{")
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		name = strings.TrimSuffix(name, suffix)
	}
	before, _, _ := strings.Cut(labels, `,le="`)
	return name + "{" + strings.TrimSuffix(before, "}")
}

// tally holds the expected values of chats, by series.
type tally map[string]float64

func (t tally) add(c wolkvoxtest.Chat) {
	labels := fmt.Sprintf(`channel=%q,operation="test",rp_id=%q`, strings.ToLower(c.Channel), c.RoutingPoint)
	t["wolkvox_chat_interactions_total{"+labels+"}"]++
	t[fmt.Sprintf(`wolkvox_chat_last_sender_total{channel=%q,last_sender=%q,operation="test",rp_id=%q}`, strings.ToLower(c.Channel), c.LastSender, c.RoutingPoint)]++
	t.observe("wolkvox_chat_bot_time_seconds", labels, ledger.BotTime, c.BotTime.Seconds())
	t.observe("wolkvox_chat_duration_seconds", labels, ledger.Duration, c.Total.Seconds())
	t.observe("wolkvox_chat_messages", labels, ledger.Messages, float64(c.Messages))
	t.observe("wolkvox_chat_characters", labels+`,sender="customer"`, ledger.CustomerCharacters, float64(c.CustomerChars))
	if !c.HandedOff {
		return
	}
	handled := c.HandleTime.Truncate(time.Second).Seconds()
	t["wolkvox_chat_handoffs_total{"+labels+"}"]++
	t.observe("wolkvox_chat_speed_of_answer_seconds", labels, ledger.SpeedOfAnswer, c.Answer.Seconds())
	t.observe("wolkvox_chat_handle_time_seconds", labels, ledger.HandleTime, handled)
	t.observe("wolkvox_chat_characters", labels+`,sender="agent"`, ledger.AgentCharacters, float64(c.AgentChars))
	agent := fmt.Sprintf(`{agent_id=%q,operation="test"}`, c.AgentID)
	t["wolkvox_agent_chats_total"+agent]++
	t["wolkvox_agent_characters_total"+agent] += float64(c.AgentChars)
	t["wolkvox_agent_handle_time_seconds_count"+agent]++
	t["wolkvox_agent_handle_time_seconds_sum"+agent] += handled
	t["wolkvox_agent_speed_of_answer_seconds_count"+agent]++
	t["wolkvox_agent_speed_of_answer_seconds_sum"+agent] += c.Answer.Seconds()
}

func (t tally) observe(family, labels string, m ledger.Measure, value float64) {
	t[family+"_count{"+labels+"}"]++
	t[family+"_sum{"+labels+"}"] += value
	t[family+"_bucket{"+labels+`,le="+Inf"}`]++
	for _, bound := range m.Bounds() {
		if value <= bound {
			t[fmt.Sprintf(`%s_bucket{%s,le="%.1f"}`, family, labels, bound)]++
		}
	}
}
