package main

import (
	"context"
	"errors"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/api"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// vcenterJobs run the verbs that vCenter does the work of.
func vcenterJobs(client *vsphere.Client) map[string]queue.Handler {
	clone := func(ctx context.Context, t *queue.Task) (any, error) { return cloneJob(ctx, client, t) }
	return map[string]queue.Handler{
		api.KindClone:          clone,
		api.KindTemplateDeploy: clone,
		api.KindCloneBulk: func(ctx context.Context, t *queue.Task) (any, error) {
			var spec vsphere.CloneBulkSpec
			if err := t.Decode(&spec); err != nil {
				return nil, err
			}
			t.Plan("clone")
			result, err := client.CloneBulk(ctx, spec, t.Report)
			return orNothing(result), err
		},
		api.KindTemplateCreate: func(ctx context.Context, t *queue.Task) (any, error) {
			var spec vsphere.TemplateSpec
			if err := t.Decode(&spec); err != nil {
				return nil, err
			}
			result, err := client.CreateTemplate(ctx, spec, t.Report)
			return orNothing(api.TemplateAnswerOf(result)), err
		},
	}
}

// cloneJob makes one clone. A run before this one may have made it already: then it is adopted.
func cloneJob(ctx context.Context, client *vsphere.Client, t *queue.Task) (any, error) {
	var item vsphere.CloneItem
	if err := t.Decode(&item); err != nil {
		return nil, err
	}
	t.Plan("clone")
	result, err := client.CloneOne(ctx, item, t.Report)
	if t.Job().Attempts > 1 && errors.Is(err, sdk.ErrConflict) {
		if made := adopt(ctx, client, item); made != nil {
			return made, nil
		}
	}
	return orNothing(api.CloneAnswerOf(result)), err
}

// adopt is the VM that an interrupted run of the very same clone made; nil: there is none.
func adopt(ctx context.Context, client *vsphere.Client, item vsphere.CloneItem) *api.CloneAnswer {
	plans, err := client.PlanClones(ctx, []vsphere.CloneItem{item})
	if err != nil || !plans[0].Exists || !plans[0].Ours {
		return nil
	}
	vm, err := client.GetVM(ctx, plans[0].Path)
	if err != nil {
		return nil
	}
	return api.CloneAnswerOf(&vsphere.CloneResult{VM: vm, Adopted: true})
}

// orNothing keeps a nil pointer from becoming a result.
func orNothing[T any](result *T) any {
	if result == nil {
		return nil
	}
	return result
}
