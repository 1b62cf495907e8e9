package check

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Result holds all findings, as --json prints them.
type Result struct {
	OK         bool              `json:"ok"`
	Findings   []Finding         `json:"findings"` // of the whole program
	Operations []OperationResult `json:"operations"`
}

// OperationResult holds the findings of one operation.
type OperationResult struct {
	Operation string    `json:"operation"`
	OK        bool      `json:"ok"`
	Findings  []Finding `json:"findings"`
}

// JSON writes r as JSON.
func (r *Result) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// Printer writes findings as text.
type Printer struct {
	Out       io.Writer
	Colour    bool
	Verbose   bool // also prints every line of operations without failures
	NameWidth int  // of the longest operation's name

	compact bool // the last operation took one line
}

// styles holds the sign of each status and the ANSI code of its colour.
var styles = map[Status]struct{ sign, colour string }{
	OK:      {"✓", "32"},
	Warning: {"!", "33"},
	Failed:  {"✗", "31"},
	Skipped: {"–", "2"},
}

func (p *Printer) sign(status Status) string {
	return p.coloured(styles[status].sign, styles[status].colour)
}

// Print writes findings under a heading.
func (p *Printer) Print(heading string, findings []Finding) {
	p.endCompact()
	fmt.Fprintln(p.Out, p.coloured(heading, "1"))
	p.printFindings(findings)
	fmt.Fprintln(p.Out)
}

// PrintOperation writes every line of an operation with failures, and of every operation
// if p is Verbose. Otherwise it writes one line, with the warnings below it.
func (p *Printer) PrintOperation(o *OperationResult) {
	if p.Verbose || !o.OK {
		p.Print(o.Operation, o.Findings)
		return
	}
	text, status := plural(countStatus(o.Findings, OK), "check")+" passed", OK
	if warnings := countStatus(o.Findings, Warning); warnings > 0 {
		text, status = text+", "+plural(warnings, "warning"), Warning
	}
	if skipped := countStatus(o.Findings, Skipped); skipped > 0 {
		text += fmt.Sprintf(", %d skipped", skipped)
	}
	fmt.Fprintf(p.Out, "%s %-*s  %s\n", p.sign(status), p.NameWidth, o.Operation, text)
	p.printFindings(slices.DeleteFunc(slices.Clone(o.Findings), func(f Finding) bool { return f.Status != Warning }))
	p.compact = true
}

// endCompact writes an empty line after operations that took one line each.
func (p *Printer) endCompact() {
	if p.compact {
		fmt.Fprintln(p.Out)
	}
	p.compact = false
}

func (p *Printer) printFindings(findings []Finding) {
	for _, f := range findings {
		fmt.Fprintf(p.Out, "  %s %-13s  %s\n", p.sign(f.Status), f.ID, f.Text)
		if f.Advice != "" {
			fmt.Fprintf(p.Out, "  %*s→ %s\n", 4+13, "", f.Advice)
		}
	}
}

func (p *Printer) coloured(text, code string) string {
	if !p.Colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
