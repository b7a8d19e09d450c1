package export

import (
	"context"
	"fmt"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qcow2"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vmdk"
)

// reshape cuts and joins grains that are not as large as a cluster. vSphere does not make such; other writers do. Grains
// smaller than a cluster must come in the disk's order, or a cluster would have to be written twice.
func (p *pass) reshape(ctx context.Context, grain vmdk.Grain) error {
	data := make([]byte, p.grain)
	n, err := vmdk.Inflate(data, grain.Data)
	if err != nil {
		return fmt.Errorf("grain at offset %d: %w", grain.Offset, err)
	}
	want := min(p.grain, p.a.capacity-grain.Offset)
	if want <= 0 || (int64(n) != want && int64(n) != p.grain) {
		return sdk.Invalidf("grain at offset %d: holds %d bytes, not %d", grain.Offset, n, want)
	}
	data = data[:want]
	for offset := grain.Offset; len(data) > 0; {
		cluster := offset &^ (qcow2.ClusterBytes - 1)
		if p.open != nil && p.open.offset != cluster {
			if cluster < p.open.offset && p.grain < qcow2.ClusterBytes {
				return sdk.Invalidf("grain at offset %d: grains of %d bytes come out of order", grain.Offset, p.grain)
			}
			if err := p.flush(); err != nil {
				return err
			}
		}
		if p.open == nil {
			b, err := p.next(ctx, cluster)
			if err != nil {
				return err
			}
			clear(b.plain)
			p.open = b
		}
		n := copy(p.open.plain[offset-cluster:], data)
		data, offset = data[n:], offset+int64(n)
	}
	return nil
}

// flush hands on the cluster that was being assembled.
func (p *pass) flush() error {
	if p.open != nil {
		p.hand(p.open)
		p.open = nil
	}
	return nil
}
