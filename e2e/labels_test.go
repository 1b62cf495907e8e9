package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// labelSet has the names of the labels that some series may have. It is nil for an unknown
// metric, which is reported once and not again for each label.
type labelSet map[string]bool

func newLabelSet(names ...string) labelSet {
	set := labelSet{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

func (s labelSet) intersect(other labelSet) labelSet {
	if s == nil || other == nil {
		return nil
	}
	both := maps.Clone(s)
	maps.Copy(both, other)
	return both
}

// checker follows labels through an expression, from the metrics up, and reports those that
// cannot exist.
type checker struct {
	metrics  func(name string) (labelSet, bool)
	used     map[string]bool // metrics
	problems []string
}

func (c *checker) reportProblem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// requireLabels reports a problem for each name that is not among the labels.
func (c *checker) requireLabels(node parser.Expr, have labelSet, names ...string) {
	for _, name := range names {
		if have != nil && !have[name] {
			c.reportProblem("there is no label %q, but %q, in %s", name, slices.Sorted(maps.Keys(have)), node)
		}
	}
}

// labels returns the labels of an expression's result.
func (c *checker) labels(e parser.Expr) labelSet {
	switch e := e.(type) {
	case *parser.VectorSelector:
		return c.selected(e)
	case *parser.MatrixSelector:
		return c.labels(e.VectorSelector)
	case *parser.SubqueryExpr:
		return c.labels(e.Expr)
	case *parser.ParenExpr:
		return c.labels(e.Expr)
	case *parser.UnaryExpr:
		return c.labels(e.Expr)
	case *parser.AggregateExpr:
		return c.aggregated(e)
	case *parser.BinaryExpr:
		return c.matched(e)
	case *parser.Call:
		return c.called(e)
	case *parser.NumberLiteral, *parser.StringLiteral:
		return labelSet{}
	default:
		c.reportProblem("this test does not know what %T does to labels: %s", e, e)
		return labelSet{}
	}
}

func (c *checker) selected(e *parser.VectorSelector) labelSet {
	have, known := c.metrics(e.Name)
	if !known {
		c.reportProblem("there is no metric %q", e.Name)
		return nil
	}
	c.used[e.Name] = true
	for _, m := range e.LabelMatchers {
		if m.Name != model.MetricNameLabel {
			c.requireLabels(e, have, m.Name)
		}
	}
	return have
}

func (c *checker) aggregated(e *parser.AggregateExpr) labelSet {
	have := c.labels(e.Expr)
	c.requireLabels(e, have, e.Grouping...)
	switch {
	case e.Op == parser.TOPK || e.Op == parser.BOTTOMK:
		return have
	case e.Without:
		rest := maps.Clone(have)
		for _, name := range e.Grouping {
			delete(rest, name)
		}
		return rest
	default:
		return newLabelSet(e.Grouping...)
	}
}

func (c *checker) matched(e *parser.BinaryExpr) labelSet {
	left, right := c.labels(e.LHS), c.labels(e.RHS)
	how := e.VectorMatching
	if how == nil { // One is a scalar, which has none.
		return left.intersect(right)
	}
	many, one := left, right
	if how.Card == parser.CardOneToMany {
		many, one = right, left
	}
	if how.On {
		c.requireLabels(e.LHS, left, how.MatchingLabels...)
		c.requireLabels(e.RHS, right, how.MatchingLabels...)
	} else {
		c.requireLabels(e, left.intersect(right), how.MatchingLabels...)
	}
	c.requireLabels(e, one, how.Include...)
	switch {
	case e.Op == parser.LOR:
		return left.intersect(right)
	case e.Op.IsSetOperator():
		return left
	case how.Card == parser.CardOneToOne && how.On && !e.Op.IsComparisonOperator():
		return newLabelSet(how.MatchingLabels...)
	default:
		return many.intersect(newLabelSet(how.Include...))
	}
}

func (c *checker) called(e *parser.Call) labelSet {
	have := labelSet{}
	for _, argument := range e.Args {
		have = have.intersect(c.labels(argument))
	}
	switch e.Func.Name {
	case "label_replace":
		return have.intersect(newLabelSet(e.Args[1].(*parser.StringLiteral).Val))
	case "histogram_quantile":
		// The sample of a native histogram includes its buckets.
		if strings.Contains(e.String(), "_bucket{") || strings.Contains(e.String(), "_bucket[") {
			c.requireLabels(e, have, "le")
		}
		delete(have, "le")
	}
	return have
}
