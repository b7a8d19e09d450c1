package vmdk

import (
	"bytes"
	stdflate "compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// zlibOf wraps a deflate stream of the given data.
func zlibOf(raw, data []byte) []byte {
	return binary.BigEndian.AppendUint32(append([]byte{0x78, 0x01}, raw...), adler32.Checksum(data))
}

// pack makes bytes of bits written as 0 and 1 in the order of the stream; spaces are for the reader.
func pack(stream string) []byte {
	var b []byte
	for i, c := range strings.ReplaceAll(stream, " ", "") {
		if i%8 == 0 {
			b = append(b, 0)
		}
		b[i/8] |= byte(c-'0') << (i % 8)
	}
	return b
}

// number is a number as a stream has it: lowest bit first.
func number(v, bits int) string {
	s := []byte(fmt.Sprintf("%0*b", bits, v))
	slices.Reverse(s)
	return string(s)
}

// dynamic is the head of a final dynamic block with these code lengths, each written as a word of 4 bits.
func dynamic(lit, dist []int) string {
	s := "1 01" + number(len(lit)-257, 5) + number(len(dist)-1, 5) + number(15, 4) + strings.Repeat("000", 3) + strings.Repeat(number(4, 3), 16)
	for _, l := range append(slices.Clone(lit), dist...) {
		s += fmt.Sprintf("%04b", l)
	}
	return s
}

// lengths are code lengths of count symbols, zero but for the given pairs of symbol and length.
func lengths(count int, pairs ...int) []int {
	l := make([]int, count)
	for i := 0; i < len(pairs); i += 2 {
		l[pairs[i]] = pairs[i+1]
	}
	return l
}

const (
	final  = "1 10" // head of a final block with the static codes
	litA   = "10010001"
	match3 = "0000001"
	finish = "0000000"
)

// aEndMatch is a code of 'a' (0), end of block (10) and a match of 3 (11).
func aEndMatch() []int { return lengths(258, 'a', 1, 256, 2, 257, 2) }

func TestInflate_RefusesWhatIsNoDeflateStream(t *testing.T) {
	lit8 := slices.Repeat([]int{8}, 256)
	run := "1 01" + number(0, 5) + number(0, 5) + number(15, 4) + number(0, 3) + number(0, 3) + number(1, 3) + number(1, 3) + strings.Repeat("000", 15)
	repeatFirst := "1 01" + number(0, 5) + number(0, 5) + number(0, 4) + number(1, 3) + number(0, 3) + number(0, 3) + number(1, 3)
	noCode, wrongLit, wrongDist := "no code word", "wrong code of literals", "wrong code of distances"
	for name, c := range map[string]struct{ stream, want string }{
		"type 3":                        {"1 11", "no known type"},
		"stored, wrong complement":      {"1 00 00000" + number(1, 16) + number(1, 16), "complement"},
		"before the data":               {final + litA + match3 + "00001" + finish, "begins before the data"},
		"before the data at once":       {final + match3 + "00000" + finish, "begins before the data"},
		"far before the data":           {final + litA + match3 + "11101" + strings.Repeat("1", 13) + finish, "begins before the data"},
		"static length 286":             {final + "11000110" + "00000" + finish, noCode},
		"static length 287":             {final + "11000111" + "00000" + finish, noCode},
		"static distance 30":            {final + litA + match3 + "11110" + finish, noCode},
		"static distance 31":            {final + litA + match3 + "11111" + finish, noCode},
		"287 literals":                  {"1 01" + number(30, 5) + number(0, 5) + number(0, 4), "more code lengths than symbols"},
		"31 distances":                  {"1 01" + number(0, 5) + number(30, 5) + number(0, 4), "more code lengths than symbols"},
		"lengths over-subscribed":       {"1 01" + number(0, 5) + number(0, 5) + number(0, 4) + strings.Repeat(number(1, 3), 4), "code of the code lengths"},
		"lengths incomplete":            {"1 01" + number(0, 5) + number(0, 5) + number(0, 4) + strings.Repeat(number(3, 3), 4), "code of the code lengths"},
		"lengths without a code":        {"1 01" + number(0, 5) + number(0, 5) + number(0, 4) + strings.Repeat(number(0, 3), 4) + "0", noCode},
		"repeat of nothing":             {repeatFirst + "1 00", "without one before"},
		"run too long":                  {run + "1 1111111 1 1111111", "more code lengths than announced"},
		"no end of block":               {dynamic(append(lit8, 0), []int{0}), "without an end"},
		"literals over-subscribed":      {dynamic(lengths(257, 'a', 1, 'b', 1, 256, 1), []int{0}), wrongLit},
		"literals incomplete":           {dynamic(lengths(257, 'a', 2, 256, 2), []int{0}), wrongLit},
		"one literal of 2 bits":         {dynamic(lengths(257, 256, 2), []int{0}), wrongLit},
		"one literal, the other word":   {dynamic(lengths(257, 256, 1), []int{0}) + "1", noCode},
		"long literals over-subscribed": {dynamic(append(lit8, 15), []int{0}), wrongLit},
		"distances over-subscribed":     {dynamic(aEndMatch(), []int{1, 1, 1}), wrongDist},
		"distances incomplete":          {dynamic(aEndMatch(), []int{1, 2}), wrongDist},
		"one distance of 2 bits":        {dynamic(aEndMatch(), []int{2}), wrongDist},
		"one distance, the other word":  {dynamic(aEndMatch(), []int{1}) + "0 11 1 10", noCode},
		"no distance, but used":         {dynamic(aEndMatch(), []int{0}) + "0 11 0 10", noCode},
	} {
		t.Run(name, func(t *testing.T) {
			// With more behind it the stream goes through the fast loop.
			for _, behind := range []int{2, 100} {
				raw := append(pack(c.stream), make([]byte, behind)...)
				_, err := inflateFast(make([]byte, 1000), zlibOf(raw, nil))
				if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("with %d bytes behind: got %v, want sdk.ErrInvalid with %q", behind, err, c.want)
				}
			}
		})
	}
}

