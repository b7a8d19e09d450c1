// Package provider is the Terraform door: it turns configuration into SDK specs, calls one SDK function a verb, and writes
// what came back into state and diagnostics. It keeps no knowledge of vCenter, disks or libvirt and loops over none of
// their objects.
//
// Start reading in provider.go, which registers everything; connections.go holds what the resources share;
// migration_resource.go is the resource, with its schema, model, planning and reading in files of their own beside it.
package provider
