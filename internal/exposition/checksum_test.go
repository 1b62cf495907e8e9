package exposition

import (
	"hash/crc32"
	"testing"

	"pgregory.net/rapid"
)

func TestJoin_ReturnsChecksumOfBothTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, second := rapid.SliceOf(rapid.Byte()).Draw(t, "first"), rapid.SliceOf(rapid.Byte()).Draw(t, "second")
		p := compress(second)
		if have, want := join(crc32.ChecksumIEEE(first), &p), crc32.ChecksumIEEE(append(first, second...)); have != want {
			t.Fatalf("have %08x, want %08x", have, want)
		}
	})
	long := make([]byte, 5_000_011)
	p := compress(long)
	if have, want := join(crc32.ChecksumIEEE([]byte("head")), &p), crc32.ChecksumIEEE(append([]byte("head"), long...)); have != want {
		t.Errorf("a long text: have %08x, want %08x", have, want)
	}
}
