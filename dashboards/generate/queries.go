package main

import (
	"fmt"
	"strings"
)

// The queries filter ratios for a denominator above 0, and quantiles for values other than
// NaN. Without chats there is then no value at all, instead of one that an average over
// time or a colour would use.

const (
	overWindow   = "$window"
	overInterval = "$__interval"      // from one bar to the next
	overRate     = "$__rate_interval" // with everyPoll at least 20m
	overRange    = "$__range"
	overDay      = "1d"
	dayFromHere  = "1d offset -1d" // the day that begins at a point

	everyPoll = "5m"
	everyBar  = "$bars"
)

// filter has the matchers of a series.
type filter string

func (f filter) and(matcher string) filter { return f + filter(", "+matcher) }

// series is a metric with its matchers.
func (f filter) series(metric string) string { return metric + "{" + string(f) + "}" }

// increase returns the increase of a counter over a duration, or over one with an offset, such as "1h offset 1w".
func (f filter) increase(metric, over string) string {
	length, offset, shifted := strings.Cut(over, " ")
	if shifted {
		offset = " " + offset
	}
	return "increase(" + f.series(metric) + "[" + length + "]" + offset + ")"
}

// grown returns the increase of a counter, summed by labels if there are any.
func (f filter) grown(metric, over, by string) string { return sum(by, f.increase(metric, over)) }

// rate returns the increase of a counter per second.
func (f filter) rate(metric, over, by string) string {
	return sum(by, "rate("+f.series(metric)+"["+over+"])")
}

// newest returns the newest value of the last day, by labels if there are any. It remains while the exporter is down.
func (f filter) newest(metric, by string) string {
	return maximum(by, "last_over_time("+f.series(metric)+"[1d])")
}

func sum(by, expr string) string     { return aggregated("sum", by, expr) }
func maximum(by, expr string) string { return aggregated("max", by, expr) }

func aggregated(how, by, expr string) string {
	if by == "" {
		return how + "(" + expr + ")"
	}
	return how + " by (" + by + ") (" + expr + ")"
}

func ratio(part, whole string) string { return part + " / (" + whole + " > 0)" }

// reliable is a ratio of at least $min_chats chats. increase() estimates: 5 chats can be 4.9.
func reliable(part, chats string) string { return part + " / (" + chats + " > $min_chats - 0.5)" }

// average returns the average of a histogram or a summary in the window.
func (f filter) average(family, by string) string { return f.averageOver(overWindow, family, by) }

func (f filter) averageOver(over, family, by string) string {
	return reliable(f.grown(family+"_sum", over, by), f.grown(family+"_count", over, by))
}

// quantile returns a quantile of a classic histogram. The comparison drops NaN.
func (f filter) quantile(q, family, over, by string) string {
	return "histogram_quantile(" + q + ", " + f.rate(family+"_bucket", over, labels(by, "le")) + ") >= 0"
}

func labels(by, more string) string {
	if by == "" {
		return more
	}
	return by + ", " + more
}

// labelled adds a label to a figure.
func labelled(figure, label, value string) string {
	return fmt.Sprintf(`label_replace(%s, %q, %q, "", "")`, figure, label, value)
}

// upBy is 1 for each operation that is up, and 0 for each that was seen in the last day and is not.
const upBy = `(max by (operation) (wolkvox_up{operation=~"$operation"})` +
	` or 0 * group by (operation) (last_over_time(wolkvox_up{operation=~"$operation"}[1d])))`

// judged adds the label verdict: on target if the comparison with the target, such as ">= 3", is true. While an
// operation is down, the data is old.
func judged(figure, good, bad string) string {
	const fresh = " and on () min(" + upBy + ") == 1"
	return labelled(figure+" "+good+fresh, "verdict", onTarget) +
		" or " + labelled(figure+" "+bad+fresh, "verdict", offTarget) +
		" or " + labelled(figure+" unless on ()"+strings.TrimPrefix(fresh, " and on ()"), "verdict", oldData)
}

// verdictBy returns the verdict on figures by operation and more: 1 on target, 0 off target, more for old data.
func verdictBy(figure, good string) string {
	return "(" + figure + " " + good + ") + on (operation) group_left () 2 * (1 - " + upBy + ")"
}

// named adds the label name: the newest name of an info metric in a range of time, or the id without one. It is the
// same at each point of a graph, so that a series stays one when its name comes, goes or changes.
func (f filter) named(figure, id string, info infoMetric, counter, over string) string {
	on := "operation, " + id
	return figure + " * on (" + on + ") group_left (name) (" + f.names(id, info, counter, over) + ")"
}

// infoMetric is a metric with a name as a label.
type infoMetric struct{ metric, label string }

func (f filter) names(id string, info infoMetric, counter, over string) string {
	on := "operation, " + id
	known := f.and(info.label + `!="-"`).series(info.metric)
	newest := "max by (" + on + ", " + info.label + ") (max_over_time((time() * " + known + ")[" + over + ":5m] @ end()))"
	return `group by (` + on + `, name) (label_replace(topk by (` + on + `) (1, ` + newest + `), "name", "$1", "` + info.label + `", "(.+)"))` +
		` or on (` + on + `) label_replace(group by (` + on + `) (last_over_time(` + f.series(counter) + `[` + over + `] @ end())), "name", "$1", "` + id + `", "(.+)")`
}

// busiest returns the n with the largest increase of a counter over the whole time range, the same at each point.
func (f filter) busiest(n int, by, counter string) string {
	return fmt.Sprintf("topk(%d, sum by (%s) (increase(%s[$__range] @ end())) > 0)", n, by, f.series(counter))
}

// ranked returns the rank-th busiest, from 1 on.
func (f filter) ranked(rank int, by, counter string) string {
	if rank == 1 {
		return f.busiest(1, by, counter)
	}
	return "(" + f.busiest(rank, by, counter) + " unless on (" + by + ") " + f.busiest(rank-1, by, counter) + ")"
}

// ofRows adds the rows of a table that a figure lacks, without a value.
func ofRows(figure, by, rows string) string { return figure + " or on (" + by + ") " + rows + " * NaN" }
