package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// panelQuery is a query of a dashboard's panel, as Prometheus gets it.
type panelQuery struct {
	dashboard, panel string
	expr             string
	instant          bool
}

func (q panelQuery) String() string { return q.dashboard + ": " + q.panel }

// variableValues has typical values of the dashboards' variables and of Grafana's.
var variableValues = map[string]string{
	"operation": ".*", "rp_id": ".*", "channel": ".*", "agent_id": ".*",
	"window": "15m", "bars": "15m", "answer_within": "60", "target": "80", "asa_target": "60",
	"unanswered": "0", "unanswered_target": "5", "min_chats": "1",
	"__interval": "15m", "__rate_interval": "20m0s", "__range": "86400s",
}

// expandVariables replaces variables by values, as Grafana does.
func expandVariables(t *testing.T, expr string) string {
	t.Helper()
	return regexp.MustCompile(`\$(?:([A-Za-z_]\w*)|\{(\w+)\})`).ReplaceAllStringFunc(expr, func(variable string) string {
		value, known := variableValues[strings.Trim(variable, "${}")]
		if !known {
			t.Errorf("%s: this test knows no value for %s", expr, variable)
		}
		return value
	})
}

// panelQueries returns the queries of all dashboards, including those of variables.
func panelQueries(t *testing.T) []panelQuery {
	t.Helper()
	type panel struct {
		Title   string
		Targets []struct {
			Expr    string
			Instant bool
		}
		Panels []panel
	}
	type dashboard struct {
		Panels     []panel
		Templating struct {
			List []struct {
				Name       string
				Definition string
			}
		}
		Annotations struct {
			List []struct{ Name, Expr string }
		}
	}
	files, err := filepath.Glob("../dashboards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var queries []panelQuery
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		var walk func([]panel)
		walk = func(panels []panel) {
			for _, p := range panels {
				for _, target := range p.Targets {
					queries = append(queries, panelQuery{name, p.Title, expandVariables(t, target.Expr), target.Instant})
				}
				walk(p.Panels)
			}
		}
		walk(d.Panels)
		for _, a := range d.Annotations.List {
			queries = append(queries, panelQuery{name, "annotation " + a.Name, expandVariables(t, a.Expr), false})
		}
		for _, v := range d.Templating.List {
			// The labels of a variable's values are checked like those of an aggregation.
			if found := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`).FindStringSubmatch(v.Definition); found != nil {
				queries = append(queries, panelQuery{name, "$" + v.Name, "group by (" + found[2] + ") (" + expandVariables(t, found[1]) + ")", true})
			}
			if found := regexp.MustCompile(`^query_result\((.+)\)$`).FindStringSubmatch(v.Definition); found != nil {
				queries = append(queries, panelQuery{name, "$" + v.Name, expandVariables(t, found[1]), true})
			}
		}
	}
	if len(queries) < 100 {
		t.Fatalf("have %d queries, want those of all dashboards", len(queries))
	}
	return queries
}

// parseExpr parses an expression as Prometheus does. It returns nil if that fails.
func parseExpr(t *testing.T, where, expr string) parser.Expr {
	t.Helper()
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v\n%s", where, err, expr)
		return nil
	}
	return e
}

func TestDashboards_ParseAsPromQL(t *testing.T) {
	t.Parallel()
	for _, q := range panelQueries(t) {
		parseExpr(t, q.String(), q.expr)
	}
}

// 0/0 is NaN, which a graph shows as a gap and a stat as text, and which makes an average
// over time NaN.
func TestDashboards_ShowNoNaN(t *testing.T) {
	t.Parallel()
	for _, q := range panelQueries(t) {
		e := parseExpr(t, q.String(), q.expr)
		if e == nil {
			continue
		}
		parser.Inspect(e, func(node parser.Node, path []parser.Node) error {
			switch n := node.(type) {
			case *parser.BinaryExpr:
				if n.Op == parser.DIV && !isPositive(n.RHS) {
					t.Errorf("%s: divides by what can be 0: %s", q, n.RHS)
				}
			case *parser.Call:
				// A quantile without observations is NaN, which is not at least 0.
				if n.Func.Name == "histogram_quantile" && !atLeast0(path) {
					t.Errorf("%s: does not leave NaN out: %s", q, n)
				}
			}
			return nil
		})
	}
}

// isPositive reports whether an expression is a number above 0, or filters for one.
func isPositive(e parser.Expr) bool {
	if value, ok := evaluate(e); ok {
		return value > 0
	}
	switch e := e.(type) {
	case *parser.ParenExpr:
		return isPositive(e.Expr)
	case *parser.BinaryExpr:
		limit, ok := evaluate(e.RHS)
		return ok && e.Op == parser.GTR && !e.ReturnBool && limit >= 0
	default:
		return false
	}
}

// evaluate returns the value of an expression of numbers.
func evaluate(e parser.Expr) (value float64, ok bool) {
	switch e := e.(type) {
	case *parser.NumberLiteral:
		return e.Val, true
	case *parser.ParenExpr:
		return evaluate(e.Expr)
	case *parser.BinaryExpr:
		left, isLeft := evaluate(e.LHS)
		right, isRight := evaluate(e.RHS)
		switch {
		case !isLeft || !isRight:
			return 0, false
		case e.Op == parser.SUB:
			return left - right, true
		case e.Op == parser.DIV:
			return left / right, true
		}
	}
	return 0, false
}

// atLeast0 reports whether the innermost expression on a path filters for at least 0.
func atLeast0(path []parser.Node) bool {
	if len(path) == 0 {
		return false
	}
	comparison, ok := path[len(path)-1].(*parser.BinaryExpr)
	if !ok || comparison.Op != parser.GTE || comparison.ReturnBool {
		return false
	}
	limit, ok := comparison.RHS.(*parser.NumberLiteral)
	return ok && limit.Val == 0
}
