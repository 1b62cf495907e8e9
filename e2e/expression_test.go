package e2e

import (
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// Replaced by the real tests: keeps the requirements in go.mod.
var (
	_ = textparse.NewPromParser
	_ = parser.NewParser
	_ = wolkvoxtest.NewServer
)
