package check

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// PrintSummary writes the number of problems, and lists them if there are several operations.
func (p *Printer) PrintSummary(r *Result) {
	p.endCompact()
	failed, warnings, affected := r.count(Failed), r.count(Warning), r.failures()
	if len(r.Operations) > 1 && failed > 0 {
		p.printFailures(affected)
	}
	text, status := "no problems found", OK
	switch {
	case failed > 0:
		text, status = plural(failed, "problem")+" found"+r.describeAffected(affected), Failed
	case warnings > 0:
		text += ", " + plural(warnings, "warning")
	}
	fmt.Fprintln(p.Out, p.coloured(styles[status].sign+" "+text, styles[status].colour))
}

// printFailures lists the failures of each operation.
func (p *Printer) printFailures(affected []OperationResult) {
	width := 0
	for _, o := range affected {
		width = max(width, utf8.RuneCountInString(o.Operation))
	}
	fmt.Fprintln(p.Out, p.coloured("Problems", "1"))
	for _, o := range affected {
		for _, f := range o.Findings {
			fmt.Fprintf(p.Out, "  %s %-*s  %-13s  %s\n", p.sign(Failed), width, o.Operation, f.ID, f.Text)
			if f.Advice != "" {
				fmt.Fprintf(p.Out, "  %*s→ %s\n", 4+width+2+13, "", f.Advice)
			}
		}
	}
	fmt.Fprintln(p.Out)
}

// allOperations is listed instead of an operation for failures of the whole program.
const allOperations = "(all)"

// failures returns the operations with failures, without their other findings.
func (r *Result) failures() (affected []OperationResult) {
	for _, o := range append([]OperationResult{{Operation: allOperations, Findings: r.Findings}}, r.Operations...) {
		o.Findings = slices.DeleteFunc(slices.Clone(o.Findings), func(f Finding) bool { return f.Status != Failed })
		if len(o.Findings) > 0 {
			affected = append(affected, o)
		}
	}
	return affected
}

// describeAffected describes, for several operations, how many of them have failures.
func (r *Result) describeAffected(affected []OperationResult) string {
	ofProgram := countStatus(r.Findings, Failed)
	operations := len(affected)
	if ofProgram > 0 {
		operations--
	}
	switch in := fmt.Sprintf("in %d of %d operations", operations, len(r.Operations)); {
	case len(r.Operations) < 2 || operations == 0:
		return ""
	case ofProgram > 0:
		return fmt.Sprintf(", %d of them %s", r.count(Failed)-ofProgram, in)
	default:
		return " " + in
	}
}

func (r *Result) count(status Status) int {
	n := countStatus(r.Findings, status)
	for _, operation := range r.Operations {
		n += countStatus(operation.Findings, status)
	}
	return n
}
