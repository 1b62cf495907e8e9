package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// naiveExporter is a simple exporter: the whole body in memory, all of it decoded into
// strings, a registry of vectors, and a map of the counted chats. It keeps no state, trusts
// the report, and ignores rows that are filled in later.
type naiveExporter struct {
	client   http.Client
	registry *prometheus.Registry
	seen     map[string]struct{}

	interactions, handoffs, lastSender *prometheus.CounterVec
	measures                           [ledger.Measures]*prometheus.HistogramVec
}

type naiveReport struct {
	Data []naiveRow `json:"data"`
}

type naiveRow struct {
	ConnID        string `json:"conn_id"`
	SessionID     string `json:"session_id"`
	TimesChatted  string `json:"times_chatted"`
	StartDate     string `json:"start_date"`
	EndDate       string `json:"end_date"`
	TimeOnChatbot string `json:"time_on_chatbot"`
	RPID          string `json:"rp_id"`
	Channel       string `json:"channel"`
	GoToAgent     string `json:"go_to_agent"`
	CustomerPhone string `json:"customer_phone"`
	CustomerName  string `json:"customer_name"`
	CustomerID    string `json:"customer_id"`
	CustomerEmail string `json:"customer_email"`
	AgentID       string `json:"agent_id"`
	AgentName     string `json:"agent_name"`
	TimeWithAgent string `json:"time_with_agent"`
	TotalTime     string `json:"total_time"`
	CustomerChars string `json:"customer_chars"`
	AgentChars    string `json:"agent_chars"`
	TotalChars    string `json:"total_chars"`
	ASA           string `json:"asa"`
	LastSender    string `json:"last_sender"`
}

func newNaiveExporter() *naiveExporter {
	o := &naiveExporter{registry: prometheus.NewRegistry(), seen: map[string]struct{}{}}
	labels := []string{"rp_id", "channel"}
	counter := func(name string, labels ...string) *prometheus.CounterVec {
		vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: name}, labels)
		o.registry.MustRegister(vec)
		return vec
	}
	o.interactions = counter("wolkvox_chat_interactions_total", labels...)
	o.handoffs = counter("wolkvox_chat_handoffs_total", labels...)
	o.lastSender = counter("wolkvox_chat_last_sender_total", append(labels, "last_sender")...)
	for m, name := range [ledger.Measures]string{
		ledger.BotTime:            "wolkvox_chat_bot_time_seconds",
		ledger.SpeedOfAnswer:      "wolkvox_chat_speed_of_answer_seconds",
		ledger.HandleTime:         "wolkvox_chat_handle_time_seconds",
		ledger.Duration:           "wolkvox_chat_duration_seconds",
		ledger.Messages:           "wolkvox_chat_messages",
		ledger.CustomerCharacters: "wolkvox_chat_customer_characters",
		ledger.AgentCharacters:    "wolkvox_chat_agent_characters",
	} {
		o.measures[m] = prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: name, Buckets: ledger.Measure(m).Bounds(),
		}, labels)
		o.registry.MustRegister(o.measures[m])
	}
	return o
}

func (o *naiveExporter) forget() { *o = *newNaiveExporter() }

func (o *naiveExporter) poll(ctx context.Context, base string) (rows int, err error) {
	body, err := get(ctx, &o.client, base)
	if err != nil {
		return 0, err
	}
	report, err := o.decode(body)
	if err != nil {
		return 0, err
	}
	for i := range report {
		if err := o.count(&report[i]); err != nil {
			return 0, err
		}
	}
	return len(report), nil
}

func (*naiveExporter) decode(body []byte) ([]naiveRow, error) {
	var report naiveReport
	if err := json.Unmarshal(body, &report); err != nil {
		return nil, err
	}
	return report.Data, nil
}

func (o *naiveExporter) count(row *naiveRow) error {
	if row.EndDate == "" || row.EndDate == "-" {
		return nil // It has not ended.
	}
	for _, date := range []string{row.StartDate, row.EndDate} {
		if _, err := time.Parse(time.DateTime, date); err != nil {
			return err
		}
	}
	id := row.ConnID + "|" + row.SessionID + "|" + row.StartDate
	if _, counted := o.seen[id]; counted {
		return nil
	}
	o.seen[id] = struct{}{}

	o.interactions.WithLabelValues(row.RPID, row.Channel).Inc()
	o.lastSender.WithLabelValues(row.RPID, row.Channel, row.LastSender).Inc()
	texts := [ledger.Measures]string{
		ledger.BotTime: row.TimeOnChatbot, ledger.Duration: row.TotalTime,
		ledger.Messages: row.TimesChatted, ledger.CustomerCharacters: row.CustomerChars,
	}
	if row.GoToAgent == "yes" {
		o.handoffs.WithLabelValues(row.RPID, row.Channel).Inc()
		texts[ledger.SpeedOfAnswer], texts[ledger.HandleTime], texts[ledger.AgentCharacters] = row.ASA, row.TimeWithAgent, row.AgentChars
	}
	for m, text := range texts {
		if text == "" || text == "-" {
			continue
		}
		value, err := number(text)
		if err != nil {
			return err
		}
		o.measures[m].WithLabelValues(row.RPID, row.Channel).Observe(value)
	}
	return nil
}

// number parses HH:MM:SS or a number.
func number(text string) (float64, error) {
	parts := strings.Split(text, ":")
	if len(parts) == 1 {
		return strconv.ParseFloat(text, 64)
	}
	if len(parts) != 3 {
		return 0, fmt.Errorf("%q is no duration", text)
	}
	var seconds float64
	for _, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0, err
		}
		seconds = seconds*60 + float64(n)
	}
	return seconds, nil
}
