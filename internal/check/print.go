package check

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
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
	Full   bool // also every line of operations without failures
	Width  int  // of the longest operation's name

	compact bool // the last operation had no heading
}

// signs are those of the statuses, each with the code of its colour.
var signs = map[Status]struct{ sign, colour string }{
	OK:      {"✓", "32"},
	Look:    {"!", "33"},
	Failed:  {"✗", "31"},
	Skipped: {"–", "2"},
}

func (p *Printer) sign(status Status) string {
	return p.painted(signs[status].sign, signs[status].colour)
}

// Print writes a list under its heading.
func (p *Printer) Print(heading string, findings []Finding) {
	p.endCompact()
	fmt.Fprintln(p.To, p.painted(heading, "1"))
	p.lines(findings)
	fmt.Fprintln(p.To)
}

// PrintOperation writes every line of an operation with failures, and of every operation
// if p is Full. Otherwise it writes one line, with the warnings below it.
func (p *Printer) PrintOperation(o *OperationResult) {
	if p.Full || !o.OK {
		p.Print(o.Operation, o.Findings)
		return
	}
	text, status := count(countOf(o.Findings, OK), "check")+" passed", OK
	if looks := countOf(o.Findings, Look); looks > 0 {
		text, status = text+", "+count(looks, "warning"), Look
	}
	if skipped := countOf(o.Findings, Skipped); skipped > 0 {
		text += fmt.Sprintf(", %d skipped", skipped)
	}
	fmt.Fprintf(p.To, "%s %-*s  %s\n", p.sign(status), p.Width, o.Operation, text)
	p.lines(slices.DeleteFunc(slices.Clone(o.Findings), func(f Finding) bool { return f.Status != Look }))
	p.compact = true
}

// endCompact writes the empty line that operations without a heading leave out.
func (p *Printer) endCompact() {
	if p.compact {
		fmt.Fprintln(p.To)
	}
	p.compact = false
}

func (p *Printer) lines(findings []Finding) {
	for _, f := range findings {
		fmt.Fprintf(p.To, "  %s %-13s  %s\n", p.sign(f.Status), f.ID, f.Text)
		if f.Do != "" {
			fmt.Fprintf(p.To, "  %*s→ %s\n", 4+13, "", f.Do)
		}
	}
}

func (p *Printer) painted(text, code string) string {
	if !p.Colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
