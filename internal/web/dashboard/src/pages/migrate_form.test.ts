import { expect, test } from "vitest";
import { body, initial, refusals } from "./migrate_form";

test("the usual migration is asked for with the documented keys", () => {
  expect(body(initial("/DC1/vm/ubuntu-server"))).toEqual({
    name: "ubuntu-server",
    vm_path: "/DC1/vm/ubuntu-server",
    output_dir: "/var/lib/libvirt/images/ubuntu-server",
    format: "qcow2",
    options: {
      enable_pipeline: true,
      pipeline_inspect: true,
      pipeline_fix: true,
      pipeline_convert: true,
      pipeline_validate: true,
      libvirt_integration: true,
      libvirt_uri: "qemu:///system",
      libvirt_autostart: false,
      libvirt_bridge: "virbr0",
      libvirt_pool: "default",
    },
  });
});
test("what is off sends none of its options", () => {
  expect(body({ ...initial("/DC1/vm/x"), pipeline: false, libvirt: false, compress: true }).options).toEqual({ enable_pipeline: false, libvirt_integration: false });
});
test("compressing again sends its level", () => {
  expect(body({ ...initial("/DC1/vm/x"), compress: true, level: 9 }).options).toMatchObject({ pipeline_compress: true, compress_level: 9 });
});
test("what cannot be right is refused in words", () => {
  expect(refusals(initial("/DC1/vm/x"))).toEqual([]);
  expect(refusals({ ...initial(""), output: "here", compress: true, level: 10, uri: " " })).toHaveLength(4);
});
