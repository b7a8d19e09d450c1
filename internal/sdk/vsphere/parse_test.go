package vsphere_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestParseInventoryPath(t *testing.T) {
	for path, want := range map[string]vsphere.InventoryPath{
		"/DC1/vm/web/prod/app%2f1": {
			Datacenter: "/DC1", Kind: "vm", Folder: "web/prod", Name: "app/1", Parent: "/DC1/vm/web/prod",
			Parts: []string{"DC1", "vm", "web", "prod", "app/1"},
		},
		"/EU/DC1/host/C%2f1/Resources": {
			Datacenter: "/EU/DC1", Kind: "host", Folder: "C%2f1", Name: "Resources", Parent: "/EU/DC1/host/C%2f1",
			Parts: []string{"EU", "DC1", "host", "C/1", "Resources"},
		},
		"/DC1/vm":    {Datacenter: "/DC1", Kind: "vm", Name: "vm", Parent: "/DC1", Parts: []string{"DC1", "vm"}},
		"/vm/vm/vm":  {Datacenter: "/vm", Kind: "vm", Name: "vm", Parent: "/vm/vm", Parts: []string{"vm", "vm", "vm"}},
		"/DC1":       {Name: "DC1", Parts: []string{"DC1"}},
		"/EU/50%25x": {Name: "50%x", Parent: "/EU", Parts: []string{"EU", "50%x"}},
	} {
		got, err := vsphere.ParseInventoryPath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", path, diff)
		}
	}
	for _, path := range []string{"", "/", "DC1/vm/x", "/DC1//x", "/DC1/vm/"} {
		if _, err := vsphere.ParseInventoryPath(path); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%q: %v, want a refusal", path, err)
		}
	}
}

func TestParseMoref(t *testing.T) {
	for text, want := range map[string]string{
		"vm-42": "VirtualMachine:vm-42", " VirtualMachine:vm-42 ": "VirtualMachine:vm-42", "domain-c8": "ClusterComputeResource:domain-c8",
		"resgroup-9": "ResourcePool:resgroup-9", "resgroup-v9": "VirtualApp:resgroup-v9", "group-v3": "Folder:group-v3",
		"group-p3": "StoragePod:group-p3", "HostSystem:ha-host": "HostSystem:ha-host",
		"urn:vmomi:VirtualMachine:vm-42:0b9d5a1e-6c1f-4b52-8f1a-6d1f2b3c4d5e": "VirtualMachine:vm-42",
	} {
		got, err := vsphere.ParseMoref(text)
		if err != nil || got.String() != want {
			t.Errorf("%q is %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "web-01", "vm-", "/DC1/vm/x", "HostSystem:vm-42", "banana-7", "VirtualMachine:"} {
		if got, err := vsphere.ParseMoref(text); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%q is %v, %v; want a refusal", text, got, err)
		}
	}
}

func TestParseMoref_KnowsWhatVCenterGives(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{}))
	for kind, path := range map[vsphere.Kind]string{
		vsphere.KindVM: "/DC0/vm/DC0_C0_RP0_VM0", vsphere.KindHost: "/DC0/host/DC0_C0/DC0_C0_H0", vsphere.KindCluster: "/DC0/host/DC0_C0",
		vsphere.KindDatacenter: "/DC0", vsphere.KindFolder: "/DC0/vm", vsphere.KindResourcePool: "/DC0/host/DC0_C0/Resources",
		vsphere.KindDatastore: "/DC0/datastore/LocalDS_0",
	} {
		ref, err := c.Resolve(t.Context(), kind, path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := vsphere.ParseMoref(ref.Value); err != nil || got != ref {
			t.Errorf("%s is %v, %v; want %v", ref.Value, got, err, ref)
		}
	}
}
