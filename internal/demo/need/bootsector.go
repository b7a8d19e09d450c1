package need

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// bootCode is 16-bit code for 0000:7C00: it writes the text after it to the first serial port and halts. It waits for the
// transmitter (bit 5 of the line status register) before each byte: a busy machine would lose some otherwise.
//
//	xor ax,ax; mov ds,ax; mov si,7C22h; cld
//	next: lodsb; test al,al; jz halt; mov ah,al; mov dx,3FDh
//	wait: in al,dx; test al,20h; jz wait; mov al,ah; mov dx,3F8h; out dx,al; jmp next
//	halt: hlt; jmp halt
var bootCode = []byte{
	0x31, 0xc0, 0x8e, 0xd8, 0xbe, 0x22, 0x7c, 0xfc,
	0xac, 0x84, 0xc0, 0x74, 0x12, 0x88, 0xc4, 0xba, 0xfd, 0x03,
	0xec, 0xa8, 0x20, 0x74, 0xfb, 0x88, 0xe0, 0xba, 0xf8, 0x03, 0xee, 0xeb, 0xe9,
	0xf4, 0xeb, 0xfd,
}

// BootDisk writes a raw disk of the given size whose boot sector prints text on the serial console: the smallest guest there
// is, up in a second or two without hardware acceleration. The rest of the disk is a mix of holes, noise and text that
// depends on seed alone.
func BootDisk(t testing.TB, size int64, seed uint64, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "boot.raw")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // a test file
	sector := make([]byte, 512)
	copy(sector, bootCode)
	if text != "" {
		text = "\r\n\r\n\r\n\r\n" + text // a console that is opened late misses the first bytes
	}
	if n := copy(sector[len(bootCode):509], text); n < len(text) {
		t.Fatalf("%d bytes of text do not fit a boot sector", len(text))
	}
	sector[510], sector[511] = 0x55, 0xaa
	write := func(data []byte, off int64) {
		if _, err := f.WriteAt(data, off); err != nil {
			t.Fatal(err)
		}
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	const block = 64 << 10
	for off := int64(block); off+block <= size; off += block {
		data := make([]byte, block)
		switch rng.IntN(3) {
		case 0:
			continue // a hole
		case 1:
			for i := range data {
				data[i] = byte(rng.UintN(256))
			}
		case 2:
			for i := range data {
				data[i] = "all work and no play "[i%21]
			}
		}
		write(data, off)
	}
	write(sector, 0)
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return path
}
