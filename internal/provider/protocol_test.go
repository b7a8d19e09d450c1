package provider

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// wire speaks the plugin protocol with the provider, for what the terraform on PATH does not know yet.
type wire struct {
	t *testing.T
	tfprotov6.ProviderServer
}

// newWire is a configured provider; settings is the provider block.
func newWire(t *testing.T, settings map[string]any) *wire {
	t.Helper()
	p := New("test")
	t.Cleanup(func() { p.Close(context.WithoutCancel(t.Context())) })
	w := &wire{t, providerserver.NewProtocol6(p)()}
	schemas, err := w.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	w.fine(schemas.Diagnostics)
	configured, err := w.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: w.value(settings)})
	if err != nil {
		t.Fatal(err)
	}
	w.fine(configured.Diagnostics)
	return w
}

func (w *wire) value(v any) *tfprotov6.DynamicValue {
	w.t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	return &tfprotov6.DynamicValue{JSON: data}
}

func (w *wire) fine(diags []*tfprotov6.Diagnostic) {
	w.t.Helper()
	if text := told(diags); text != "" {
		w.t.Fatal(text)
	}
}

// told is what diagnostics say, with the attribute each is on.
func told(diags []*tfprotov6.Diagnostic) string {
	var text []string
	for _, d := range diags {
		text = append(text, d.Attribute.String()+": "+d.Summary+": "+d.Detail)
	}
	return strings.Join(text, "\n")
}
