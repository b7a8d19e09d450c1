import type { JobRequest } from "../api/types";

/** Form is what the wizard asks for. */
export interface Form {
  vm: string;
  name: string;
  output: string;
  format: string;
  pipeline: boolean;
  inspect: boolean;
  fix: boolean;
  convert: boolean;
  validate: boolean;
  compress: boolean;
  level: number;
  hyper2kvm: string;
  libvirt: boolean;
  uri: string;
  bridge: string;
  pool: string;
  autostart: boolean;
}

/** initial is the form of somebody who wants the usual. */
export function initial(vm: string): Form {
  const leaf = vm.split("/").at(-1) ?? "";
  return {
    vm,
    name: "",
    output: `/var/lib/libvirt/images/${leaf}`,
    format: "qcow2",
    pipeline: true,
    inspect: true,
    fix: true,
    convert: true,
    validate: true,
    compress: false,
    level: 6,
    hyper2kvm: "",
    libvirt: true,
    uri: "qemu:///system",
    bridge: "virbr0",
    pool: "default",
    autostart: false,
  };
}

/** refusals are why the form cannot be sent, as sentences. */
export function refusals(f: Form): string[] {
  const wrong: string[] = [];
  if (f.vm.trim() === "") wrong.push("Choose a VM.");
  if (!f.output.startsWith("/")) wrong.push("The output directory is an absolute path.");
  if (f.compress && !(Number.isInteger(f.level) && f.level >= 1 && f.level <= 9)) wrong.push("The compression level is 1 to 9.");
  if (f.libvirt && f.uri.trim() === "") wrong.push("Name the libvirt to define the VM in.");
  return wrong;
}

/** body is the request as the API takes it. */
export function body(f: Form): JobRequest {
  return {
    name: f.name.trim() || f.vm.split("/").at(-1) || f.vm,
    vm_path: f.vm.trim(),
    output_dir: f.output.trim(),
    format: f.format,
    options: {
      enable_pipeline: f.pipeline,
      ...(f.pipeline && {
        ...(f.hyper2kvm.trim() && { hyper2kvm_path: f.hyper2kvm.trim() }),
        pipeline_inspect: f.inspect,
        pipeline_fix: f.fix,
        pipeline_convert: f.convert,
        pipeline_validate: f.validate,
        ...(f.compress && { pipeline_compress: true, compress_level: f.level }),
      }),
      libvirt_integration: f.libvirt,
      ...(f.libvirt && { libvirt_uri: f.uri.trim(), libvirt_autostart: f.autostart, libvirt_bridge: f.bridge.trim(), libvirt_pool: f.pool.trim() }),
    },
  };
}