func TestInflate_TakesCodesOfOneWord(t *testing.T) {
	for name, c := range map[string]struct{ stream, want string }{
		"nothing":               {final + finish, ""},
		"nothing, stored":       {"1 00 00000" + number(0, 16) + number(0xffff, 16), ""},
		"one distance":          {dynamic(aEndMatch(), []int{1}) + "0 11 0 10", "aaaa"},
		"one distance, the 2nd": {dynamic(aEndMatch(), []int{0, 1}) + "0 0 11 0 10", "aaaaa"},
		"no distance":           {dynamic(aEndMatch(), []int{0}) + "0 10", "a"},
		"only the end":          {dynamic(lengths(257, 256, 1), []int{0}) + "0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dst := make([]byte, 1000)
			n, err := inflateFast(dst, zlibOf(pack(c.stream), []byte(c.want)))
			if err != nil || string(dst[:n]) != c.want {
				t.Errorf("got %q, %v; want %q", dst[:n], err, c.want)
			}
		})
	}
}

func TestInflate_RefusesEveryCutAndEveryByteBehind(t *testing.T) {
	for _, data := range [][]byte{{}, text(400), noise(400), mixed(3000)} {
		for _, level := range []int{-2, 0, 1, 9} {
			raw := deflated(t, data, level)
			dst := make([]byte, len(data)+1000)
			for cut := range raw {
				if _, err := inflateFast(dst, zlibOf(raw[:cut], data)); !errors.Is(err, sdk.ErrInvalid) {
					t.Fatalf("level %d, %d of %d bytes: got %v, want sdk.ErrInvalid", level, cut, len(raw), err)
				}
			}
			if _, err := inflateFast(dst, zlibOf(append(raw, 0), data)); !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("level %d, a byte behind: got %v, want sdk.ErrInvalid", level, err)
			}
			for room := range data {
				if _, err := inflateFast(dst[:room], zlibOf(raw, data)); !errors.Is(err, sdk.ErrInvalid) {
					t.Fatalf("level %d, room for %d of %d bytes: got %v, want sdk.ErrInvalid", level, room, len(data), err)
				}
			}
		}
	}
}

