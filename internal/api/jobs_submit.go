package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

type submitInput struct {
	WaitParam
	RawBody []byte `contentType:"application/json"`
}

// submitBody says in the document that a body is one of two: the request of an export or migration, or any job.
func submitBody(s *Server) describe {
	return func(op *huma.Operation) {
		op.SkipValidateBody = true // submitJob does
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{
			OneOf: []*huma.Schema{s.schema(reflect.TypeFor[job.Request]()), s.schema(reflect.TypeFor[job.Spec]())},
		}}}}
	}
}

// submitJob takes the request of an export or migration as the feature document writes it, or a job of any kind.
func (s *Server) submitJob(ctx context.Context, in *submitInput) (*submitted, error) {
	var which struct {
		Kind *string `json:"kind"`
	}
	if err := json.Unmarshal(in.RawBody, &which); err != nil {
		return nil, sdk.WithHint(sdk.Invalidf("body: it is no JSON object: %v", err), "GET /docs shows what it may be")
	}
	if which.Kind != nil {
		spec, err := s.anyJob(in.RawBody)
		if err != nil {
			return nil, err
		}
		return s.submit(ctx, spec, in.Wait)
	}
	var request job.Request
	if err := strict(in.RawBody, &request); err != nil {
		return nil, err
	}
	spec, warnings, err := migrationOf(request, s.libvirtURI)
	if err != nil {
		return nil, err
	}
	return s.submitMigration(ctx, request.Name, spec, in.Wait, warnings)
}

// submitMigration finds the VM first, so that a wrong name is told at once and the same work has the same key.
func (s *Server) submitMigration(ctx context.Context, name string, spec migrate.Spec, wait bool, warnings []string) (*submitted, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	vm, err := s.vc.GetVM(ctx, spec.VM)
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = "migration of " + vm.Name
	}
	j, err := work(KindMigration, name, spec)
	if err != nil {
		return nil, err
	}
	j.Limits.Source = vm.Host
	if spec.Target != nil {
		vc, err := s.vc.GetVCenter(ctx)
		if err != nil {
			return nil, err
		}
		target := spec.Name
		if target == "" {
			target = vm.Name
		}
		j.Key = migrate.JobKey(vc.InstanceUUID, vm.InstanceUUID, spec.Target.URI, target)
		j.Limits.Target = spec.Target.URI
	}
	return s.submit(ctx, j, wait, warnings...)
}

// anyJob reads a job of any kind, whose spec is held to what its kind knows.
func (s *Server) anyJob(text []byte) (job.Spec, error) {
	var spec job.Spec
	if err := strict(text, &spec); err != nil {
		return spec, err
	}
	if err := spec.Validate(); err != nil {
		return spec, err
	}
	check, known := bodies[spec.Kind]
	if !known {
		return spec, sdk.WithHint(sdk.Invalidf("kind: there is no %q", spec.Kind), "there is %s", strings.Join(kindNames, ", "))
	}
	if err := check(spec.Body); err != nil {
		return spec, fmt.Errorf("spec: %w", err)
	}
	if spec.Key == "" {
		spec.Key = digestOf(spec.Body)
	}
	return spec, nil
}

var kindNames = []string{KindClone, KindCloneBulk, KindTemplateCreate, KindTemplateDeploy, KindMigration}

// bodies check the spec of each kind, without a call.
var bodies = map[string]func(json.RawMessage) error{
	KindClone:          checked[vsphere.CloneItem],
	KindTemplateDeploy: checked[vsphere.CloneItem],
	KindTemplateCreate: checked[vsphere.TemplateSpec],
	KindMigration:      checked[migrate.Spec],
	KindCloneBulk: func(text json.RawMessage) error {
		var spec vsphere.CloneBulkSpec
		if err := strict(text, &spec); err != nil {
			return err
		}
		for i := range spec.Clones {
			if err := spec.Clones[i].Validate(); err != nil {
				return fmt.Errorf("clones[%d]: %w", i, err)
			}
		}
		return nil
	},
}

func checked[T any](text json.RawMessage) error {
	spec := new(T)
	if err := strict(text, spec); err != nil {
		return err
	}
	if v, ok := any(spec).(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}

// strict decodes one JSON value and refuses keys that there are not.
func strict(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err == nil && dec.More() {
		err = errors.New("something follows it")
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("it is empty")
	}
	if err != nil {
		// The decoder names keys and types, and no values.
		return sdk.Invalidf("body: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
