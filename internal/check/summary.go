package check

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// Summary writes the number of problems, and lists them if there are several operations.
func (p *Printer) Summary(r *Result) {
	p.endCompact()
	failed, looks, where := r.count(Failed), r.count(Look), r.failures()
	if len(r.Operations) > 1 && failed > 0 {
		p.failures(where)
	}
	text, status := "no problems found", OK
	switch {
	case failed > 0:
		text, status = count(failed, "problem")+" found"+r.spread(where), Failed
	case looks > 0:
		text += ", " + count(looks, "warning")
	}
	fmt.Fprintln(p.To, p.painted(signs[status].sign+" "+text, signs[status].colour))
}

// failures writes the failures of each operation.
func (p *Printer) failures(where []OperationResult) {
	width := 0
	for _, o := range where {
		width = max(width, utf8.RuneCountInString(o.Operation))
	}
	fmt.Fprintln(p.To, p.painted("Problems", "1"))
	for _, o := range where {
		for _, f := range o.Findings {
			fmt.Fprintf(p.To, "  %s %-*s  %-13s  %s\n", p.sign(Failed), width, o.Operation, f.ID, f.Text)
			if f.Do != "" {
				fmt.Fprintf(p.To, "  %*s→ %s\n", 4+width+2+13, "", f.Do)
			}
		}
	}
	fmt.Fprintln(p.To)
}

// program stands for an operation where something has failed for all of them.
const program = "(all)"

// failures returns the operations in which something has failed, with that alone.
func (r *Result) failures() (where []OperationResult) {
	for _, o := range append([]OperationResult{{Operation: program, Findings: r.Findings}}, r.Operations...) {
		o.Findings = slices.DeleteFunc(slices.Clone(o.Findings), func(f Finding) bool { return f.Status != Failed })
		if len(o.Findings) > 0 {
			where = append(where, o)
		}
	}
	return where
}

// spread says in how many of several operations something has failed.
func (r *Result) spread(where []OperationResult) string {
	ofAll := countOf(r.Findings, Failed)
	operations := len(where)
	if ofAll > 0 {
		operations--
	}
	switch in := fmt.Sprintf("in %d of %d operations", operations, len(r.Operations)); {
	case len(r.Operations) < 2 || operations == 0:
		return ""
	case ofAll > 0:
		return fmt.Sprintf(", %d of them %s", r.count(Failed)-ofAll, in)
	default:
		return " " + in
	}
}

func (r *Result) count(status Status) int {
	n := countOf(r.Findings, status)
	for _, operation := range r.Operations {
		n += countOf(operation.Findings, status)
	}
	return n
}
