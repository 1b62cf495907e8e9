package check

import (
	"encoding/json"
	"fmt"
	"io"
)

// Result is what was found, as --json prints it.
type Result struct {
	OK         bool              `json:"ok"`
	Findings   []Finding         `json:"findings"` // of the whole program
	Operations []OperationResult `json:"operations"`
}

// OperationResult is what was found of an operation.
type OperationResult struct {
	Operation string    `json:"operation"`
	OK        bool      `json:"ok"`
	Findings  []Finding `json:"findings"`
}

// JSON writes r for a machine.
func (r *Result) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// Printer writes findings for a person.
type Printer struct {
	To     io.Writer
	Colour bool
}

// signs are those of the statuses, each with the code of its colour.
var signs = map[Status]struct{ sign, colour string }{
	OK:      {"✓", "32"},
	Look:    {"!", "33"},
	Failed:  {"✗", "31"},
	Skipped: {"–", "2"},
}

// Print writes a list under its heading.
func (p *Printer) Print(heading string, findings []Finding) {
	fmt.Fprintln(p.To, p.painted(heading, "1"))
	for _, f := range findings {
		s := signs[f.Status]
		fmt.Fprintf(p.To, "  %s %-13s  %s\n", p.painted(s.sign, s.colour), f.ID, f.Text)
		if f.Do != "" {
			fmt.Fprintf(p.To, "  %*s→ %s\n", 4+13, "", f.Do)
		}
	}
	fmt.Fprintln(p.To)
}

// Summary writes the last line.
func (p *Printer) Summary(r *Result) {
	failed, looks := r.count(Failed), r.count(Look)
	switch {
	case failed > 0:
		fmt.Fprintln(p.To, p.painted("✗ "+count(failed, "thing")+" to mend", signs[Failed].colour))
	case looks > 0:
		fmt.Fprintln(p.To, p.painted("✓ nothing has failed; worth a look: "+count(looks, "thing"), signs[OK].colour))
	default:
		fmt.Fprintln(p.To, p.painted("✓ everything is as it should be", signs[OK].colour))
	}
}

func (r *Result) count(status Status) int {
	n := countOf(r.Findings, status)
	for _, operation := range r.Operations {
		n += countOf(operation.Findings, status)
	}
	return n
}

func (p *Printer) painted(text, code string) string {
	if !p.Colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
