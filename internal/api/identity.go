package api

import (
	"context"
	"fmt"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Role is what somebody may do. Each one may do what the one before it may.
type Role int

// The roles.
const (
	Viewer   Role = iota + 1 // reads and watches
	Operator                 // makes and changes things, submits jobs
	Admin                    // deletes and reverts, and reads the audit log
)

var roleNames = map[Role]string{Viewer: "viewer", Operator: "operator", Admin: "admin"}

func (r Role) String() string { return roleNames[r] }

// ParseRole reads viewer, operator or admin.
func ParseRole(text string) (Role, error) {
	for role, name := range roleNames {
		if name == text {
			return role, nil
		}
	}
	return 0, sdk.WithHint(sdk.Invalidf("%q is no role", text), "there is viewer, operator and admin")
}

// MarshalText writes the role's name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the role's name.
func (r *Role) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRole(string(text))
	return err
}

// Identity is who a request comes from.
type Identity struct {
	Name string `json:"name"`
	Role Role   `json:"role"`
	Via  string `json:"via" enum:"token,cookie,ticket,certificate,none" doc:"How they showed who they are"`
}

// request is what is known of a request beside its own words.
type request struct {
	id    string
	from  string // address of the client, without the port
	who   *Identity
	job   string // id of the job that it made or changed, for the audit log
	tls   bool
	clear func() // lifts the deadline for reading its body
}

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{clear: func() {}}
}

// may says whether the request may do what needs the role: nil, or the refusal.
func (r *request) may(need Role) *Problem {
	switch {
	case r.who == nil:
		return problem(401, "unauthorized", "this needs a token").
			hinted("send the header \"Authorization: Bearer TOKEN\"; the daemon's log says at its start which file has the token")
	case r.who.Role < need:
		return problem(403, "forbidden", fmt.Sprintf("%s is a %s, and this needs the role %s", r.who.Name, r.who.Role, need)).
			hinted("ask the daemon's administrator for a token with that role")
	}
	return nil
}
