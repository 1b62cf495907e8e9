package wolkvox

import (
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// busyHour returns an hour of chats that end before noon, with one at each second that a
// reading of a range's ends may exclude.
func busyHour(noon time.Time) []wolkvoxtest.Chat {
	var chats []wolkvoxtest.Chat
	for i := range 60 {
		number := strconv.Itoa(1000 + i)
		c := wolkvoxtest.Chat{
			ConnID: number, SessionID: samplePhone + number, Start: noon.Add(time.Duration(i-70) * time.Minute),
			BotTime: 65 * time.Second, Answer: wolkvoxtest.Absent, HandleTime: wolkvoxtest.Absent, Total: 26 * time.Hour,
			RoutingPoint: "12601", Channel: "WhatsApp", Customer: wolkvoxtest.Customer{Phone: samplePhone, Name: sampleName, ID: sampleID, Email: sampleEmail},
			Messages: 14, CustomerChars: 300, AgentChars: wolkvoxtest.Absent, LastSender: "chat_bot",
		}
		if i%3 > 0 {
			c.HandedOff, c.Answer, c.HandleTime, c.AgentChars, c.LastSender = true, 42*time.Second, time.Minute, 7, "agent"
			c.AgentID, c.AgentName = "5544", sampleAgent
		}
		c.End = c.Start.Add(4 * time.Minute)
		chats = append(chats, c)
	}
	return chats
}

// The client reads the truth with every answer to the undocumented questions.
func TestClient_ReadsEveryReading(t *testing.T) {
	for name, readings := range wolkvoxtest.EveryReading() {
		t.Run(name, func(t *testing.T) {
			bogota := loadZone(t, "America/Bogota")
			noon := time.Date(2026, 1, 18, 12, 0, 0, 0, bogota)
			server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{Location: bogota, Readings: readings, Now: func() time.Time { return noon }})
			defer server.Close()
			server.Add(busyHour(noon)...)

			chats := map[ID]Chat{}
			for _, window := range Windows(noon.Add(-2*time.Hour), noon, bogota) {
				have := askServer(t, server, window)
				if have.err != nil || have.badRows != 0 {
					t.Fatalf("have %d bad rows, %v", have.badRows, have.err)
				}
				for _, chat := range have.chats {
					if chat.Malformed != 0 {
						t.Fatalf("have malformed %b", chat.Malformed)
					}
					if chat.Ended() {
						chats[chat.ID] = chat
					}
				}
			}
			wantFigures(t, chats, server.Truth(noon).Total)

			dawn := Windows(noon.Add(-6*time.Hour), noon.Add(-5*time.Hour), bogota)[0]
			if have := askServer(t, server, dawn); have.err != nil || have.request.Result != Empty {
				t.Errorf("nothing found: have %s, %v", have.request.Result, have.err)
			}
		})
	}
}

func askServer(t *testing.T, server *wolkvoxtest.Server, window Window, options ...Option) answer {
	t.Helper()
	base, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	return askWindow(t.Context(), t, base, window, server.Transport(), options...)
}

func wantFigures(t *testing.T, chats map[ID]Chat, want wolkvoxtest.Figures) {
	t.Helper()
	var have wolkvoxtest.Figures
	for _, c := range chats {
		have.Interactions++
		stat := func(f Field, to *wolkvoxtest.Stat) {
			if c.Present.Has(f) {
				to.Count++
				to.Sum += c.Numbers[f]
			}
		}
		stat(TimeOnChatbot, &have.BotTime)
		stat(TotalTime, &have.Duration)
		stat(TimesChatted, &have.Messages)
		stat(CustomerChars, &have.CustomerChars)
		if c.HandedOff {
			have.Handoffs++
			stat(ASA, &have.SpeedOfAnswer)
			stat(TimeWithAgent, &have.HandleTime)
			stat(AgentChars, &have.AgentChars)
		}
	}
	for sender, n := range want.LastSender {
		for _, c := range chats {
			if c.LastSender.String() == sender {
				n--
			}
		}
		if n != 0 {
			t.Errorf("%d chats too few with the last sender %s", n, sender)
		}
	}
	for name, pair := range map[string][2]any{
		"interactions": {have.Interactions, want.Interactions}, "handoffs": {have.Handoffs, want.Handoffs},
		"bot time": {have.BotTime, want.BotTime}, "speed of answer": {have.SpeedOfAnswer, want.SpeedOfAnswer},
		"handle time": {have.HandleTime, want.HandleTime}, "duration": {have.Duration, want.Duration}, "messages": {have.Messages, want.Messages},
		"customer's characters": {have.CustomerChars, want.CustomerChars}, "agent's characters": {have.AgentChars, want.AgentChars},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: have %v, want %v", name, pair[0], pair[1])
		}
	}
}

