package provider

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// words allows a few words, and says of others what is to come.
type words struct {
	allowed []string
	later   map[string]string // word -> why it is refused today
}

// Description says what is allowed.
func (w words) Description(context.Context) string {
	return "value must be one of: " + strings.Join(w.allowed, ", ")
}

// MarkdownDescription says what is allowed.
func (w words) MarkdownDescription(ctx context.Context) string { return w.Description(ctx) }

// ValidateString refuses other words.
func (w words) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() || slices.Contains(w.allowed, req.ConfigValue.ValueString()) {
		return
	}
	got := req.ConfigValue.ValueString()
	why, known := w.later[got]
	if !known {
		why = w.Description(ctx)
	}
	resp.Diagnostics.AddAttributeError(req.Path, fmt.Sprintf("%q cannot be used for %s", got, req.Path), sentence(why))
}

// duration allows what time.ParseDuration reads, above zero.
type duration struct{}

// Description says what is allowed.
func (duration) Description(context.Context) string {
	return "value must be a duration such as 90s or 10m"
}

// MarkdownDescription says what is allowed.
func (d duration) MarkdownDescription(ctx context.Context) string { return d.Description(ctx) }

// ValidateString refuses what is no duration.
func (d duration) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if v, err := time.ParseDuration(req.ConfigValue.ValueString()); err != nil || v <= 0 {
		resp.Diagnostics.AddAttributeError(req.Path, "Not a duration",
			fmt.Sprintf("%s; got %q.", sentence(d.Description(ctx)), req.ConfigValue.ValueString()))
	}
}

// regularExpression allows what regexp.Compile reads.
type regularExpression struct{}

// Description says what is allowed.
func (regularExpression) Description(context.Context) string {
	return "value must be a regular expression (RE2)"
}

// MarkdownDescription says what is allowed.
func (r regularExpression) MarkdownDescription(ctx context.Context) string { return r.Description(ctx) }

// ValidateString refuses what is no regular expression.
func (regularExpression) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := regexp.Compile(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Not a regular expression", sentence(err.Error()))
	}
}
