package job

// Request is the body of POST /jobs as the feature document writes it: one export, with the pipeline and libvirt as options.
// The door turns it into a Spec.
type Request struct {
	Name      string  `json:"name,omitempty" yaml:"name"`
	VMPath    string  `json:"vm_path" yaml:"vm_path"`                 // inventory path, moref, instance UUID or unique name
	OutputDir string  `json:"output_dir,omitempty" yaml:"output_dir"` // on the worker
	Format    string  `json:"format,omitempty" yaml:"format"`         // ova, ovf, vmdk, qcow2 or raw
	Options   Options `json:"options,omitzero" yaml:"options"`
}

// Options are the options of a Request. A stage that is not mentioned is on when the pipeline is: nil is true.
type Options struct {
	EnablePipeline     bool   `json:"enable_pipeline,omitempty" yaml:"enable_pipeline"`
	Hyper2KVMPath      string `json:"hyper2kvm_path,omitempty" yaml:"hyper2kvm_path"` // empty: the built-in engine
	PipelineInspect    *bool  `json:"pipeline_inspect,omitempty" yaml:"pipeline_inspect"`
	PipelineFix        *bool  `json:"pipeline_fix,omitempty" yaml:"pipeline_fix"`
	PipelineConvert    *bool  `json:"pipeline_convert,omitempty" yaml:"pipeline_convert"`
	PipelineValidate   *bool  `json:"pipeline_validate,omitempty" yaml:"pipeline_validate"`
	PipelineCompress   *bool  `json:"pipeline_compress,omitempty" yaml:"pipeline_compress"` // nil: pass-through
	CompressLevel      int    `json:"compress_level,omitempty" yaml:"compress_level"`       // 1 to 9; 0: 6 when compressing
	LibvirtIntegration bool   `json:"libvirt_integration,omitempty" yaml:"libvirt_integration"`
	LibvirtURI         string `json:"libvirt_uri,omitempty" yaml:"libvirt_uri"` // empty: qemu:///system
	LibvirtAutostart   bool   `json:"libvirt_autostart,omitempty" yaml:"libvirt_autostart"`
	LibvirtBridge      string `json:"libvirt_bridge,omitempty" yaml:"libvirt_bridge"` // empty: virbr0
	LibvirtPool        string `json:"libvirt_pool,omitempty" yaml:"libvirt_pool"`     // empty: default
}
