package exposition

import (
	"bytes"
	"encoding/binary"
	"io"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// In every format, a family is a header, the metrics one after the other, and an end. So the
// metrics of several collectors can be encoded separately and joined.

// equivalent returns the same format for all formats that encode this exporter's names alike.
// Only one escaping scheme changes them.
func equivalent(format expfmt.Format) expfmt.Format {
	if format.ToEscapingScheme() == model.DotsEscaping {
		return format
	}
	return format.WithEscapingScheme(model.NoEscaping)
}

// encodeFamily writes the metrics of a family and returns its header.
func encodeFamily(w io.Writer, family *dto.MetricFamily, format expfmt.Format) (header []byte, err error) {
	var encode func(*dto.MetricFamily) ([]byte, error)
	switch format.FormatType() {
	case expfmt.TypeProtoDelim:
		encode = func(f *dto.MetricFamily) ([]byte, error) { return proto.Marshal(f) }
	case expfmt.TypeProtoText:
		encode = func(f *dto.MetricFamily) ([]byte, error) { return []byte(prototext.Format(f)), nil }
	case expfmt.TypeProtoCompact:
		encode = func(f *dto.MetricFamily) ([]byte, error) { return []byte(f.String() + " "), nil }
	default:
		lines := headerSplitter{w: w}
		err := expfmt.NewEncoder(&lines, format).Encode(family)
		return lines.header, err
	}
	family = model.EscapeMetricFamily(family, format.ToEscapingScheme())
	header, err = encode(&dto.MetricFamily{Name: family.Name, Help: family.Help, Type: family.Type, Unit: family.Unit})
	if err != nil {
		return nil, err
	}
	metrics, err := encode(&dto.MetricFamily{Metric: family.Metric})
	if err == nil {
		_, err = w.Write(metrics)
	}
	return header, err
}

// familyStart returns what stands before the header of a family with a size.
func familyStart(size int64, format expfmt.Format) []byte {
	if format.FormatType() == expfmt.TypeProtoDelim {
		return binary.AppendUvarint(nil, uint64(size)) //nolint:gosec // Sizes are not negative.
	}
	return nil
}

// familyEnd returns what stands after the metrics of a family.
func familyEnd(format expfmt.Format) []byte {
	switch format.FormatType() {
	case expfmt.TypeProtoText, expfmt.TypeProtoCompact:
		return []byte("\n")
	default:
		return nil
	}
}

// headerSplitter keeps the comment lines at the start of a text, and writes the rest.
type headerSplitter struct {
	w      io.Writer
	header []byte
	line   []byte // the incomplete line at the end of the header
	ended  bool
}

// Write implements io.Writer.
func (s *headerSplitter) Write(text []byte) (int, error) {
	size := len(text)
	for !s.ended && len(text) > 0 {
		if len(s.line) == 0 && text[0] != '#' {
			s.ended = true
			break
		}
		end := bytes.IndexByte(text, '\n') + 1
		if end == 0 {
			s.line = append(s.line, text...)
			return size, nil
		}
		s.header = append(append(s.header, s.line...), text[:end]...)
		s.line, text = nil, text[end:]
	}
	if len(text) > 0 {
		if _, err := s.w.Write(text); err != nil {
			return 0, err
		}
	}
	return size, nil
}
