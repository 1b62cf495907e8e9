package exposition

import (
	"bytes"
	"compress/flate"
	"hash/crc32"
	"sync"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// part is a piece of an exposition, compressed: one cached family, or any number of others.
type part struct {
	family   string
	deflated []byte // whole blocks that refer to nothing before them
	size     int64  // of the text, in bytes
	checksum uint32 // of the text
	shift    uint32 // moves the checksum of the text before this part by size
}

// encodingError is an error of an encoder.
type encodingError struct{ error }

// Unwrap returns the encoder's error.
func (e encodingError) Unwrap() error { return e.error }

// deflaters are reused, as in promhttp: each has tables of almost a megabyte.
var deflaters = sync.Pool{New: func() any {
	deflater, _ := flate.NewWriter(nil, flate.DefaultCompression) // It only fails for invalid levels.
	return deflater
}}

// encoder encodes parts. It compresses the text while the format's encoder writes it, so the
// whole text is never in memory.
type encoder struct {
	expfmt.Encoder
	deflater *flate.Writer
	deflated bytes.Buffer
	size     int64
	checksum uint32
}

func newEncoder(format expfmt.Format) *encoder {
	e := &encoder{deflater: deflaters.Get().(*flate.Writer)}
	e.Encoder = expfmt.NewEncoder(e, format)
	return e
}

// close is called after the last part.
func (e *encoder) close() { deflaters.Put(e.deflater) }

// Write implements io.Writer for the format's encoder.
func (e *encoder) Write(text []byte) (int, error) {
	if e.size == 0 {
		e.deflated.Reset()
		e.deflater.Reset(&e.deflated)
	}
	e.size += int64(len(text))
	e.checksum = crc32.Update(e.checksum, crc32.IEEETable, text)
	return e.deflater.Write(text)
}

func (e *encoder) encode(family *dto.MetricFamily) error {
	if err := e.Encode(family); err != nil {
		return encodingError{err}
	}
	return nil
}

// end writes the format's trailer, if it has one.
func (e *encoder) end() error {
	if closer, ok := e.Encoder.(expfmt.Closer); ok {
		if err := closer.Close(); err != nil {
			return encodingError{err}
		}
	}
	return nil
}

// part returns the text since the last part, which must not be empty.
func (e *encoder) part(family string) (part, error) {
	if err := e.deflater.Flush(); err != nil {
		return part{}, encodingError{err}
	}
	p := part{family, bytes.Clone(e.deflated.Bytes()), e.size, e.checksum, power(e.size)}
	e.size, e.checksum = 0, 0
	return p, nil
}
