package postgres

import (
	"bytes"
	"testing"
)

func TestDecompress_ReturnsWhatWasCompressed(t *testing.T) {
	for _, figures := range [][]byte{{}, []byte("figures"), bytes.Repeat([]byte("wolkvox"), 100_000)} {
		compressed := compress(figures)
		have, err := decompress(compressed)
		if err != nil || !bytes.Equal(have, figures) {
			t.Errorf("have %d bytes and error %v, want %d", len(have), err, len(figures))
		}
		if _, err := decompress(compressed[:len(compressed)-1]); err == nil {
			t.Errorf("%d bytes: have no error without the last byte", len(figures))
		}
		if len(figures) > 1000 && len(compressed) > len(figures)/100 {
			t.Errorf("have %d compressed bytes of %d", len(compressed), len(figures))
		}
	}
}
