package exposition

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"sync"
)

// part is a piece of an exposition, compressed.
type part struct {
	deflated []byte // whole blocks that refer to nothing before them
	size     int64  // of the text, in bytes
	checksum uint32 // of the text
	shift    uint32 // moves the checksum of the text before this part by size
}

func newPart(deflated []byte, size int64, checksum uint32) part {
	return part{deflated, size, checksum, power(size)}
}

// maxStored is the size of the longest text that is not worth compressing.
const maxStored = 128

// store returns a short text as a part, without compression.
func store(text []byte) part {
	length := uint16(len(text)) //nolint:gosec // At most maxStored.
	block := make([]byte, 1, 10+len(text))
	block = binary.LittleEndian.AppendUint16(block, length)
	block = binary.LittleEndian.AppendUint16(block, ^length)
	block = append(block, text...)
	// An empty block, as after a flush: flate's reader returns no text before it.
	return newPart(append(block, 0, 0, 0, 0xff, 0xff), int64(len(text)), crc32.ChecksumIEEE(text))
}

// compress returns a text as a part.
func compress(text []byte) part {
	c := newCompressor()
	defer c.close()
	_, _ = c.Write(text) // Writing to memory does not fail.
	p, _ := c.part()
	return p
}

// deflaters are reused, as in promhttp: each has tables of almost a megabyte.
var deflaters = sync.Pool{New: func() any {
	deflater, _ := flate.NewWriter(nil, flate.DefaultCompression) // It only fails for invalid levels.
	return deflater
}}

// compressor compresses text while it is written, so a long text is never in memory as a whole.
type compressor struct {
	deflater *flate.Writer
	deflated bytes.Buffer
	first    []byte // the start of the text, up to maxStored bytes
	size     int64
	checksum uint32
}

func newCompressor() *compressor {
	return &compressor{deflater: deflaters.Get().(*flate.Writer), first: make([]byte, 0, maxStored)}
}

// close is called after the last part.
func (c *compressor) close() { deflaters.Put(c.deflater) }

// Write implements io.Writer.
func (c *compressor) Write(text []byte) (int, error) {
	before := c.size
	c.size += int64(len(text))
	c.checksum = crc32.Update(c.checksum, crc32.IEEETable, text)
	if c.size <= maxStored {
		c.first = append(c.first, text...)
		return len(text), nil
	}
	if before <= maxStored {
		c.deflated.Reset()
		c.deflater.Reset(&c.deflated)
		if _, err := c.deflater.Write(c.first); err != nil {
			return 0, err
		}
	}
	return c.deflater.Write(text)
}

// part returns the text since the last part.
func (c *compressor) part() (part, error) {
	defer func() { c.first, c.size, c.checksum = c.first[:0], 0, 0 }()
	if c.size <= maxStored {
		return store(c.first), nil
	}
	if err := c.deflater.Flush(); err != nil {
		return part{}, err
	}
	return newPart(bytes.Clone(c.deflated.Bytes()), c.size, c.checksum), nil
}
