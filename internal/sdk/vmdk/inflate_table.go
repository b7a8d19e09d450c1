package vmdk

import (
	"math/bits"
	"sync"
)

// A table entry says everything about one code word, so that decoding is one look-up:
//
//	bits 0-7   input bits to consume: the code word and the extra bits behind it
//	bits 8-12  the code word's own bits, or for a subtable the bits that index it
//	bits 13-15 the flags below
//	bits 16-30 the literal, the base of a length or distance, or where the subtable starts
//	bit 31     a literal
const (
	entryEnd     = 1 << 13 // end of block
	entrySub     = 1 << 14 // look on in a subtable
	entrySpecial = 1 << 15 // end, subtable or, with neither, no code
	entryLiteral = 1 << 31
)

const (
	litBits  = 11 // of input the first look-up of a literal or length takes
	distBits = 8
	preBits  = 7 // the longest code of the code lengths' own code

	litMask  = 1<<litBits - 1
	distMask = 1<<distBits - 1

	litSyms  = 288
	distSyms = 32
	preSyms  = 19

	maxCode  = 15  // bits in the longest code word
	endBlock = 256 // the symbol
)

// A complete code of 288 symbols needs at most 2342 entries and one of 32 at most 402; a power of two lets a mask stand for
// the bounds check.
type (
	litTable  [4096]uint32
	distTable [512]uint32
)

// codes is what RFC 1951 fixes: what each symbol means (an entry still without its code word's bits) and the static codes.
type codes struct {
	lit     [litSyms]uint32
	dist    [distSyms]uint32
	pre     [preSyms]uint32
	fixed   litTable
	fixDist distTable
}

var fixedCodes = sync.OnceValue(func() *codes {
	c := &codes{}
	for i := range endBlock {
		c.lit[i] = entryLiteral | uint32(i)<<16
	}
	c.lit[endBlock] = entrySpecial | entryEnd
	base := uint32(3)
	for i := range uint32(28) {
		extra := max(i/4, 1) - 1
		c.lit[endBlock+1+i] = base<<16 | extra
		base += 1 << extra
	}
	c.lit[285] = 258 << 16 // not 259: the longest match has a code of its own
	c.lit[286], c.lit[287] = entrySpecial, entrySpecial
	base = 1
	for i := range uint32(30) {
		extra := max(i/2, 1) - 1
		c.dist[i] = base<<16 | extra
		base += 1 << extra
	}
	c.dist[30], c.dist[31] = entrySpecial, entrySpecial
	for i := range c.pre {
		c.pre[i] = uint32(i) << 16
	}
	var lens [litSyms]uint8
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
	buildTable(c.fixed[:], litBits, lens[:], c.lit[:])
	for i := range distSyms {
		lens[i] = 5
	}
	buildTable(c.fixDist[:], distBits, lens[:distSyms], c.dist[:])
	return c
})

// buildTable fills a table whose first look-up takes so many bits from the code lengths of the symbols. It reports false for a
// code that is over-subscribed or incomplete; like zlib it lets pass a code of no word (an error once it is used) and of one
// word of one bit.
func buildTable(table []uint32, width int, lens []uint8, symbols []uint32) bool {
	var count [maxCode + 1]int
	for _, l := range lens {
		count[l&maxCode]++
	}
	used := len(lens) - count[0]
	left := 1
	for _, n := range count[1:] {
		left = left<<1 - n
		if left < 0 {
			return false
		}
	}
	if left > 0 {
		return used-count[1] == 0 && buildSmall(table[:1<<width], lens, symbols)
	}
	var next [maxCode + 1]int
	for l := 1; l < maxCode; l++ {
		next[l+1] = next[l] + count[l]
	}
	var order [litSyms]uint16 // the symbols by length, then number
	for s, l := range lens {
		if l &= maxCode; l != 0 {
			order[next[l]] = uint16(s)
			next[l]++
		}
	}
	fillTable(table, width, &count, order[:used], symbols)
	return true
}

// buildSmall is buildTable for no code word at all, or only the word 0.
func buildSmall(table []uint32, lens []uint8, symbols []uint32) bool {
	for i := range table {
		table[i] = entrySpecial
	}
	for s, l := range lens {
		if l == 1 {
			for i := 0; i < len(table); i += 2 {
				table[i] = symbols[s] + 1<<8 + 1
			}
		}
	}
	return true
}

// fillTable enters a complete code. Code words come in order of length, as the input has them: first bit lowest. Up to width
// bits the table doubles whenever the length grows, so that each word is written once and copied from there.
func fillTable(table []uint32, width int, count *[maxCode + 1]int, order []uint16, symbols []uint32) {
	word, length, done := 0, 0, 0
	for length < width {
		copy(table[1<<length:2<<length], table[:1<<length])
		length++
		for range count[length] {
			table[word] = symbols[order[done]] + uint32(length)<<8 + uint32(length)
			done++
			word = nextWord(word, length)
		}
	}
	end, prefix, start := 1<<width, -1, 0
	for length++; done < len(order); length++ {
		for n := count[length]; n > 0; n-- {
			if p := word & (1<<width - 1); p != prefix {
				prefix, start = p, end
				size := subBits(count, length, width, n)
				end += 1 << size
				table[p] = entrySpecial | entrySub | uint32(start)<<16 | uint32(size)<<8 | uint32(width)
			}
			rest := length - width
			for i := start + word>>width; i < end; i += 1 << rest {
				table[i] = symbols[order[done]] + uint32(rest)<<8 + uint32(rest)
			}
			done++
			word = nextWord(word, length)
		}
	}
}

// subBits is the width of a subtable that begins with n words of the length: as many bits as it takes to fill it.
func subBits(count *[maxCode + 1]int, length, width, n int) int {
	size := length - width
	for n < 1<<size && width+size < maxCode {
		size++
		n = n<<1 + count[width+size]
	}
	return size
}

// nextWord adds one to a code word whose first bit is the lowest. The last word of a code is followed by itself.
func nextWord(word, length int) int {
	zeros := word ^ (1<<length - 1)
	if zeros == 0 {
		return word
	}
	bit := 1 << (bits.Len(uint(zeros)) - 1)
	return word&(bit-1) | bit
}
