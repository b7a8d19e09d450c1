// Package manifest is the Artifact Manifest v1.0: the hand-over between an export and a conversion pipeline.
//
// Fields, rules and defaults are those of the public hyper2kvm consumer; the JSON Schema of the same is published as
// docs/schema/artifact-manifest-1.0.schema.json. The consumer's defaults differ from Go's zero values in places: there the
// field is a pointer, and nil leaves the default. Fields that this package does not know are ignored, never an
// error. It reads and checks; the caller writes what Encode returns. Start reading in manifest.go.
package manifest
