package api

import (
	"context"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// EventFilter is which events are wanted.
type EventFilter struct {
	Types     []string `query:"types" doc:"Only these types, with commas: VmPoweredOnEvent; VmEvent for all of VMs"`
	Entity    string   `query:"entity" doc:"Only of this object and what is in it: path, managed object id or unique name"`
	Recursion string   `query:"recursion" enum:"all,self,children" doc:"With entity; default all"`
	Severity  []string `query:"severity" doc:"Only these, with commas: info, user, warning, error"`
	User      string   `query:"user" doc:"Only what this user caused, as vCenter writes it"`
}

func (f EventFilter) spec() vsphere.EventsSpec {
	return vsphere.EventsSpec{Types: f.Types, Entity: f.Entity, Recursion: f.Recursion, Severity: f.Severity, User: f.User}
}

type eventsInput struct {
	EventFilter
	Since  string `query:"since" doc:"From when on: RFC 3339, or a span before now: 1h, 24h ago; default all that vCenter keeps"`
	Until  string `query:"until" doc:"Until when, in the same forms; default now"`
	Limit  int    `query:"limit" minimum:"1" maximum:"10000" doc:"The newest so many; default 1000"`
	Fields string `query:"fields" doc:"Only these keys of each event, with commas: created_at,message"`
	Sort   string `query:"sort" doc:"Keys to sort by, with commas; a dash before a key turns it around. Default the newest first"`
}

func (in *eventsInput) wanted() Page { return Page{Fields: in.Fields, Sort: in.Sort} }

// listEvents answers with the newest first. That there are older ones than the limit lets through is told in a header.
func (s *Server) listEvents(ctx context.Context, in *eventsInput) (rows[vsphere.Event], error) {
	spec := in.spec()
	spec.Since, spec.Until, spec.Limit = in.Since, in.Until, in.Limit
	result, err := s.vc.ListEvents(ctx, spec)
	if err != nil {
		return rows[vsphere.Event]{}, err
	}
	r := rows[vsphere.Event]{asOf: time.Now(), truncated: result.Truncated}
	for i := range result.Events {
		r.all = append(r.all, &result.Events[i])
	}
	return r, nil
}
