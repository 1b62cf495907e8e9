package collector

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"sync"
)

// deflaters are kept for the next scrape, as promhttp keeps its own: each has tables of
// most of a megabyte.
var deflaters = sync.Pool{New: func() any {
	deflater, _ := flate.NewWriter(nil, flate.DefaultCompression) // It fails for other levels only.
	return deflater
}}

// gzipHeader says deflate, and nothing of a file.
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

// writeGzip writes parts as one gzip file. They are deflated each on its own, so that one
// that was deflated before fits anywhere: several gzip files in a row would be as
// valid, but browsers read only the first.
func writeGzip(w io.Writer, parts []part) error {
	if _, err := w.Write(gzipHeader); err != nil {
		return err
	}
	deflater := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(deflater)
	var checksum, size uint32
	for _, p := range parts {
		checksum = crc32.Update(checksum, crc32.IEEETable, p.plain)
		size += uint32(len(p.plain)) //nolint:gosec // It is to wrap around.
		var err error
		if p.deflated == nil {
			err = deflate(w, deflater, p.plain)
		} else {
			_, err = w.Write(p.deflated)
		}
		if err != nil {
			return err
		}
	}
	deflater.Reset(w)
	if err := deflater.Close(); err != nil {
		return err
	}
	_, err := w.Write(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, checksum), size))
	return err
}

// deflate writes whole blocks that look back at nothing before them.
func deflate(w io.Writer, deflater *flate.Writer, plain []byte) error {
	deflater.Reset(w)
	if _, err := deflater.Write(plain); err != nil {
		return err
	}
	return deflater.Flush()
}

func deflateAll(parts []part) error {
	deflater := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(deflater)
	var deflated bytes.Buffer
	for i := range parts {
		if err := deflate(&deflated, deflater, parts[i].plain); err != nil {
			return err
		}
		parts[i].deflated = bytes.Clone(deflated.Bytes())
		deflated.Reset()
	}
	return nil
}
