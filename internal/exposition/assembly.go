package exposition

import (
	"maps"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// assembly puts the families of groups and of a registry together, sorted by name.
type assembly struct {
	format     expfmt.Format
	names      []string // those of the families to show; empty for all
	grouped    map[string]*groupedFamily
	compressor *compressor
	result     []*part
}

// groupedFamily is a family of all groups.
type groupedFamily struct {
	header  *part
	metrics []*part
}

func newAssembly(format expfmt.Format, names []string) *assembly {
	return &assembly{format: format, names: names, grouped: map[string]*groupedFamily{}, compressor: newCompressor()}
}

// close is called at the end.
func (a *assembly) close() { a.compressor.close() }

func (a *assembly) isShown(name string) bool {
	return len(a.names) == 0 || slices.Contains(a.names, name)
}

// add adds the families of a group.
func (a *assembly) add(families []family) {
	for i := range families {
		f := &families[i]
		grouped := a.grouped[f.name]
		if grouped == nil {
			if !a.isShown(f.name) {
				continue
			}
			grouped = &groupedFamily{header: f.header}
			a.grouped[f.name] = grouped
		}
		grouped.metrics = append(grouped.metrics, &f.metrics)
	}
}

// parts returns the whole exposition.
func (a *assembly) parts(registered []*dto.MetricFamily) ([]*part, error) {
	encoder := expfmt.NewEncoder(a.compressor, a.format)
	names := slices.Sorted(maps.Keys(a.grouped))
	for _, f := range registered {
		if !a.isShown(f.GetName()) {
			continue
		}
		for len(names) > 0 && names[0] < f.GetName() {
			if err := a.writeGrouped(a.grouped[names[0]]); err != nil {
				return nil, err
			}
			names = names[1:]
		}
		if err := encoder.Encode(f); err != nil {
			return nil, encodingError{err}
		}
	}
	for _, name := range names {
		if err := a.writeGrouped(a.grouped[name]); err != nil {
			return nil, err
		}
	}
	if closer, ok := encoder.(expfmt.Closer); ok {
		if err := closer.Close(); err != nil {
			return nil, encodingError{err}
		}
	}
	err := a.flush()
	return a.result, err
}

func (a *assembly) writeGrouped(f *groupedFamily) error {
	size := f.header.size
	for _, metrics := range f.metrics {
		size += metrics.size
	}
	if _, err := a.compressor.Write(familyStart(size, a.format)); err != nil {
		return err
	}
	if err := a.flush(); err != nil {
		return err
	}
	a.result = append(append(a.result, f.header), f.metrics...)
	_, err := a.compressor.Write(familyEnd(a.format))
	return err
}

// flush ends what was compressed since the last part.
func (a *assembly) flush() error {
	if a.compressor.size == 0 {
		return nil
	}
	p, err := a.compressor.part()
	if err == nil {
		a.result = append(a.result, &p)
	}
	return err
}
