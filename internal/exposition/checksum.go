package exposition

import "hash/crc32"

// A checksum is a polynomial over GF(2) modulo that of CRC-32, the highest power in the
// lowest bit. That of two texts in a row is the first one's, multiplied by x once for
// each bit of the second text, plus the second one's.

// join returns the checksum of a text and a part after it.
func join(checksum uint32, p *part) uint32 {
	return multiply(checksum, p.shift) ^ p.checksum
}

// power returns x to the number of bits in size bytes.
func power(size int64) uint32 {
	const one, x8 = 1 << 31, 1 << (31 - 8)
	result := uint32(one)
	for square := uint32(x8); size > 0; size >>= 1 {
		if size&1 != 0 {
			result = multiply(result, square)
		}
		square = multiply(square, square)
	}
	return result
}

func multiply(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		if a&(1<<31) != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry != 0 {
			b ^= crc32.IEEE
		}
	}
	return product
}
