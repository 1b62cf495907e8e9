package e2e

import (
	"fmt"
	"strings"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// family names a counter or sum of chats: a series of floats, or the count or sum of a
// native histogram, which has the name of the classic one.
type family struct {
	name   string
	native bool
}

// series returns the name in Prometheus.
func (f family) series() string {
	if !f.native {
		return f.name
	}
	return f.name[:strings.LastIndexByte(f.name, '_')]
}

// increase returns the expression of its increase for a selector such as {job="x"}[1m].
func (f family) increase(selector string) string {
	if !f.native {
		return fmt.Sprintf("increase(%s%s)", f.series(), selector)
	}
	return fmt.Sprintf("histogram_%s(increase(%s%s))", strings.TrimPrefix(f.name, f.series()+"_"), f.series(), selector)
}

// figure is a family of a label set.
type figure struct {
	family
	wolkvoxtest.Key
	more string // value of last_sender, or of sender
}

func (f figure) String() string {
	kind := ""
	if f.native {
		kind = "native "
	}
	return fmt.Sprintf("%s%s{rp_id=%q,channel=%q,%q}", kind, f.name, f.RoutingPoint, f.Channel, f.more)
}

// newFigure returns the figure of a family with these labels.
func newFigure(f family, labels map[string]string) figure {
	return figure{
		family: f,
		Key:    wolkvoxtest.Key{RoutingPoint: labels["rp_id"], Channel: labels["channel"]},
		more:   labels["last_sender"] + labels["sender"],
	}
}

// expected returns the figures for a truth, with classic histograms, native ones or both,
// including figures that are 0.
func expected(truth wolkvoxtest.Truth, classic, native bool) map[figure]float64 {
	want := map[figure]float64{}
	for key, figures := range truth.By {
		counter := func(name, more string, count int) {
			want[figure{family{"wolkvox_chat_" + name, false}, key, more}] = float64(count)
		}
		histogram := func(name, sender string, stat wolkvoxtest.Stat) {
			for _, isNative := range []bool{false, true} {
				if isNative && !native || !isNative && !classic {
					continue
				}
				want[figure{family{"wolkvox_chat_" + name + "_count", isNative}, key, sender}] = float64(stat.Count)
				want[figure{family{"wolkvox_chat_" + name + "_sum", isNative}, key, sender}] = stat.Sum
			}
		}
		counter("interactions_total", "", figures.Interactions)
		counter("handoffs_total", "", figures.Handoffs)
		for _, sender := range []string{"agent", "chat_bot", "customer", "unknown"} {
			counter("last_sender_total", sender, figures.LastSender[sender])
		}
		histogram("bot_time_seconds", "", figures.BotTime)
		histogram("speed_of_answer_seconds", "", figures.SpeedOfAnswer)
		histogram("handle_time_seconds", "", figures.HandleTime)
		histogram("duration_seconds", "", figures.Duration)
		histogram("messages", "", figures.Messages)
		histogram("characters", "customer", figures.CustomerChars)
		histogram("characters", "agent", figures.AgentChars)
	}
	return want
}
