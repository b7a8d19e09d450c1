import { Button, Chip, Group, Text, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { useList } from "../api/lists";
import type { VM } from "../api/types";
import { memory } from "../format";
import { type Column, Grid } from "../parts/grid";
import { matcher } from "../parts/order";
import { Page } from "../parts/page";
import { Nothing, PowerSign, Shown } from "../parts/state";
import { BulkBar } from "./bulk";

export const fields = "ref,name,path,cluster,host,resource_pool,template,power_state,connection_state,guest_full_name,ip_addresses,cpus,memory_mb,disks,snapshot_count";

const columns: Column<VM>[] = [
  { key: "name", title: "Name", width: "minmax(140px, 2fr)", value: (v) => v.name, cell: (v) => <span title={v.path}>{v.name}</span> },
  { key: "power", title: "Power", width: "84px", value: (v) => (v.template ? "template" : v.power_state), cell: (v) => (v.template ? <span className="quiet">Template</span> : <PowerSign of={v.power_state} />) },
  { key: "cpus", title: "CPUs", width: "46px", right: true, value: (v) => v.cpus },
  { key: "memory", title: "Memory", width: "66px", right: true, value: (v) => v.memory_mb, cell: (v) => memory(v.memory_mb) },
  { key: "disk", title: "Disks", width: "66px", right: true, value: disk, cell: (v) => memory(disk(v) * 1024) },
  { key: "ip", title: "Address", width: "minmax(96px, 1fr)", value: (v) => v.ip_addresses?.[0] ?? "–" },
  { key: "guest", title: "Guest", width: "minmax(110px, 1.4fr)", value: (v) => v.guest_full_name || "–" },
  { key: "host", title: "Host", width: "minmax(90px, 1fr)", value: (v) => v.host || "–" },
  { key: "cluster", title: "Cluster", width: "minmax(72px, 0.8fr)", value: (v) => v.cluster || "–" },
  { key: "snapshots", title: "Snapshots", width: "72px", right: true, value: (v) => v.snapshot_count },
];

const states = [
  { value: "poweredOn", text: "On" },
  { value: "poweredOff", text: "Off" },
  { value: "template", text: "Templates" },
];

function disk(v: VM): number {
  return (v.disks ?? []).reduce((sum, d) => sum + d.capacity_gb, 0);
}

/** VMsPage lists every VM; what is selected stays selected while the list is filtered and changes. */
export function VMsPage() {
  const vms = useList<VM>("/vsphere/vms", `fields=${fields}`);
  const [, go] = useLocation();
  const [pattern, setPattern] = useState("");
  const [wanted, setWanted] = useState<string[]>([]);
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const rows = useMemo(() => {
    const named = matcher(pattern);
    return (vms.data ?? []).filter(
      (v) =>
        (wanted.length === 0 || wanted.includes(v.template ? "template" : v.power_state)) &&
        (named(v.name) || named(v.guest_full_name) || named(v.host) || (v.ip_addresses ?? []).some(named)),
    );
  }, [vms.data, pattern, wanted]);
  const chosen = useMemo(() => (vms.data ?? []).filter((v) => selected.has(v.ref)), [vms.data, selected]);
  return (
    <Page
      title="Virtual machines"
      about={
        <>
          {rows.length} of {vms.data?.length ?? 0}
          {chosen.length > 0 && (
            <>
              {" "}
              · {chosen.length} selected{" "}
              <Button variant="subtle" size="compact-xs" onClick={() => setSelected(new Set())}>
                none
              </Button>
            </>
          )}
        </>
      }
      actions={
        <>
          <Chip.Group multiple value={wanted} onChange={setWanted}>
            <Group gap={4}>
              {states.map((s) => (
                <Chip key={s.value} value={s.value} size="xs">
                  {s.text}
                </Chip>
              ))}
            </Group>
          </Chip.Group>
          <TextInput aria-label="filter" placeholder="Name, glob, address, host" leftSection={<IconSearch size={16} />} value={pattern} onChange={(e) => setPattern(e.currentTarget.value)} />
        </>
      }
    >
      {chosen.length > 0 && <BulkBar of={chosen} onDone={() => setSelected(new Set())} />}
      <Shown of={vms}>
        {(all) =>
          rows.length === 0 ? (
            <Nothing what={all.length === 0 ? "No virtual machines" : "Nothing fits the filter"}>{all.length > 0 && <Text size="sm">Clear it to see all {all.length}.</Text>}</Nothing>
          ) : (
            <Grid rows={rows} columns={columns} id={(v) => v.ref} label="virtual machines" selected={selected} onSelect={setSelected} onOpen={(v) => go(`/vms/${encodeURIComponent(v.ref)}`)} />
          )
        }
      </Shown>
    </Page>
  );
}
