package provider

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var (
	_ provider.ProviderWithEphemeralResources  = (*Provider)(nil)
	_ ephemeral.EphemeralResourceWithConfigure = (*sessionEphemeral)(nil)
	_ ephemeral.EphemeralResourceWithRenew     = (*sessionEphemeral)(nil)
	_ ephemeral.EphemeralResourceWithClose     = (*sessionEphemeral)(nil)
	_ func() ephemeral.EphemeralResource       = newSessionEphemeral
)

// sessionRenewal is the pause between signs of life; vCenter ends an idle session after 30 minutes by default.
const sessionRenewal = 5 * time.Minute

// sessionKey is where the private data, which lives as long as the operation, keeps the session's id.
const sessionKey = "session"

// EphemeralResources lists the ephemeral resources.
func (p *Provider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{newSessionEphemeral}
}

type sessionEphemeral struct{ conns *connections }

func newSessionEphemeral() ephemeral.EphemeralResource { return &sessionEphemeral{} }

type sessionModel struct {
	SessionID  types.String `tfsdk:"session_id"`
	Cookie     types.String `tfsdk:"cookie"`
	URL        types.String `tfsdk:"url"`
	Username   types.String `tfsdk:"username"`
	Thumbprint types.String `tfsdk:"thumbprint"`
}

// Metadata names the ephemeral resource.
func (s *sessionEphemeral) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_session"
}

// Schema describes the ephemeral resource.
func (s *sessionEphemeral) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A vCenter session for another tool, for the time of one Terraform operation. The provider logs in once more, " +
			"keeps the session alive while Terraform runs, and logs out at the end; the user's password is handed to nobody, and nothing " +
			"of the session is written to state or plan. Whoever has the session can do what the provider's user can.\n\n" +
			"It is a session and not a ticket, because a vCenter ticket works once and within minutes, and each HTTP client takes a cookie: " +
			"`curl --cookie`, `govc session.login -cookie`, or a REST client of the SOAP and `/folder` interfaces.",
		Attributes: map[string]schema.Attribute{
			"session_id": schema.StringAttribute{Computed: true, Sensitive: true,
				MarkdownDescription: "Value of the `vmware_soap_session` cookie."},
			"cookie": schema.StringAttribute{Computed: true, Sensitive: true,
				MarkdownDescription: "The cookie as an HTTP client sends it: `vmware_soap_session=` and the session id."},
			"url": schema.StringAttribute{Computed: true,
				MarkdownDescription: "URL of the vCenter's SOAP interface, with `/sdk` at its end."},
			"username": schema.StringAttribute{Computed: true,
				MarkdownDescription: "User that the session is of."},
			"thumbprint": schema.StringAttribute{Computed: true,
				MarkdownDescription: "SHA-256 thumbprint of the certificate that the provider trusted, upper case with colons, so that the other tool can trust the same one."},
		},
	}
}

// Configure takes the process's connections over.
func (s *sessionEphemeral) Configure(_ context.Context, req ephemeral.ConfigureRequest, _ *ephemeral.ConfigureResponse) {
	if conns, ok := req.ProviderData.(*connections); ok {
		s.conns = conns
	}
}

// Open logs in.
func (s *sessionEphemeral) Open(ctx context.Context, _ ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	if s.conns.get().vsphereUnknown {
		resp.Diagnostics.AddError("vCenter is not known yet",
			"A value of the provider's vsphere block is known only after apply, and the session is needed before. "+
				"Make the values known, or apply in two steps with -target.")
		return
	}
	client, ok := s.conns.client(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	lent, err := client.OpenSession(ctx)
	if err != nil {
		resp.Diagnostics.AddError("Cannot open a session", detail(err))
		return
	}
	private, err := json.Marshal(string(lent.ID))
	if err == nil {
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, sessionKey, private)...)
	}
	resp.RenewAt = time.Now().Add(sessionRenewal)
	resp.Diagnostics.Append(resp.Result.Set(ctx, sessionModel{
		SessionID: types.StringValue(string(lent.ID)), Cookie: types.StringValue(string(lent.Cookie)), URL: types.StringValue(lent.URL),
		Username: types.StringValue(lent.Username), Thumbprint: types.StringValue(lent.Thumbprint),
	})...)
}

// Renew is a sign of life.
func (s *sessionEphemeral) Renew(ctx context.Context, req ephemeral.RenewRequest, resp *ephemeral.RenewResponse) {
	client, ok := s.conns.client(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	data, diags := req.Private.GetKey(ctx, sessionKey)
	resp.Diagnostics.Append(diags...)
	if err := client.RenewSession(ctx, sessionID(data)); err != nil {
		resp.Diagnostics.AddError("Cannot keep the session", detail(err))
		return
	}
	resp.RenewAt = time.Now().Add(sessionRenewal)
}

// Close logs out.
func (s *sessionEphemeral) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	client, ok := s.conns.client(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	data, diags := req.Private.GetKey(ctx, sessionKey)
	resp.Diagnostics.Append(diags...)
	if err := client.CloseSession(ctx, sessionID(data)); err != nil {
		resp.Diagnostics.AddWarning("The session may still be open", detail(err)+"\n\nvCenter ends it when it was idle for 30 minutes, unless it is set otherwise.")
	}
}

// sessionID is the id in private data; without one there is no session of that id, which vCenter says.
func sessionID(data []byte) vsphere.Secret {
	var id string
	_ = json.Unmarshal(data, &id) // Open wrote it
	return vsphere.Secret(id)
}
