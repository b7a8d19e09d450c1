package manifest

// Manifest is the Artifact Manifest v1.0: the hand-over between an export and a conversion pipeline. Fields and defaults
// are those of the public hyper2kvm consumer; see docs/features for the JSON Schema.
//
// Owner of this package: fill in the types exactly as HYPER2KVM.md 3.2 and the spec's example, with Build/Read/Write/Validate.
type Manifest struct{}
