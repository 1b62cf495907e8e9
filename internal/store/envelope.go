package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Errors of a state that cannot be loaded. The error of Load says what to do.
var (
	ErrForeign = errors.New("not a state file of wolkvox_exporter, or its beginning is damaged")
	ErrCorrupt = errors.New("the state file is cut or corrupt")
	ErrNewer   = errors.New("the state file was written by a newer wolkvox_exporter")
	ErrMissing = errors.New("the state file is missing, but its previous generation is there, so this is no first start")
)

// A state file is
//
//	magic | version uint32 | length of the state uint64 | state | SHA-256 of all before
//
// All later versions keep the magic, the position of the version and the checksum at the
// end, so that a damaged file is never taken for a newer one. The checksum is SHA-256 and
// not CRC-32C, which does not detect one of 2^32 damages. The cost is milliseconds per poll.
const (
	magic   = "wolkvox_exporter state\n"
	version = 1

	overhead = len(magic) + 4 + 8 + sha256.Size
)

func encode(state []byte) io.Reader {
	head := binary.BigEndian.AppendUint32([]byte(magic), version)
	head = binary.BigEndian.AppendUint64(head, uint64(len(state)))
	hash := sha256.New()
	hash.Write(head)
	hash.Write(state)
	return io.MultiReader(bytes.NewReader(head), bytes.NewReader(state), bytes.NewReader(hash.Sum(nil)))
}

func decode(file []byte) ([]byte, error) {
	rest, hasMagic := bytes.CutPrefix(file, []byte(magic))
	if !hasMagic {
		if strings.HasPrefix(magic, string(file)) {
			return nil, ErrCorrupt // cut within the magic, or empty
		}
		return nil, ErrForeign
	}
	end := len(file) - sha256.Size
	if len(rest) < 4+sha256.Size || sha256.Sum256(file[:end]) != [sha256.Size]byte(file[end:]) {
		return nil, ErrCorrupt
	}
	rest = rest[:len(rest)-sha256.Size]
	fileVersion := binary.BigEndian.Uint32(rest)
	if fileVersion > version {
		return nil, fmt.Errorf("%w (format %d, at most %d is supported)", ErrNewer, fileVersion, version)
	}
	if fileVersion < version || len(rest) < 12 {
		return nil, ErrCorrupt
	}
	length, state := binary.BigEndian.Uint64(rest[4:]), rest[12:]
	if length != uint64(len(state)) {
		return nil, ErrCorrupt
	}
	return state, nil
}
