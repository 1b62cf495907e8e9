package backfill

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// write writes all samples, family by family and in a family metric by metric, as
// OpenMetrics requires. The metrics are those of the final ledger. Each begins at 0, so that
// increase() sees its first chats.
func (j *job) write(ctx context.Context, out io.Writer) error {
	families, err := j.metrics.Gather()
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 1<<16)
	for i, family := range families {
		header := &dto.MetricFamily{Name: family.Name, Help: family.Help, Type: family.Type}
		if _, err := expfmt.MetricFamilyToOpenMetrics(w, header); err != nil {
			return fmt.Errorf("writing the samples: %w", err)
		}
		for _, metric := range family.GetMetric() {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := j.writeMetric(w, family, metric); err != nil {
				return fmt.Errorf("writing the samples: %w", err)
			}
		}
		j.progress.written(i+1, len(families))
	}
	if _, err := expfmt.FinalizeOpenMetrics(w); err != nil {
		return fmt.Errorf("writing the samples: %w", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the samples: %w", err)
	}
	return nil
}

// writeMetric writes the samples of one metric.
func (j *job) writeMetric(w *bufio.Writer, family *dto.MetricFamily, metric *dto.Metric) error {
	series, err := seriesNames(family, metric, j.Labels)
	if err != nil {
		return err
	}
	lines := newLines(series)
	next := 0
	writeUntil := func(n int) {
		for ; next < n; next++ {
			lines.write(w, j.sampleTime(next).Unix())
		}
	}
	err = j.spool.each(labelKey(family, metric), func(n int, values []float64) {
		writeUntil(n)
		lines.set(values)
	})
	if err != nil {
		return err
	}
	writeUntil(j.sampleCount())
	return w.Flush()
}

// seriesNames returns the series of a metric with extra labels, as an exposition writes them.
func seriesNames(family *dto.MetricFamily, metric *dto.Metric, extra map[string]string) ([]string, error) {
	var exposition bytes.Buffer
	labelled := &dto.Metric{
		Label:   slices.Clone(metric.GetLabel()),
		Counter: metric.GetCounter(), Summary: metric.GetSummary(), Histogram: metric.GetHistogram(),
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		labelled.Label = append(labelled.Label, &dto.LabelPair{Name: new(name), Value: new(extra[name])})
	}
	single := &dto.MetricFamily{Name: family.Name, Type: family.Type, Metric: []*dto.Metric{labelled}}
	if _, err := expfmt.MetricFamilyToOpenMetrics(&exposition, single); err != nil {
		return nil, err
	}
	var series []string
	for line := range strings.Lines(exposition.String()) {
		if !strings.HasPrefix(line, "#") {
			series = append(series, line[:strings.LastIndexByte(line, ' ')])
		}
	}
	if len(series) != len(sampleValues(metric)) {
		return nil, errors.New("the exposition and the spool have different series: " + family.GetName())
	}
	return series, nil
}

// lines holds the lines of a metric, without their timestamps.
type lines struct {
	series []string
	text   [][]byte
	time   []byte
}

func newLines(series []string) *lines {
	l := &lines{series: series, text: make([][]byte, len(series))}
	l.set(make([]float64, len(series)))
	return l
}

func (l *lines) set(values []float64) {
	for i, value := range values {
		line := append(append(l.text[i][:0], l.series[i]...), ' ')
		l.text[i] = append(strconv.AppendFloat(line, value, 'f', -1, 64), ' ')
	}
}

// write ignores errors: the flush returns them.
func (l *lines) write(w *bufio.Writer, seconds int64) {
	l.time = append(strconv.AppendInt(l.time[:0], seconds, 10), '\n')
	for _, line := range l.text {
		_, _ = w.Write(line)
		_, _ = w.Write(l.time)
	}
}
