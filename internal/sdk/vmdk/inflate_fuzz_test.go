package vmdk

import (
	"bytes"
	stdflate "compress/flate"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// FuzzInflate holds Inflate against the standard library's reader: they accept the same streams, with the same data, and
// nothing is written behind the room.
func FuzzInflate(f *testing.F) {
	for _, data := range [][]byte{{}, text(50), noise(50), text(700), mixed(2000)} {
		for _, level := range []int{-2, 0, 1, 9} {
			f.Add(deflated(f, data, level), uint16(len(data)+400))
		}
	}
	for gap := 3; gap < 20; gap++ {
		f.Add(deflated(f, []byte(strings.Repeat(string([]byte{0, 'a', byte('a' + gap)}), 100)), 1), uint16(1000))
	}
	f.Add(pack(dynamic(aEndMatch(), []int{1})+"0 11 0 10"), uint16(4))
	f.Add(pack(final+litA+match3+"00001"+finish), uint16(500))
	f.Fuzz(func(t *testing.T, raw []byte, room uint16) {
		want, wantErr := standard(raw, int(room))
		const guard = 'g'
		whole := bytes.Repeat([]byte{guard}, int(room)+300)
		n, err := inflateFast(whole[:room], zlibOf(raw, want))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("got %v, the standard library %v", err, wantErr)
		}
		if err != nil && !errors.Is(err, sdk.ErrInvalid) {
			t.Fatalf("got %v, want sdk.ErrInvalid", err)
		}
		if err == nil && !bytes.Equal(whole[:n], want) {
			t.Fatalf("got % x, want % x", whole[:n], want)
		}
		if bytes.Trim(whole[room:], string(guard)) != nil {
			t.Fatal("wrote behind its room")
		}
	})
}

var errStandard = errors.New("too long, bytes behind, or a wrong sum")

// standard inflates by the standard library, under the same rules.
func standard(raw []byte, room int) ([]byte, error) {
	src := bytes.NewReader(raw)
	data, err := io.ReadAll(io.LimitReader(stdflate.NewReader(src), int64(room)+1))
	if err == nil && (len(data) > room || src.Len() > 0) {
		err = errStandard
	}
	return data, err
}
