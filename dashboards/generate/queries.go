package main

// The queries filter ratios for a denominator above 0, and quantiles for values other than
// NaN. Without chats there is then no value at all, instead of one that an average over
// time or a colour would use.

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

// grown returns the increase of a counter, summed by labels if there are any.
func (f filter) grown(metric, over, by string) string {
	return sum(by, "increase("+f.series(metric)+"["+over+"])")
}

// rate returns the increase of a counter per second.
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

// average returns the average of a histogram or a summary in the window.
func (f filter) average(family, by string) string {
	return ratio(f.rate(family+"_sum", overWindow, by), f.rate(family+"_count", overWindow, by))
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

// judged adds the label verdict: good if the comparison with the target, such as ">= 3", is
// true.
func judged(figure, good, bad string) string {
	return `label_replace(` + figure + ` ` + good + `, "verdict", "on target", "", "")` +
		` or label_replace(` + figure + ` ` + bad + `, "verdict", "off target", "", "")`
}

// verdictColours returns the colours of the series of judged.
func verdictColours() map[string]string {
	return map[string]string{"on target": "green", "off target": "red"}
}

// named adds a name from an info metric. If that is absent, wholly or for some series, a
// counter that always exists replaces it, without a name. topk selects one name for each
// series, also if there are two exporters, or an old name and a new one, at the same time.
func (f filter) named(figure, on, name, info, counter string) string {
	one := "topk by (" + on + ") (1, " + info + ") or on (" + on + ") group by (" + on + ") (last_over_time(" + f.series(counter) + "[" + overWindow + "]))"
	return figure + " * on (" + on + ") group_left (" + name + ") (" + one + ")"
}

// busiest selects the ten with the largest increase of a counter over the whole time range.
// They are the same at each point, unlike with topk alone.
func (f filter) busiest(figure, by, counter string) string {
	return figure + " and on (" + by + ") topk(10, " + sum(by, "increase("+f.series(counter)+"["+overRange+"] @ end())") + ")"
}
