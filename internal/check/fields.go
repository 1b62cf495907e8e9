package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Shapes counts values that cannot be read, by their field and what they look like.
type Shapes map[string]int

// Add is for [wolkvox.WithShapes].
func (s Shapes) Add(field string, shape wolkvox.Shape) {
	s[field+" has "+shape.String()]++
}

func (r *round) fields(rows, bad int) {
	if rows == 0 {
		r.skipped(Fields, "there are no rows")
		return
	}
	var parts []string
	if bad > 0 {
		parts = append(parts, count(bad, "row")+" of "+fmt.Sprint(rows)+" cannot be read")
	}
	for _, what := range slices.Sorted(maps.Keys(r.Shapes)) {
		parts = append(parts, fmt.Sprintf("%s (%d×)", what, r.Shapes[what]))
	}
	if len(parts) == 0 {
		r.ok(Fields, "every field of "+count(rows, "row")+" can be read")
		return
	}
	const enough = 20
	if more := len(parts) - enough; more > 0 {
		parts = append(parts[:enough], fmt.Sprintf("and %d more", more))
	}
	r.look(Fields, strings.Join(parts, "; "), "tell the exporter's developers: this line has nothing of what is in the fields")
}
