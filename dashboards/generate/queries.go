package main

// How PromQL is put together here. A ratio's denominator is more than 0 and a
// quantile's NaN is left out: without chats there is no figure, and nothing that
// an average over time or a colour could take for one.

const (
	overWindow   = "$window"
	overInterval = "$__interval"      // from one bar to the next
	overRate     = "$__rate_interval" // with everyPoll at least 20m
	overRange    = "$__range"

	everyPoll = "5m"
	// A bar is as wide as the window, and wider only if more would not fit.
	everyWindow = "$window"
)

// filter has the matchers of a series.
type filter string

func (f filter) and(matcher string) filter { return f + filter(", "+matcher) }

// series is a metric with its matchers.
func (f filter) series(metric string) string { return metric + "{" + string(f) + "}" }

// grown is how much a counter has grown, summed by labels, or without them.
func (f filter) grown(metric, over, by string) string {
	return sum(by, "increase("+f.series(metric)+"["+over+"])")
}

// rate is how fast a counter grows, in a second.
func (f filter) rate(metric, over, by string) string {
	return sum(by, "rate("+f.series(metric)+"["+over+"])")
}

func sum(by, expr string) string {
	if by == "" {
		return "sum(" + expr + ")"
	}
	return "sum by (" + by + ") (" + expr + ")"
}

func ratio(part, whole string) string { return part + " / (" + whole + " > 0)" }

// average is a histogram's or a summary's, in the window.
func (f filter) average(family, by string) string {
	return ratio(f.rate(family+"_sum", overWindow, by), f.rate(family+"_count", overWindow, by))
}

// quantile is a classic histogram's. NaN is not 0 or more.
func (f filter) quantile(q, family, over, by string) string {
	return "histogram_quantile(" + q + ", " + f.rate(family+"_bucket", over, labels(by, "le")) + ") >= 0"
}

func labels(by, more string) string {
	if by == "" {
		return more
	}
	return by + ", " + more
}

// judged has the label verdict, by whether the figure is as good as it should
// be, which is a comparison with the target, such as ">= 3".
func judged(figure, good, bad string) string {
	return `label_replace(` + figure + ` ` + good + `, "verdict", "on target", "", "")` +
		` or label_replace(` + figure + ` ` + bad + `, "verdict", "off target", "", "")`
}

// verdictColours are of the series that judged makes.
func verdictColours() map[string]string {
	return map[string]string{"on target": "green", "off target": "red"}
}

// named adds a name from a metric that is 1 and may be absent, wholly or for
// some: a counter that is always there takes its place, without a name. topk
// makes it one name each, also when two exporters or an old name and a new one
// are there at the same time.
func (f filter) named(figure, on, name, info, counter string) string {
	one := "topk by (" + on + ") (1, " + info + ") or on (" + on + ") group by (" + on + ") (last_over_time(" + f.series(counter) + "[" + overWindow + "]))"
	return figure + " * on (" + on + ") group_left (" + name + ") (" + one + ")"
}

// busiest leaves the ten with the most of a counter over the whole time range:
// the same ones at each point, which topk alone would not do.
func (f filter) busiest(figure, by, counter string) string {
	return figure + " and on (" + by + ") topk(10, " + sum(by, "increase("+f.series(counter)+"["+overRange+"] @ end())") + ")"
}
