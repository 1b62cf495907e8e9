package main

// wallJudged adds the label verdict: on target if the comparison with the target, such as ">= 3",
// is true.
func wallJudged(figure, good, bad string) string {
	return worded(figure+" "+good, "on target") + " or " + worded(figure+" "+bad, "off target")
}

// worded adds a verdict to a figure.
func worded(figure, word string) string {
	return `label_replace(` + figure + `, "verdict", "` + word + `", "", "")`
}

// upToDate compares as the alert WolkvoxFiguresIncomplete does. An exporter that is gone has no
// series at all, so that its figures are out of date at once.
func upToDate(by string) string {
	return by + " (" + onWall.series(completeUntil) + ") > time() - 1800"
}

// currentOnly replaces a figure by a word if it is out of date or absent.
func currentOnly(figure, ifAbsent string) string {
	return "(" + figure + ") and on () " + upToDate("max") +
		" or on () " + worded("vector("+missing+")", ifAbsent) + " and on () " + upToDate("max") +
		" or on () " + worded("vector("+outdated+")", outOfDate)
}

func wallServiceLevel(by string) string {
	// Operations without the bound are left out.
	answered := "increase(" + onWall.series(speedOfAnswer+"_count") + "[" + overWindow + "])"
	bounded := "increase(" + onWall.and(inTime).series(speedOfAnswer+"_bucket") + "[" + overWindow + "])"
	return sum(by, bounded) + " / (" + sum(by, answered+" and ignoring (le) "+bounded) + enoughChats + ")"
}

// answeredInTime is a routing point's share of the handed-over chats that were answered in time.
func wallInTime() string {
	answered := onWall.and(inTime).grown(speedOfAnswer+"_bucket", overWindow, perRoutingPoint)
	// A chat can be handed over in the report some minutes after its answer was counted.
	return "clamp_max(" + answered + " / (" + onWall.grown(handoffs, overWindow, perRoutingPoint) + enoughChats + "), 1)"
}

func wallUnanswered() string {
	handedOver := onWall.grown(handoffs, overWindow, "")
	return "clamp_min(" + handedOver + " - " + onWall.grown(speedOfAnswer+"_count", overWindow, "") + ", 0) / (" + handedOver + enoughChats + ")"
}

func wallAverage(family string) string {
	return onWall.grown(family+"_sum", overWindow, "") + " / (" + onWall.grown(family+"_count", overWindow, "") + enoughChats + ")"
}

// levelOfOperations has each operation that was seen in the last day.
func levelOfOperations() string {
	isCurrent := upToDate("max by (operation)")
	seen := "group by (operation) (last_over_time(" + onWall.series("wolkvox_up") + "[1d]))"
	level := wallJudged(wallServiceLevel("operation"), ">= $target / 100", "< $target / 100")
	return "(" + level + ") and on (operation) " + isCurrent +
		" or on (operation) " + worded(missing+" * "+seen, fewChats) + " and on (operation) " + isCurrent +
		" or on (operation) " + worded(outdated+" * "+seen, outOfDate)
}

// withNameOrNumber adds the label name: a routing point's name, or its number if the name is
// unknown. While the exporter is away, it is the newest name of the last day.
func withNameOrNumber(figure string) string {
	info := onWall.and(`rp_name!=""`).series("wolkvox_routing_point_info")
	one := "topk by (" + perRoutingPoint + ") (1, "
	newest := "max by (" + perRoutingPoint + ", rp_name) (max_over_time((time() * " + info + ")[1d:5m] @ end()))"
	names := one + info + ") or on (" + perRoutingPoint + ") group by (" + perRoutingPoint + ", rp_name) (" + one + newest + "))"
	named := "(" + figure + ") * on (" + perRoutingPoint + ") group_left (rp_name) (" + names + ")"
	return replaced(replaced(named+" or on ("+perRoutingPoint+") ("+figure+")", "name", "rp_id", "(.*)"), "name", "rp_name", "(.+)")
}

// replaced sets a label to what a pattern finds in another one.
func replaced(figure, label, from, pattern string) string {
	return `label_replace(` + figure + `, "` + label + `", "$1", "` + from + `", "` + pattern + `")`
}

// activeAlerts is 2 for a critical alert, 1 for a warning, and 0 if there is none.
func activeAlerts() string {
	// Alerts on no operation at all are on each wall.
	const active filter = `alertname=~"Wolkvox.*", alertstate="firing", operation=~"$operation|"`
	const by = "alertname, operation, rp_id"
	ranked := "2 * max by (" + by + ") (" + active.and(`severity="critical"`).series("ALERTS") + ")" +
		" or max by (" + by + ") (" + active.and(`severity!="critical"`).series("ALERTS") + ")"
	alerts := replaced(withNameOrNumber(ranked), "alert", "alertname", "Wolkvox(.+)")
	for range 4 { // boundaries of words, from the last one: "RoutingPointWithoutChats"
		alerts = `label_replace(` + alerts + `, "alert", "$1 $2", "alert", "(.*[a-z])([A-Z].*)")`
	}
	const rules = "group(wolkvox:service_level:target)"
	return "(topk(6, " + alerts + "))" +
		` or on () label_replace(0 * ` + rules + `, "alert", "No active alerts", "", "")` +
		` or on () label_replace(vector(1), "alert", "Alert rules are not loaded", "", "")`
}
