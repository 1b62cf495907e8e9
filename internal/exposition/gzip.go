package exposition

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

var (
	// gzipHeader names the method deflate, and no file.
	gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}
	// lastBlock is an empty deflate block that is marked as the last.
	lastBlock = []byte{1, 0, 0, 0xff, 0xff}
)

// writeGzip writes parts as one gzip member: several members would be valid, too, but browsers
// only read the first.
func writeGzip(w io.Writer, parts []*part) error {
	if _, err := w.Write(gzipHeader); err != nil {
		return err
	}
	var checksum, size uint32
	for _, p := range parts {
		checksum = join(checksum, p)
		size += uint32(p.size) //nolint:gosec // The format's size is modulo 2^32.
		if _, err := w.Write(p.deflated); err != nil {
			return err
		}
	}
	end := binary.LittleEndian.AppendUint32(bytes.Clone(lastBlock), checksum)
	_, err := w.Write(binary.LittleEndian.AppendUint32(end, size))
	return err
}

// inflater decompresses parts.
type inflater struct {
	flate  io.ReadCloser
	buffer [8 << 10]byte
}

var inflaters = sync.Pool{New: func() any {
	return &inflater{flate: flate.NewReader(nil)}
}}

// writePlain writes the text of parts.
func writePlain(w io.Writer, parts []*part) error {
	in := inflaters.Get().(*inflater)
	defer inflaters.Put(in)
	// Without its ReadFrom, io.CopyBuffer uses the buffer that it is given.
	w = struct{ io.Writer }{w}
	for _, p := range parts {
		if err := in.flate.(flate.Resetter).Reset(bytes.NewReader(p.deflated), nil); err != nil {
			return err
		}
		// Reading further would fail: a part does not end with a final block.
		if _, err := io.CopyBuffer(w, io.LimitReader(in.flate, p.size), in.buffer[:]); err != nil {
			return err
		}
	}
	return nil
}

// acceptsGzip reports whether gzip is preferred to no encoding, like promhttp.
func acceptsGzip(header http.Header) bool {
	gzip, identity := 0.0, -1.0
	for accepted := range strings.SplitSeq(strings.Join(header.Values("Accept-Encoding"), ","), ",") {
		name, parameters, _ := strings.Cut(accepted, ";")
		weight := qualityWeight(parameters)
		switch strings.TrimSpace(name) {
		case "gzip":
			gzip = max(gzip, weight)
		case "identity":
			identity = max(identity, weight)
		case "*":
			gzip, identity = max(gzip, weight), max(identity, weight)
		}
	}
	return gzip > max(identity, 0)
}

// qualityWeight returns the q among the parameters of an encoding, or 1.
func qualityWeight(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if strings.TrimSpace(name) == "q" {
			weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				return 0
			}
			return weight
		}
	}
	return 1
}
