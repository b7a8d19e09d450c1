package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// listedThing is one result of a list.
type listedThing struct {
	name               string
	identity, resource map[string]string // of the attributes that are strings
}

// query validates and runs a list and returns its results, and what the diagnostics say.
func (w *wire) query(name string, config map[string]any, limit int64) (found []listedThing, text string) {
	w.t.Helper()
	server, ok := w.ProviderServer.(tfprotov6.ListResourceServer)
	if !ok {
		w.t.Fatal("the provider serves no lists")
	}
	valid, err := server.ValidateListResourceConfig(w.t.Context(), &tfprotov6.ValidateListResourceConfigRequest{TypeName: name, Config: w.value(config)})
	if err != nil {
		w.t.Fatal(err)
	}
	if text = told(valid.Diagnostics); text != "" {
		return nil, text
	}
	schemas, err := w.GetProviderSchema(w.t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		w.t.Fatal(err)
	}
	identities, err := w.GetResourceIdentitySchemas(w.t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		w.t.Fatal(err)
	}
	stream, err := server.ListResource(w.t.Context(), &tfprotov6.ListResourceRequest{
		TypeName: name, Config: w.value(config), IncludeResource: true, Limit: limit,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for r := range stream.Results {
		text += told(r.Diagnostics)
		if r.Identity == nil {
			continue
		}
		found = append(found, listedThing{
			name:     r.DisplayName,
			identity: w.strings(r.Identity.IdentityData, identities.IdentitySchemas[name].ValueType()),
			resource: w.strings(r.Resource, schemas.ResourceSchemas[name].ValueType()),
		})
	}
	return found, text
}

// strings are the attributes of an object that are strings.
func (w *wire) strings(v *tfprotov6.DynamicValue, typ tftypes.Type) map[string]string {
	w.t.Helper()
	value, err := v.Unmarshal(typ)
	if err != nil {
		w.t.Fatal(err)
	}
	var attributes map[string]tftypes.Value
	if err := value.As(&attributes); err != nil {
		w.t.Fatal(err)
	}
	texts := map[string]string{}
	for name, a := range attributes {
		var s *string
		if a.IsKnown() && a.As(&s) == nil && s != nil {
			texts[name] = *s
		}
	}
	return texts
}

func TestMigrationList_FindsWhatAMigrationMade(t *testing.T) {
	b := newBench(t, smallGuest(t))
	w := newWire(t, map[string]any{"libvirt": map[string]any{"uri": localURI}})
	b.run(resource.TestStep{Config: b.config(), Check: func(s *terraform.State) error {
		before := b.vc.Calls()
		found, text := w.query("hypersdk_migration", map[string]any{"name": b.name[:len(b.name)-1] + "?"}, 0)
		if text != "" || len(found) != 1 {
			t.Fatalf("found %v, says %q; want the one domain", found, text)
		}
		state := s.RootModule().Resources[address].Primary.Attributes
		if !strings.Contains(found[0].name, b.name) || !strings.Contains(found[0].name, guestPath) {
			t.Errorf("display name %q, want domain and source", found[0].name)
		}
		if got := found[0].identity; got["uri"] != localURI || got["domain_uuid"] != state["domain_uuid"] {
			t.Errorf("identity %v, want the domain's", got)
		}
		for _, name := range []string{"id", "domain_uuid", "source_uuid", "status", "condition", "work_dir"} {
			if got, want := found[0].resource[name], state[name]; got != want {
				t.Errorf("%s = %q, want %q as in the state", name, got, want)
			}
		}
		if after := b.vc.Calls(); len(after) != len(before) {
			t.Errorf("the list asked vCenter: %v", after)
		}
		return nil
	}})
	if found, text := w.query("hypersdk_migration", map[string]any{"name": b.name}, 0); text != "" || len(found) != 0 {
		t.Errorf("found %v, says %q after the destroy; want nothing", found, text)
	}
}

func TestMigrationList_Refuses(t *testing.T) {
	w := newWire(t, map[string]any{"libvirt": map[string]any{"uri": "qemu+tcp://192.0.2.1/system"}})
	if _, text := w.query("hypersdk_migration", map[string]any{"name": "web-["}, 0); !strings.Contains(text, `AttributeName("name"): Not a pattern`) {
		t.Errorf("a broken pattern says %q", text)
	}
	if found, text := w.query("hypersdk_migration", map[string]any{}, 0); !strings.Contains(text, `AttributeName("uri"): Cannot list domains`) || len(found) > 0 {
		t.Errorf("a remote host says %q, want the refusal", text)
	}
}
