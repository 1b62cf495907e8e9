package test

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// samples are the values of an exposition by series, spelt as in the exposition.
type samples map[string]float64

func parseSamples(text string) (samples, error) {
	s := samples{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		line = strings.TrimSpace(line)
		space := strings.LastIndexByte(line, ' ')
		if space < 0 {
			return nil, fmt.Errorf("line %q has no value", line)
		}
		value, err := strconv.ParseFloat(line[space+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		s[line[:space]] = value
	}
	return s, nil
}

// of returns the series with a name.
func (s samples) of(name string) samples {
	found := samples{}
	for series, value := range s {
		if series == name || strings.HasPrefix(series, name+"{") {
			found[series] = value
		}
	}
	return found
}

// sum returns the sum of all series with a name.
func (s samples) sum(name string) float64 {
	sum := 0.0
	for _, value := range s.of(name) {
		sum += value
	}
	return sum
}

// byLabel returns the sums of a name's series by the value of a label.
func (s samples) byLabel(name, label string) map[string]float64 {
	sums := map[string]float64{}
	for series, value := range s.of(name) {
		_, rest, _ := strings.Cut(series, label+`="`)
		of, _, _ := strings.Cut(rest, `"`)
		sums[of] += value
	}
	return sums
}

// outcomes returns the number of rows by outcome.
func (s samples) outcomes() map[string]float64 {
	return s.byLabel("wolkvox_exporter_records_total", "outcome")
}

// chats returns the series that count and sum chats, without the buckets.
func (s samples) chats() samples {
	found := samples{}
	for series, value := range s {
		if strings.HasPrefix(series, "wolkvox_chat_") && !strings.Contains(series, "_bucket{") {
			found[series] = value
		}
	}
	return found
}

// expected returns the series of chats for a truth, including those that are 0.
func expected(truth wolkvoxtest.Truth, operation string) samples {
	s := samples{}
	for key, figures := range truth.By {
		set := func(name, before, after string, value float64) {
			s[fmt.Sprintf("wolkvox_chat_%s{channel=%q%s,operation=%q,rp_id=%q%s}", name, key.Channel, before, operation, key.RoutingPoint, after)] = value
		}
		histogram := func(name, sender string, stat wolkvoxtest.Stat) {
			set(name+"_count", "", sender, float64(stat.Count))
			set(name+"_sum", "", sender, stat.Sum)
		}
		set("interactions_total", "", "", float64(figures.Interactions))
		set("handoffs_total", "", "", float64(figures.Handoffs))
		for _, sender := range []string{"agent", "chat_bot", "customer"} {
			set("last_sender_total", fmt.Sprintf(",last_sender=%q", sender), "", float64(figures.LastSender[sender]))
		}
		set("last_sender_total", `,last_sender="unknown"`, "", 0)
		histogram("bot_time_seconds", "", figures.BotTime)
		histogram("speed_of_answer_seconds", "", figures.SpeedOfAnswer)
		histogram("handle_time_seconds", "", figures.HandleTime)
		histogram("duration_seconds", "", figures.Duration)
		histogram("messages", "", figures.Messages)
		histogram("characters", `,sender="customer"`, figures.CustomerChars)
		histogram("characters", `,sender="agent"`, figures.AgentChars)
	}
	return s
}

// differences lists the series that are not as expected, one a line.
func differences(have, want samples) string {
	var lines strings.Builder
	for series, value := range have {
		if wanted, ok := want[series]; !ok || wanted != value {
			fmt.Fprintf(&lines, "%s: have %v, want %v\n", series, value, wanted)
		}
	}
	for series, wanted := range want {
		if _, ok := have[series]; !ok {
			fmt.Fprintf(&lines, "%s: have none, want %v\n", series, wanted)
		}
	}
	return lines.String()
}
