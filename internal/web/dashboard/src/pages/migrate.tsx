import { Accordion, Alert, Autocomplete, Button, Card, Checkbox, Group, NumberInput, Select, SimpleGrid, Stack, Switch, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, useMemo, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { Problem, request } from "../api/http";
import { useList } from "../api/lists";
import type { Job, VM } from "../api/types";
import { bytes } from "../format";
import { Page } from "../parts/page";
import { Shown } from "../parts/state";
import { body, type Form, initial, refusals } from "./migrate_form";
import { usePreflight } from "./preflight";
import { FindingList } from "./vm";

const formats = [
  { value: "qcow2", label: "qcow2" },
  { value: "ova", label: "OVA, and qcow2 by the pipeline" },
  { value: "ovf", label: "OVF and VMDK" },
  { value: "vmdk", label: "VMDK" },
  { value: "raw", label: "raw" },
];

const stages = [
  ["inspect", "INSPECT", "detect the guest's system"],
  ["fix", "FIX", "fstab, boot loader, drivers, network names"],
  ["convert", "CONVERT", "to qcow2"],
  ["validate", "VALIDATE", "check the result"],
] as const;

/** MigratePage submits a migration: what, where to, which stages, and what pre-flight says of it. */
export function MigratePage() {
  const vm = new URLSearchParams(useSearch()).get("vm") ?? "";
  const [form, setForm] = useState<Form>(() => initial(vm));
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const [, go] = useLocation();
  const set = (change: Partial<Form>) => setForm((old) => ({ ...old, ...change }));
  const wrong = refusals(form);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      const { body: job } = await request<Job>("POST", "/jobs", body(form));
      go(`/jobs/${encodeURIComponent(job.id)}`);
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, String(error)));
      setBusy(false);
    }
  };
  return (
    <Page title="New migration" about="A copy of the VM becomes a libvirt domain. The source is only read.">
      <form onSubmit={submit}>
        <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="xl">
          <Stack>
            <Source form={form} set={set} />
            <Accordion multiple variant="separated" defaultValue={["pipeline", "libvirt"]}>
              <Pipeline form={form} set={set} />
              <Libvirt form={form} set={set} />
            </Accordion>
          </Stack>
          <Stack>
            <Preflight form={form} />
            {problem && (
              <Alert color="red" role="alert" title={problem.message}>
                {problem.hint}
              </Alert>
            )}
            {wrong.length > 0 && form.vm !== "" && (
              <Text size="sm" className="warn">
                {wrong.join(" ")}
              </Text>
            )}
            <Group>
              <Button type="submit" loading={busy} disabled={wrong.length > 0}>
                Start the migration
              </Button>
            </Group>
          </Stack>
        </SimpleGrid>
      </form>
    </Page>
  );
}

interface Part {
  form: Form;
  set(change: Partial<Form>): void;
}

function Source({ form, set }: Part) {
  const vms = useList<VM>("/vsphere/vms", "fields=ref,path,template");
  const paths = useMemo(() => (vms.data ?? []).filter((v) => !v.template).map((v) => v.path), [vms.data]);
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Autocomplete label="VM" description="Inventory path or unique name" data={paths} limit={50} value={form.vm} onChange={(value) => set({ vm: value })} required />
        <TextInput label="Name of the job" placeholder={form.vm.split("/").at(-1)} value={form.name} onChange={(e) => set({ name: e.currentTarget.value })} />
        <TextInput label="Output directory" description="On the machine where the job runs" value={form.output} onChange={(e) => set({ output: e.currentTarget.value })} required />
        <Select label="Format" data={formats} value={form.format} onChange={(value) => set({ format: value ?? form.format })} allowDeselect={false} />
      </Stack>
    </Card>
  );
}