func TestClient_ResultOfEveryFault(t *testing.T) {
	wants := map[wolkvoxtest.Fault]Result{
		wolkvoxtest.NoSuchAPI: BadRequest, wolkvoxtest.ParamsMissing: BadRequest, wolkvoxtest.TokenMissing: Unauthorized,
		wolkvoxtest.TokenRejected: TokenRejected, wolkvoxtest.TokenPadded: TokenRejected, wolkvoxtest.QuotaExceeded: QuotaExceeded,
		wolkvoxtest.TokenBusy: TokenBusy, wolkvoxtest.Maintenance: Unavailable, wolkvoxtest.ForbiddenPage: Unavailable,
		wolkvoxtest.PageMissing: BadRequest, wolkvoxtest.RateLimited: RateLimited, wolkvoxtest.RateLimitedAt: RateLimited,
		wolkvoxtest.ServerError: ServerError, wolkvoxtest.BadGateway: ServerError, wolkvoxtest.Unavailable: ServerError,
		wolkvoxtest.UnavailableFor: ServerError,

		wolkvoxtest.CodeNoSuchAPI: BadRequest, wolkvoxtest.CodeParamsMissing: BadRequest, wolkvoxtest.CodeTokenMissing: Unauthorized,
		wolkvoxtest.CodeTokenRejected: TokenRejected, wolkvoxtest.CodeQuotaExceeded: QuotaExceeded, wolkvoxtest.CodeTokenBusy: TokenBusy,
		wolkvoxtest.CodeMaintenance: Unavailable, wolkvoxtest.CodeServerError: ServerError,

		wolkvoxtest.LoginPage: Malformed, wolkvoxtest.EmptyBody: Malformed, wolkvoxtest.PHPFatal: Malformed,
		wolkvoxtest.Dropped: Network, wolkvoxtest.Hang: Timeout, wolkvoxtest.RedirectHost: Redirected, wolkvoxtest.RedirectPath: OK,
		wolkvoxtest.RedirectLogin: Malformed, wolkvoxtest.RedirectHTTP: OK,
		wolkvoxtest.RedirectLoop: Redirected,

		wolkvoxtest.SwitchingProtocols: Malformed, wolkvoxtest.DripInterim: Timeout, wolkvoxtest.DripHeader: Timeout, wolkvoxtest.DripBody: Timeout,
		wolkvoxtest.DripError: ServerError, wolkvoxtest.DripMissing: Timeout, wolkvoxtest.DripExtension: Timeout, wolkvoxtest.DripTrailer: Timeout,
		wolkvoxtest.DripGzip: Timeout, wolkvoxtest.ShortLength: Malformed, wolkvoxtest.Unasked: OK,

		wolkvoxtest.PHPWarning: OK, wolkvoxtest.ByteOrderMark: OK, wolkvoxtest.PaddedMessage: OK, wolkvoxtest.UnknownFields: OK,
		wolkvoxtest.DataObject: OK, wolkvoxtest.GzipUnasked: OK, wolkvoxtest.SlowBody: OK, wolkvoxtest.CutBody: Malformed,
		wolkvoxtest.CutConnection: Network, wolkvoxtest.NoDate: OK, wolkvoxtest.HugeBody: TooLarge, wolkvoxtest.BadRows: OK, wolkvoxtest.BadFields: OK, wolkvoxtest.BadDates: OK,
		wolkvoxtest.BadDurations: OK, wolkvoxtest.BadNumbers: OK, wolkvoxtest.LongValue: OK, wolkvoxtest.LongConnID: OK, wolkvoxtest.DeepRow: OK,
	}
	config := wolkvoxtest.Config{Location: loadZone(t, "America/Bogota")}
	largest := withMaxBody(maxBody)
	if !runLong {
		config.LongValue, config.DeepRow, config.HugeBody = 200_000, 20_000, 1<<20
		largest = withMaxBody(1 << 20)
	}
	for _, fault := range wolkvoxtest.AllFaults() {
		t.Run(fault.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := wolkvoxtest.NewPipeServer(config)
				defer server.Close()
				now := time.Now()
				server.Add(busyHour(now)...)
				server.FailNext(fault)
				have := askServer(t, server, Windows(now.Add(-2*time.Hour), now, config.Location)[0], largest)
				if have.request.Result != wants[fault] || have.requests != 1 {
					t.Fatalf("have %s (%v), want %s", have.request.Result, have.err, wants[fault])
				}
				if have.err != nil {
					wantNoPersonalData(t, have.err)
					return
				}
				good, odd := 0, 0
				for _, chat := range have.chats {
					if chat.RoutingPoint == wolkvoxtest.BadRoutingPoint {
						odd++
					} else if chat.Malformed == 0 {
						good++
					}
				}
				spoiled := fault >= wolkvoxtest.BadRows
				if good != 60 || spoiled != (have.badRows+odd > 0) {
					t.Errorf("have %d good chats, %d bad rows, %d odd chats", good, have.badRows, odd)
				}
			})
		})
	}
}

