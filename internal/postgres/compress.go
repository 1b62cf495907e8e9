package postgres

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
)

// compress compresses figures: the database writes them to its log in most saves, and they
// shrink to a fraction.
func compress(figures []byte) []byte {
	var compressed bytes.Buffer
	w, _ := flate.NewWriter(&compressed, flate.BestSpeed) // It only fails for invalid levels.
	_, _ = w.Write(figures)                               // Writing to memory does not fail.
	_ = w.Close()
	return compressed.Bytes()
}

// decompress returns the figures of compress, which are at most maxPart bytes.
func decompress(compressed []byte) ([]byte, error) {
	figures, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(compressed)), maxPart+1))
	if err == nil && len(figures) > maxPart {
		err = errors.New("too many bytes")
	}
	return figures, err
}
