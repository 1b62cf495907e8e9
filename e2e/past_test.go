package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// past has series of a past time, which write puts into the blocks of a Prometheus.
type past struct {
	from, to time.Time
	step     time.Duration
	series   []pastSeries
}

// pastSeries is a series with a sample at each step at which it has a value.
type pastSeries struct {
	labels labels.Labels
	value  func(at time.Time) float64
}

// none is the value of a series that is not there.
var none = math.NaN()

// add adds a series. Labels are pairs of a name and a value.
func (p *past) add(metric string, value func(at time.Time) float64, pairs ...string) {
	p.series = append(p.series, pastSeries{
		labels.FromStrings(append([]string{model.MetricNameLabel, metric, "job", "wolkvox", "instance", "exporter:10042"}, pairs...)...), value,
	})
}

// write imports the series into the data folder in dir, day by day: promtool reads a file once for each block.
func (p *past) write(t *testing.T, dir string) {
	t.Helper()
	const day = 24 * time.Hour
	for begin := p.from.Truncate(day); !begin.After(p.to); begin = begin.Add(day) {
		var text bytes.Buffer
		end := begin.Add(day)
		for _, s := range p.series {
			name, number := append(formatSeries(s.labels), ' '), make([]byte, 0, 32)
			for at := later(begin, p.from); at.Before(end) && !at.After(p.to); at = at.Add(p.step) {
				if v := s.value(at); !math.IsNaN(v) {
					text.Write(name)
					number = append(strconv.AppendFloat(number[:0], v, 'g', -1, 64), ' ')
					text.Write(append(strconv.AppendInt(number, at.Unix(), 10), '\n'))
				}
			}
		}
		if text.Len() == 0 {
			continue
		}
		text.WriteString("# EOF\n")
		file := filepath.Join(dir, "past.om")
		if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		importBlocks(t, dir, file, "--max-block-duration=24h")
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

// formatSeries formats a series.
func formatSeries(l labels.Labels) []byte {
	text := []byte(l.Get(model.MetricNameLabel))
	sep := byte('{')
	l.Range(func(l labels.Label) {
		if l.Name == model.MetricNameLabel {
			return
		}
		text = append(append(append(text, sep), l.Name...), '=', '"')
		text = append(append(text, escapeLabel.Replace(l.Value)...), '"')
		sep = ','
	})
	return append(text, '}')
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// goldenSample is a sample of the exporter's golden files.
type goldenSample struct {
	labels labels.Labels
	value  float64
}

// goldenSamples returns the samples of a golden file. Values that differ between runs are 0.
func goldenSamples(t *testing.T, file string) (all []goldenSample) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte(" MASKED"), []byte(" 0"))
	p := textparse.NewPromParser(text, labels.NewSymbolTable(), false)
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if entry == textparse.EntrySeries {
			var s goldenSample
			_, _, s.value = p.Series()
			p.Labels(&s.labels)
			all = append(all, s)
		}
	}
}

// addChats adds all families of a routing point and channel with a number of chats.
func (p *past) addChats(golden []goldenSample, operation, routingPoint, channel string, chats func(at time.Time) float64) {
	const goldenChats = 5
	for _, g := range golden {
		if g.labels.Get("operation") != "wv0042" || g.labels.Get("rp_id") != "101" || g.labels.Get("rp_name") != "" {
			continue
		}
		b := labels.NewBuilder(g.labels).Set("operation", operation).Set("rp_id", routingPoint).Set("channel", channel)
		b.Set("job", "wolkvox").Set("instance", "exporter:10042")
		p.series = append(p.series, pastSeries{b.Labels(), func(at time.Time) float64 { return chats(at) * g.value / goldenChats }})
	}
}

// during returns values that are there from a time until another.
func during(from, to time.Time, value func(at time.Time) float64) func(at time.Time) float64 {
	return func(at time.Time) float64 {
		if at.Before(from) || at.After(to) {
			return none
		}
		return value(at)
	}
}

// constant returns a value that does not change.
func constant(value float64) func(at time.Time) float64 {
	return func(time.Time) float64 { return value }
}

// addOperation adds the metrics of an operation's polls, which all succeed, from a time until another.
func (p *past) addOperation(golden []goldenSample, operation string, from, to time.Time) {
	lastPoll := func(at time.Time) float64 { return float64(at.Truncate(5 * time.Minute).Unix()) }
	special := map[string]func(at time.Time) float64{
		"wolkvox_exporter_complete_until_timestamp_seconds": lastPoll,
		"wolkvox_exporter_newest_end_timestamp_seconds":     lastPoll,
		"wolkvox_exporter_last_success_timestamp_seconds":   lastPoll,
		"wolkvox_up": constant(1),
	}
	for _, g := range golden {
		name := g.labels.Get(model.MetricNameLabel)
		if g.labels.Get("rp_id") != "" || g.labels.Get("agent_id") != "" || g.labels.Get("operation") != "wv0042" {
			continue
		}
		value := special[name]
		switch isCounter := strings.HasSuffix(name, "_total") || g.labels.Get("le") != ""; {
		case value != nil:
		case isCounter && g.labels.Get("result") != "server_error":
			value = func(at time.Time) float64 { return g.value * at.Sub(p.from).Hours() }
		default:
			value = constant(g.value)
		}
		b := labels.NewBuilder(g.labels).Set("operation", operation).Set("job", "wolkvox").Set("instance", "exporter:10042")
		p.series = append(p.series, pastSeries{b.Labels(), during(from, to, value)})
	}
}

// addProcess adds the metrics of the exporter and of its scrapes, from a time until another.
func (p *past) addProcess(from, to time.Time) {
	for name, value := range map[string]float64{
		"up": 1, "scrape_duration_seconds": 0.01, "scrape_samples_scraped": 2000, "process_resident_memory_bytes": 5e7,
		"process_start_time_seconds": float64(from.Unix()),
	} {
		p.add(name, during(from, to, constant(value)))
	}
	p.add("wolkvox_exporter_build_info", during(from, to, constant(1)), "version", "0.1.0", "revision", "abc", "goversion", "go1.26")
}

// busyDay returns the chats of a time since another, with 1,200 chats a day times a weight, between 7 and 19 o'clock
// in America/Bogota.
func busyDay(since time.Time, weight float64) func(at time.Time) float64 {
	return func(at time.Time) float64 {
		total := func(at time.Time) float64 {
			local := at.Add(-5 * time.Hour)
			days := float64(local.Truncate(24*time.Hour).Unix()) / 86400
			hours := local.Sub(local.Truncate(24 * time.Hour)).Hours()
			return days + min(max(hours-7, 0), 12)/12
		}
		return math.Floor((total(at) - total(since)) * 1200 * weight)
	}
}

// routingPointName is the i-th routing point's name.
func routingPointName(i int) string { return fmt.Sprintf("Queue %02d", i) }
