package api

import (
	"context"
	"encoding/json"
	"net/http"
	"path"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

type cloneInput struct {
	WaitParam
	Body vsphere.CloneItem
}

func (s *Server) cloneVM(ctx context.Context, in *cloneInput) (*submitted, error) {
	return s.clone(ctx, KindClone, in.Body, in.Wait)
}

// clone looks first: what cannot be right is told at once, and becomes no job.
func (s *Server) clone(ctx context.Context, kind string, item vsphere.CloneItem, wait bool) (*submitted, error) {
	plans, err := s.vc.PlanClones(ctx, []vsphere.CloneItem{item})
	if err != nil {
		return nil, err
	}
	if err := plans[0].Conflict(); err != nil {
		return nil, err
	}
	if hasSecret(item) {
		return direct(wait, func() (*CloneAnswer, error) {
			result, err := s.vc.CloneOne(ctx, item, nil)
			return CloneAnswerOf(result), err
		})
	}
	spec, err := work(kind, kind+" "+path.Base(plans[0].SourcePath)+" to "+item.TargetName, item)
	if err != nil {
		return nil, err
	}
	return s.submit(ctx, spec, wait)
}

type cloneBulkInput struct {
	WaitParam
	Body vsphere.CloneBulkSpec
}

func (s *Server) cloneBulk(ctx context.Context, in *cloneBulkInput) (*submitted, error) {
	if _, err := s.vc.PlanClones(ctx, in.Body.Clones); err != nil {
		return nil, err
	}
	for _, item := range in.Body.Clones {
		if hasSecret(item) {
			return direct(in.Wait, func() (*vsphere.CloneBulkResult, error) { return s.vc.CloneBulk(ctx, in.Body, nil) })
		}
	}
	spec, err := work(KindCloneBulk, "bulk clone", in.Body)
	if err != nil {
		return nil, err
	}
	return s.submit(ctx, spec, in.Wait)
}

// hasSecret says whether a clone's words hold what may not be in a job's record.
func hasSecret(item vsphere.CloneItem) bool {
	if item.CloudInit != nil && item.CloudInit.UserData != "" {
		return true
	}
	text, err := json.Marshal(item)
	return err != nil || job.CheckSecrets(text) != nil
}

// direct does work with a secret in it while the caller waits: a job's record is kept on disk and shown to others.
func direct[T any](wait bool, do func() (*T, error)) (*submitted, error) {
	if !wait {
		return nil, sdk.WithHint(sdk.Invalidf("the request holds a secret (cloud-init user data or the like), and a job's record may not"),
			"add ?wait=true: then it is done without a job, while you wait; or name a saved customization specification of vCenter's")
	}
	result, err := do()
	if err == nil {
		return &submitted{Status: http.StatusOK, Body: result}, nil
	}
	if result != nil && problemOf(err).Status == http.StatusMultiStatus {
		return &submitted{Status: http.StatusMultiStatus, Body: result}, nil
	}
	return nil, err
}
