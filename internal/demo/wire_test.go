package demo_test

import (
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

func TestSent_CountsWhatLeaves(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	if got := v.Sent(); got != 0 {
		t.Errorf("before the first call: sent %d bytes, want 0", got)
	}
	login(t, v)
	if v.Sent() == 0 {
		t.Error("after a login: sent nothing")
	}
}