func TestInflate_ReadsWhatOthersWrite(t *testing.T) {
	kinds := map[string]func(int) []byte{"text": text, "noise": noise, "mixed": mixed, "zero": func(n int) []byte { return make([]byte, n) }}
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{0, 1, 2, 3, 100, 283, 284, 285, 1000, 4097, 32769, 65535, 65536} {
				data := kind(size)
				for level := flate.HuffmanOnly; level <= 9; level++ {
					roundTrip(t, fmt.Sprintf("level %d", level), deflated(t, data, level), data)
				}
				for level := stdflate.HuffmanOnly; level <= 9; level++ {
					var b bytes.Buffer
					w, err := stdflate.NewWriter(&b, level)
					if err := errors.Join(err, writeAll(w, data)); err != nil {
						t.Fatal(err)
					}
					roundTrip(t, fmt.Sprintf("standard level %d", level), b.Bytes(), data)
				}
			}
		})
	}
}

// Alphabets with a gap make the writers use every length of a run in their codes.
func TestInflate_ReadsEveryRunOfCodeLengths(t *testing.T) {
	for gap := range 250 {
		data := noise(600)
		for i, c := range data {
			data[i] = c & 1 * byte(gap+1)
			if c&0xf0 == 0 {
				data[i] += c & 3
			}
		}
		for _, level := range []int{flate.HuffmanOnly, 1, 6} {
			roundTrip(t, fmt.Sprintf("gap %d, level %d", gap, level), deflated(t, data, level), data)
		}
	}
}

// Every run of zeros a code of code lengths can tell: 3 to 10 and 11 to 138.
func TestInflate_RunsOfCodeLengths(t *testing.T) {
	// The lengths' words: 0 is 00, 1 is 01, 17 is 10, 18 is 11. Then the literal after the gap is 0 and the end of block 1.
	head := "1 01" + number(0, 5) + number(0, 5) + number(14, 4)
	for _, s := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1} {
		head += number(map[int]int{0: 2, 1: 2, 17: 2, 18: 2}[s], 3)
	}
	for gap := 3; gap <= 138; gap++ {
		run := "11" + number(max(gap-11, 0), 7)
		if gap <= 10 {
			run = "10" + number(gap-3, 3)
		}
		s := head + run + "01" + strings.Repeat("00", 255-gap) + "01" + "00" + "0 0 1"
		data := []byte{byte(gap), byte(gap)}
		roundTrip(t, fmt.Sprintf("%d zeros", gap), pack(s), data)
	}
}

func roundTrip(t *testing.T, name string, raw, data []byte) {
	t.Helper()
	for _, room := range []int{len(data), len(data) + 500} {
		dst := make([]byte, room)
		n, err := inflateFast(dst, zlibOf(raw, data))
		if err != nil || !bytes.Equal(dst[:n], data) {
			t.Fatalf("%s, %d bytes, room for %d: got %d bytes and %v", name, len(data), room, n, err)
		}
	}
}

func deflated(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	w, err := flate.NewWriter(&b, level)
	if err := errors.Join(err, writeAll(w, data)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// mixed is data with everything in it: noise, text, and repetitions of every short period.
func mixed(size int) []byte {
	var b []byte
	for period := 1; len(b) < size; period = period%45 + 1 {
		b = append(b, bytes.Repeat(noise(period), 1+300/period)...)
		b = append(b, text(10*period)...)
		b = append(b, noise(3*period)...)
	}
	return b[:size]
}

// inflateFast is the fast decoder alone, without the library's second opinion.
func inflateFast(dst, zlibStream []byte) (int, error) {
	raw, err := RawDeflate(zlibStream)
	if err != nil {
		return 0, err
	}
	return inflateRaw(dst, raw)
}
