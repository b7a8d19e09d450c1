package provider

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/vmware/govmomi/find"
	govobject "github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// guests is a configuration of clones that differ in the lines.
func (b *cloneBench) guests(blocks map[string]string) string {
	config := b.provider()
	for name, lines := range blocks {
		config += fmt.Sprintf("resource \"hypersdk_clone\" %q {\n  name   = %q\n  source = %q\n  %s\n}\n", name, name, goldenPath, lines)
	}
	return config
}

// wantCustomized compares what vCenter received with what should have been sent.
func (b *cloneBench) wantCustomized(name string, want *types.CustomizationSpec) error {
	got, err := json.MarshalIndent(b.vc.Customization(b.vm("/DC0/vm/"+name).Ref), "", " ")
	b.must(err)
	wanted, err := json.MarshalIndent(want, "", " ")
	b.must(err)
	if string(got) != string(wanted) {
		return fmt.Errorf("%s: vCenter received\n%s\nwant\n%s", name, got, wanted)
	}
	return nil
}

func secretOf(text string) *types.CustomizationPassword {
	return &types.CustomizationPassword{Value: text, PlainText: true}
}

func fixed(ip, mask string, gateways ...string) []types.CustomizationAdapterMapping {
	return []types.CustomizationAdapterMapping{{Adapter: types.CustomizationIPSettings{
		Ip: &types.CustomizationFixedIp{IpAddress: ip}, SubnetMask: mask, Gateway: gateways,
	}}}
}

func TestClone_WindowsAndSavedCustomizationReachVCenter(t *testing.T) {
	b := newCloneBench(t)
	client := b.govmomiClient()
	saved := types.CustomizationSpec{
		Options:          &types.CustomizationLinuxOptions{},
		Identity:         &types.CustomizationLinuxPrep{HostName: &types.CustomizationVirtualMachineName{}, Domain: "example.com", TimeZone: "Europe/Oslo"},
		GlobalIPSettings: types.CustomizationGlobalIPSettings{DnsServerList: []string{"192.0.2.53"}, DnsSuffixList: []string{"example.com"}},
		NicSettingMap:    []types.CustomizationAdapterMapping{{Adapter: types.CustomizationIPSettings{Ip: &types.CustomizationDhcpIpGenerator{}}}},
	}
	b.must(govobject.NewCustomizationSpecManager(client.Client).CreateCustomizationSpec(t.Context(), types.CustomizationSpecItem{
		Info: types.CustomizationSpecInfo{Name: "linux of " + t.Name(), Type: "Linux"}, Spec: saved,
	}))
	b.must(client.Logout(t.Context()))
	over := saved
	over.NicSettingMap = fixed("192.0.2.81", "255.255.255.128", "192.0.2.1")
	over.GlobalIPSettings.DnsServerList = []string{"192.0.2.99"}
	windows := func(identity *types.CustomizationSysprep) *types.CustomizationSpec {
		return &types.CustomizationSpec{
			Options:  &types.CustomizationWinOptions{ChangeSID: true, Reboot: types.CustomizationSysprepRebootOptionReboot},
			Identity: identity, NicSettingMap: []types.CustomizationAdapterMapping{{Adapter: types.CustomizationIPSettings{Ip: &types.CustomizationDhcpIpGenerator{}}}},
		}
	}
	joined := windows(&types.CustomizationSysprep{
		GuiUnattended: types.CustomizationGuiUnattended{Password: secretOf("s3cret-local"), TimeZone: 110, AutoLogon: true, AutoLogonCount: 2},
		UserData: types.CustomizationUserData{
			FullName: "Ann", OrgName: "Example", ComputerName: &types.CustomizationFixedName{Name: "APP-01"}, ProductId: "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE",
		},
		GuiRunOnce: &types.CustomizationGuiRunOnce{CommandList: []string{"one.cmd", "two.cmd"}},
		Identification: types.CustomizationIdentification{
			JoinDomain: "ad.example.com", DomainOU: "OU=Servers", DomainAdmin: "joiner", DomainAdminPassword: secretOf("s3cret-domain"),
		},
	})
	joined.NicSettingMap = fixed("192.0.2.80", "255.255.255.0", "192.0.2.1")
	joined.NicSettingMap[0].Adapter.DnsServerList, joined.NicSettingMap[0].Adapter.DnsDomain = []string{"192.0.2.53"}, "ad.example.com"
	plain := windows(&types.CustomizationSysprep{
		GuiUnattended:  types.CustomizationGuiUnattended{TimeZone: 85},
		UserData:       types.CustomizationUserData{FullName: "Administrator", OrgName: "Managed by Terraform", ComputerName: &types.CustomizationFixedName{Name: "workgroup"}},
		Identification: types.CustomizationIdentification{JoinWorkgroup: "WORKGROUP"},
	})
	config := b.guests(map[string]string{
		"joined": `customize = {
    windows = {
      computer_name = "APP-01", full_name = "Ann", organization = "Example", product_key_wo = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", time_zone = 110
      admin_password_wo = "s3cret-local", admin_password_wo_version = 1, auto_logon_count = 2, run_once = ["one.cmd", "two.cmd"]
      join_domain = "ad.example.com", domain_ou = "OU=Servers", domain_admin = "joiner", domain_admin_password_wo = "s3cret-domain"
    }
    interfaces = { "0" = { ipv4 = "192.0.2.80/24", dns = ["192.0.2.53"], dns_domain = "ad.example.com" } }
    gateway    = "192.0.2.1"
  }
  wait_for = { customization = true, ip = true }`,
		"workgroup": `customize = { windows = {} }`,
		"saved": fmt.Sprintf(`customize = {
    spec       = %q
    interfaces = { "0" = { ipv4 = "192.0.2.81/25" } }
    gateway    = "192.0.2.1"
    dns        = ["192.0.2.99"]
  }
  wait_for = { customization = true, ip = true }`, "linux of "+t.Name()),
	})
	address := func(name, ip string) statecheck.StateCheck {
		return statecheck.ExpectKnownValue("hypersdk_clone."+name, tfjsonpath.New("ip_address"), word(ip))
	}
	b.run(
		fails(swap(config, "linux of", "none of"), "vCenter has no specification of that name"),
		resource.TestStep{
			Config:            config,
			ConfigStateChecks: []statecheck.StateCheck{address("joined", "192.0.2.80"), address("saved", "192.0.2.81")},
			Check: resource.ComposeAggregateTestCheckFunc(
				func(*terraform.State) error { return b.wantCustomized("joined", joined) },
				func(*terraform.State) error { return b.wantCustomized("workgroup", plain) },
				func(*terraform.State) error { return b.wantCustomized("saved", &over) },
				func(s *terraform.State) error {
					for name, r := range s.RootModule().Resources {
						for attribute, value := range r.Primary.Attributes {
							if strings.Contains(value, "s3cret") || strings.Contains(value, "BBBBB") {
								return fmt.Errorf("a secret is in the state of %s, as %s", name, attribute)
							}
						}
					}
					return nil
				}),
		},
	)
}