// A shortened conn_id would be another chat's.
func TestChats_NeverShortenConnID(t *testing.T) {
	for fault, want := range map[wolkvoxtest.Fault][2]int{
		wolkvoxtest.LongValue: {3, 0}, wolkvoxtest.LongConnID: {2, 1}, wolkvoxtest.DeepRow: {3, 1},
	} {
		bogota := loadZone(t, "America/Bogota")
		noon := time.Date(2026, 1, 18, 12, 0, 0, 0, bogota)
		server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{Location: bogota, LongValue: 200_000, DeepRow: 20_000})
		server.Add(busyHour(noon)[:2]...)
		server.FailNext(fault)
		have := askServer(t, server, Windows(noon.Add(-2*time.Hour), noon, bogota)[0])
		server.Close()
		if have.err != nil || len(have.chats) != want[0] || have.badRows != want[1] {
			t.Errorf("%v: have %d chats, %d bad rows, %v, want %v", fault, len(have.chats), have.badRows, have.err, want)
		}
	}
}

func TestClient_RefusesRedirectToHTTP(t *testing.T) {
	server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{})
	defer server.Close()
	server.FailAlways(wolkvoxtest.RedirectHTTP)
	secure := httptest.NewTLSServer(server.Handler())
	defer secure.Close()
	base, err := url.Parse(secure.URL)
	if err != nil {
		t.Fatal(err)
	}
	have := askAt(t.Context(), t, base, secure.Client().Transport)
	if have.failure() != Redirected || len(server.Requests()) != 1 {
		t.Errorf("have %v after %d requests", have.err, len(server.Requests()))
	}
}

func TestClient_ClockSkewOfWrongOrNoDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{})
		defer server.Close()
		server.SetDateOffset(-time.Hour)
		have := askServer(t, server, anyWindow)
		if skew := have.request.ClockSkew; have.err != nil || skew == nil || (*skew+time.Hour).Abs() > time.Second {
			t.Errorf("have the skew %v, %v", skew, have.err)
		}
		server.FailNext(wolkvoxtest.NoDate)
		if have := askServer(t, server, anyWindow); have.err != nil || have.request.ClockSkew != nil {
			t.Errorf("have the skew %v, %v", have.request.ClockSkew, have.err)
		}
	})
}

func TestClient_SlowServerIsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bogota := loadZone(t, "America/Bogota")
		server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{
			Location: bogota, Latency: func(rows int) time.Duration { return time.Duration(rows) * 2 * time.Second },
		})
		defer server.Close()
		now := time.Now()
		server.Add(busyHour(now)...)
		if have := askServer(t, server, Windows(now.Add(-2*time.Hour), now, bogota)[0]); have.failure() != Timeout || have.request.Duration != defaultTimeout {
			t.Errorf("have %v after %v", have.err, have.request.Duration)
		}
		synctest.Wait() // until the server has noticed that the client is gone
		have := askServer(t, server, Windows(now.Add(-30*time.Minute), now, bogota)[0])
		if have.err != nil || len(have.chats) == 0 || have.request.Duration != time.Duration(len(have.chats))*2*time.Second {
			t.Errorf("have %d chats, %v after %v", len(have.chats), have.err, have.request.Duration)
		}
	})
}
