package main

// Okabe and Ito's colours: people with any kind of colour blindness can tell them apart. They are readable on light
// and dark backgrounds.
const (
	blue    = "#0072B2"
	skyBlue = "#56B4E9"
	green   = "#009E73"
	orange  = "#E69F00"
	red     = "#D55E00"
	purple  = "#CC79A7"
	grey    = "#999999"

	neutral = "text" // black on light, white on dark backgrounds
)

// rankColours are the colours of the busiest, from the first on. The others are grey.
var rankColours = []string{blue, orange, skyBlue, purple, green}

// Words for values that are missing. No such value is ever green.
const (
	noData   = "no data"       // nothing was scraped in that time
	tooFew   = "too few chats" // fewer than $min_chats
	nothing  = "none"          // a list that should be empty
	noRules  = "no rules"      // Prometheus has not loaded the alerts
	emptyNum = "–"             // a cell of a table
)

// threshold is where a colour begins.
type threshold struct {
	from   any // nil is below all others, and the colour without a value
	colour string
}

// ageThresholds fit the default interval of 5 minutes between polls.
func ageThresholds() []threshold {
	return []threshold{{nil, neutral}, {0, green}, {10 * 60, orange}, {30 * 60, red}}
}

// faults has the thresholds of counts that should be 0. A 0 is not green: it is also 0 while nothing is polled.
func faults(colour string) []threshold { return []threshold{{nil, neutral}, {0.5, colour}} }

// mapped is the text and colour of a value.
type mapped struct{ value, text, colour string }

// texts maps values to texts and colours, and a missing value to a text.
func texts(missing, colour string, values ...mapped) []object {
	options := object{}
	for i, v := range values {
		options[v.value] = object{"index": i, "text": v.text, "color": v.colour}
	}
	mappings := []object{{"type": "special", "options": object{
		"match": "null+nan", "result": object{"index": len(values), "text": missing, "color": colour},
	}}}
	if len(values) > 0 {
		mappings = append([]object{{"type": "value", "options": options}}, mappings...)
	}
	return mappings
}

// Verdicts are a figure's comparison with its target.
const (
	onTarget  = "on target"
	offTarget = "off target"
	oldData   = "old data" // the exporter is down
)

func verdictColours() map[string]string {
	return map[string]string{onTarget: green, offTarget: red, oldData: neutral}
}

// verdictTexts maps the values of verdictBy.
func verdictTexts() []object {
	return texts(emptyNum, neutral, mapped{"0", offTarget, red}, mapped{"1", onTarget, green}, mapped{"2", oldData, neutral}, mapped{"3", oldData, neutral})
}
