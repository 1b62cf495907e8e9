package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"testing"
)

func envelope(state string) []byte {
	file, _ := io.ReadAll(encode([]byte(state)))
	return file
}

// resealed gives a changed file a right checksum.
func resealed(file []byte) []byte {
	body := file[:len(file)-sha256.Size]
	sum := sha256.Sum256(body)
	return slices.Concat(body, sum[:])
}

func TestDecode_DetectsEveryDamage(t *testing.T) {
	file := envelope("the state")
	if state, err := decode(file); err != nil || string(state) != "the state" {
		t.Fatalf("have %q, %v", state, err)
	}
	for n := range file {
		if _, err := decode(file[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut to %d bytes: have %v, want ErrCorrupt", n, err)
		}
		for bit := range 8 {
			damaged := bytes.Clone(file)
			damaged[n] ^= 1 << bit
			want := ErrCorrupt
			if n < len(magic) {
				want = ErrForeign
			}
			if _, err := decode(damaged); !errors.Is(err, want) {
				t.Errorf("bit %d of byte %d: have %v, want %v", bit, n, err, want)
			}
		}
	}
	if _, err := decode(append(file, 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("with a byte too many: have %v, want ErrCorrupt", err)
	}
}

func TestDecode_RefusesOtherVersions(t *testing.T) {
	file := envelope("the state")
	for _, c := range []struct {
		at   int
		to   byte
		want error
	}{
		{len(magic) + 3, version + 1, ErrNewer},
		{len(magic), 1, ErrNewer},
		{len(magic) + 3, 0, ErrCorrupt},
		{len(magic) + 11, 7, ErrCorrupt}, // the length
	} {
		other := bytes.Clone(file)
		other[c.at] = c.to
		if _, err := decode(resealed(other)); !errors.Is(err, c.want) {
			t.Errorf("byte %d = %d: have %v, want %v", c.at, c.to, err, c.want)
		}
	}
	// A later version may do without our length, not without magic, version and checksum.
	short := slices.Concat([]byte(magic), []byte{0, 0, 0, 9}, make([]byte, sha256.Size))
	if _, err := decode(resealed(short)); !errors.Is(err, ErrNewer) {
		t.Errorf("have %v, want ErrNewer", err)
	}
	short[len(magic)+3] = version
	if _, err := decode(resealed(short)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("have %v, want ErrCorrupt", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte{})
	f.Add(envelope(""))
	f.Fuzz(func(t *testing.T, file []byte) {
		state, err := decode(file)
		switch {
		case err == nil:
			// One state has one file: nothing in it escapes the check.
			if again := envelope(string(state)); !bytes.Equal(again, file) {
				t.Errorf("have %q, want %q", again, file)
			}
		case !errors.Is(err, ErrForeign) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer):
			t.Errorf("have an error of no kind: %v", err)
		}
		// Whatever the bytes, as a state they come back.
		if state, err := decode(envelope(string(file))); err != nil || !bytes.Equal(state, file) {
			t.Errorf("have %q, %v; want %q", state, err, file)
		}
		if len(file) > len(magic)+sha256.Size {
			// Past the checksum, where damage by chance does not lead.
			if state, err := decode(resealed(slices.Concat([]byte(magic), file))); err == nil && len(state) > len(file) {
				t.Errorf("have %d bytes out of %d", len(state), len(file))
			}
		}
	})
}