// define gives a VM vApp properties, as an imported OVF would.
func (b *cloneBench) define(path string, properties ...types.VAppPropertyInfo) {
	b.t.Helper()
	client := b.govmomiClient()
	defer client.Logout(b.t.Context()) //nolint:errcheck // the run would show a session that is left
	vm, err := find.NewFinder(client.Client).VirtualMachine(b.t.Context(), path)
	b.must(err)
	change := &types.VmConfigSpec{}
	for i := range properties {
		change.Property = append(change.Property, types.VAppPropertySpec{
			ArrayUpdateSpec: types.ArrayUpdateSpec{Operation: types.ArrayUpdateOperationAdd}, Info: &properties[i],
		})
	}
	task, err := vm.Reconfigure(b.t.Context(), types.VirtualMachineConfigSpec{VAppConfig: change})
	b.must(err)
	b.must(task.Wait(b.t.Context()))
}

func TestClone_VAppProperties(t *testing.T) {
	b := newCloneBench(t)
	text := func(key int32, id, value string) types.VAppPropertyInfo {
		return types.VAppPropertyInfo{Key: key, Id: id, Type: "string", UserConfigurable: types.NewBool(true), DefaultValue: value}
	}
	b.define(goldenPath, text(1, "hostname", "localhost"), text(2, "ntp", "pool.example.com"))
	config := func(values string) string { return b.config(`vapp_properties = { ` + values + ` }`) }
	has := func(hostname, ntp string) resource.TestCheckFunc {
		return func(*terraform.State) error {
			if got := b.vm(clonePath).VAppProperties; got["hostname"] != hostname || got["ntp"] != ntp {
				return fmt.Errorf("the properties are %v, want %s and %s", got, hostname, ntp)
			}
			return nil
		}
	}
	theirs := b.sets(vsphere.VMSettings{VAppProperties: map[string]string{"hostname": "theirs", "ntp": "theirs.example.com"}})
	changed := updates(config(`hostname = "web-02"`), statecheck.ExpectKnownValue(cloneAddress, tfjsonpath.New("vapp_properties"),
		knownvalue.MapExact(map[string]knownvalue.Check{"hostname": word("web-02")})))
	changed.Check = has("web-02", "pool.example.com")
	drifted := updates(config(`hostname = "web-02"`))
	drifted.PreConfig, drifted.Check = theirs, has("web-02", "theirs.example.com") // only what is listed is managed
	b.run(
		fails(config(`hostnam = "web-01"`), "defines hostname, ntp"),
		resource.TestStep{Config: config(`hostname = "web-01"`), Check: has("web-01", "pool.example.com")},
		changed, drifted,
		fails(config(`dns = "x"`), "No such vApp property"),
	)
	if n := b.vc.Calls()["ReconfigVM_Task"]; n != 4 { // the definition, two changes and the drift
		t.Errorf("%d reconfigurations, want 4: the clone itself needs none", n)
	}
}
