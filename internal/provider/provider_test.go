package provider

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/path"
	fwprovider "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
)

func TestSchemas_AreValid(t *testing.T) {
	p := New("test")
	var ps fwprovider.SchemaResponse
	p.Schema(t.Context(), fwprovider.SchemaRequest{}, &ps)
	if d := ps.Schema.ValidateImplementation(t.Context()); d.HasError() {
		t.Errorf("provider: %v", d)
	}
	for _, create := range p.Resources(t.Context()) {
		var rs resource.SchemaResponse
		create().Schema(t.Context(), resource.SchemaRequest{}, &rs)
		if d := rs.Schema.ValidateImplementation(t.Context()); d.HasError() {
			t.Errorf("resource: %v", d)
		}
		for name, a := range rs.Schema.Attributes {
			wantDescribed(t, name, a)
		}
	}
}

// wantDescribed fails for an attribute, at any depth, without a description that ends as a sentence.
func wantDescribed(t *testing.T, name string, a schema.Attribute) {
	t.Helper()
	text := a.GetMarkdownDescription()
	if text == "" {
		text = a.GetDescription()
	}
	if !strings.HasSuffix(text, ".") {
		t.Errorf("%s: description %q is not a sentence", name, text)
	}
	var nested map[string]schema.Attribute
	switch a := a.(type) {
	case schema.SingleNestedAttribute:
		nested = a.Attributes
	case schema.MapNestedAttribute:
		nested = a.NestedObject.Attributes
	case schema.ListNestedAttribute:
		nested = a.NestedObject.Attributes
	}
	for inner, b := range nested {
		wantDescribed(t, name+"."+inner, b)
	}
}

func TestVSphereConfig_BlockBeforeEnvironment(t *testing.T) {
	env := config.VSphere{URL: "https://env", Username: "env-user", Password: "env-pass", CAFile: "/env.pem", Thumbprint: "aa"}
	tests := []struct {
		name  string
		model vsphereModel
		want  string
	}{
		{"empty block", vsphereModel{}, "https://env env-user env-pass /env.pem aa false"},
		{"server alone", vsphereModel{Server: types.StringValue("vc.example.com")}, "https://vc.example.com env-user env-pass /env.pem aa false"},
		{"trust is one decision", vsphereModel{Insecure: types.BoolValue(true)}, "https://env env-user env-pass   true"},
		{"all", vsphereModel{
			Server: types.StringValue("https://vc:8443/sdk"), Username: types.StringValue("u"), Password: types.StringValue("p"),
			Thumbprint: types.StringValue("bb"),
		}, "https://vc:8443/sdk u p  bb false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := tt.model.config(env)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join([]string{cfg.URL, cfg.Username, string(cfg.Password), cfg.CAFile, cfg.Thumbprint, types.BoolValue(cfg.Insecure).String()}, " ")
			if got != tt.want {
				t.Errorf("config() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestVSphereConfig_RefusesUserInServer(t *testing.T) {
	_, err := vsphereModel{Server: types.StringValue("https://root:secret@vc")}.config(config.VSphere{})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("config() = %v, want a refusal that keeps the password to itself", err)
	}
}

func TestValidators(t *testing.T) {
	later := words{allowed: []string{"cold"}, later: map[string]string{"warm": "warm migrations come in a later release"}}
	tests := []struct {
		v     validator.String
		value string
		want  string // part of the error; empty: accepted
	}{
		{later, "cold", ""},
		{later, "warm", "come in a later release"},
		{later, "hot", "must be one of: cold"},
		{duration{}, "90s", ""},
		{duration{}, "-1s", "duration"},
		{duration{}, "10", "duration"},
		{regularExpression{}, "boot.*ok", ""},
		{regularExpression{}, "boot(", "missing closing"},
	}
	for _, tt := range tests {
		t.Run(tt.value, func(t *testing.T) {
			var resp validator.StringResponse
			tt.v.ValidateString(t.Context(), validator.StringRequest{Path: path.Root("x"), ConfigValue: types.StringValue(tt.value)}, &resp)
			var got string
			for _, d := range resp.Diagnostics {
				got += d.Summary() + d.Detail()
			}
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("%T says %q, want %q", tt.v, got, tt.want)
			}
		})
	}
}

func TestPlace_FifthWaitsAndSaysSo(t *testing.T) {
	c := newConnections("test")
	var releases []func()
	for range maxMigrations {
		release, err := c.place(t.Context(), func() { t.Error("queued while there was a place") })
		if err != nil {
			t.Fatal(err)
		}
		releases = append(releases, release)
	}
	queued := make(chan struct{})
	got := make(chan error)
	go func() {
		release, err := c.place(t.Context(), func() { close(queued) })
		if err == nil {
			release()
		}
		got <- err
	}()
	<-queued
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.place(ctx, func() {}); err == nil {
		t.Error("place() with a canceled context succeeded, want its error")
	}
	for _, release := range releases {
		release()
	}
	if err := <-got; err != nil {
		t.Errorf("place() = %v after others left, want a place", err)
	}
}

func TestConnections_ClosedDialsNobody(t *testing.T) {
	c := newConnections("test")
	c.close(t.Context())
	if _, err := c.libvirt(t.Context(), "test:///default"); err == nil {
		t.Error("libvirt() after close succeeded, want an error")
	}
}