function Pipeline({ form, set }: Part) {
  return (
    <Accordion.Item value="pipeline">
      <Accordion.Control>Pipeline {form.pipeline ? "" : "(off)"}</Accordion.Control>
      <Accordion.Panel>
        <Stack gap="sm">
          <Switch label="Run the pipeline after the export" checked={form.pipeline} onChange={(e) => set({ pipeline: e.currentTarget.checked })} />
          <fieldset disabled={!form.pipeline} style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }}>
            <Stack gap="sm">
              {stages.map(([key, name, what]) => (
                <Checkbox key={key} label={`${name}: ${what}`} checked={form[key]} onChange={(e) => set({ [key]: e.currentTarget.checked })} />
              ))}
              <Checkbox label="Compress again (otherwise disks stay as vSphere compressed them, which is faster)" checked={form.compress} onChange={(e) => set({ compress: e.currentTarget.checked })} />
              <NumberInput label="Compression level" min={1} max={9} value={form.level} disabled={!form.compress} onChange={(value) => set({ level: Number(value) })} />
              <TextInput
                label="hyper2kvm path"
                description="Left empty: the built-in engine"
                placeholder="/home/tt/hyper2kvm/hyper2kvm"
                value={form.hyper2kvm}
                onChange={(e) => set({ hyper2kvm: e.currentTarget.value })}
              />
            </Stack>
          </fieldset>
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}

function Libvirt({ form, set }: Part) {
  return (
    <Accordion.Item value="libvirt">
      <Accordion.Control>Libvirt {form.libvirt ? "" : "(off)"}</Accordion.Control>
      <Accordion.Panel>
        <Stack gap="sm">
          <Switch label="Define the VM in libvirt after the conversion" checked={form.libvirt} onChange={(e) => set({ libvirt: e.currentTarget.checked })} />
          <fieldset disabled={!form.libvirt} style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }}>
            <Stack gap="sm">
              <TextInput label="Libvirt URI" value={form.uri} onChange={(e) => set({ uri: e.currentTarget.value })} />
              <TextInput label="Network bridge" value={form.bridge} onChange={(e) => set({ bridge: e.currentTarget.value })} />
              <TextInput label="Storage pool" value={form.pool} onChange={(e) => set({ pool: e.currentTarget.value })} />
              <Checkbox label="Start with the host (autostart)" checked={form.autostart} onChange={(e) => set({ autostart: e.currentTarget.checked })} />
            </Stack>
          </fieldset>
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}

/** Preflight is the dry run: what would be done, what it needs, and what stands in the way. It follows the form. */
function Preflight({ form }: { form: Form }) {
  const request = useMemo(() => (form.vm.startsWith("/") && refusals(form).length === 0 ? body(form) : null), [form]);
  const plan = usePreflight(request);
  return (
    <Card withBorder aria-live="polite">
      <Title order={3} size="h4" mb="xs">
        Pre-flight
      </Title>
      {request === null ? (
        <Text size="sm" c="dimmed">
          Choose a VM to see what would be done and what would stand in the way.
        </Text>
      ) : (
        <Shown of={plan}>
          {(p) => (
            <Stack gap="sm">
              <FindingList of={p.findings ?? []} />
              <ol style={{ margin: 0, paddingInlineStart: 20 }}>
                {(p.stages ?? []).map((s) => (
                  <li key={s.name} style={{ fontSize: 14, marginBottom: 2 }}>
                    <strong>{s.name}</strong> <span className="quiet">{s.does}</span>
                  </li>
                ))}
              </ol>
              <Text size="sm" className={p.free_bytes >= 0 && p.need_bytes > p.free_bytes ? "bad" : "quiet"}>
                Needs {bytes(p.need_bytes)} in {p.dir}
                {p.free_bytes >= 0 && `, where ${bytes(p.free_bytes)} are free`}.
              </Text>
              {p.resume && <Text size="sm">An earlier run stopped at {p.resume}; this one goes on there.</Text>}
            </Stack>
          )}
        </Shown>
      )}
    </Card>
  );
}
