import { Tabs, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useList } from "../api/lists";
import type { Cluster, Host } from "../api/types";
import { duration, frequency, memory, share } from "../format";
import { type Column, Grid } from "../parts/grid";
import { Meter } from "../parts/meter";
import { matcher } from "../parts/order";
import { Page } from "../parts/page";
import { HealthSign, Nothing, Shown } from "../parts/state";

const hostColumns: Column<Host>[] = [
  { key: "name", title: "Host", width: "minmax(150px, 2fr)", value: (h) => h.name, cell: (h) => <Named of={h} /> },
  { key: "state", title: "State", width: "92px", value: stateOf, cell: (h) => <span className={stateOf(h) === "connected" ? "good" : "warn"}>{stateOf(h)}</span> },
  { key: "cluster", title: "Cluster", width: "minmax(84px, 1fr)", value: (h) => h.cluster || "–" },
  { key: "cpu", title: "CPU", width: "124px", value: (h) => share(h.cpu_usage_mhz, h.cpu_total_mhz), cell: (h) => <Meter used={h.cpu_usage_mhz} total={h.cpu_total_mhz} label={`CPU of ${h.name}`} /> },
  { key: "mem", title: "Memory", width: "124px", value: (h) => share(h.memory_usage_mb, h.memory_mb), cell: (h) => <Meter used={h.memory_usage_mb} total={h.memory_mb} label={`memory of ${h.name}`} /> },
  { key: "cores", title: "Cores", width: "50px", right: true, value: (h) => h.cpu_cores },
  { key: "memory", title: "Size", width: "64px", right: true, value: (h) => h.memory_mb, cell: (h) => memory(h.memory_mb) },
  { key: "vms", title: "VMs", width: "44px", right: true, value: (h) => h.vms },
  { key: "version", title: "Version", width: "62px", value: (h) => h.version },
  { key: "uptime", title: "Up", width: "84px", right: true, value: (h) => h.uptime_seconds, cell: (h) => duration(h.uptime_seconds) },
];

const clusterColumns: Column<Cluster>[] = [
  { key: "name", title: "Cluster", width: "minmax(160px, 2fr)", value: (c) => c.name, cell: (c) => <Named of={c} /> },
  { key: "datacenter", title: "Datacenter", width: "minmax(100px, 1fr)", value: (c) => c.datacenter },
  { key: "hosts", title: "Hosts", width: "70px", right: true, value: (c) => c.hosts },
  { key: "vms", title: "VMs", width: "60px", right: true, value: (c) => c.vms },
  { key: "cpu", title: "CPU", width: "150px", value: (c) => share(c.cpu_usage_mhz, c.cpu_total_mhz), cell: (c) => <Meter used={c.cpu_usage_mhz} total={c.cpu_total_mhz} label={`CPU of ${c.name}`} /> },
  { key: "mem", title: "Memory", width: "150px", value: (c) => share(c.memory_usage_mb, c.memory_mb), cell: (c) => <Meter used={c.memory_usage_mb} total={c.memory_mb} label={`memory of ${c.name}`} /> },
  { key: "size", title: "Size", width: "150px", right: true, value: (c) => c.cpu_total_mhz, cell: (c) => `${frequency(c.cpu_total_mhz)} · ${memory(c.memory_mb)}` },
  { key: "drs", title: "DRS", width: "60px", value: (c) => (c.drs ? "on" : "off") },
  { key: "ha", title: "HA", width: "60px", value: (c) => (c.ha ? "on" : "off") },
];

export function HostsPage() {
  const [pattern, setPattern] = useState("");
  const hosts = useList<Host>("/vsphere/hosts");
  const clusters = useList<Cluster>("/vsphere/clusters");
  const wanted = useMemo(() => matcher(pattern), [pattern]);
  return (
    <Page
      title="Hosts and clusters"
      actions={<TextInput aria-label="filter by name" placeholder="Name or glob" leftSection={<IconSearch size={16} />} value={pattern} onChange={(e) => setPattern(e.currentTarget.value)} />}
    >
      <Tabs defaultValue="hosts" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="hosts">Hosts{hosts.data && ` (${hosts.data.length})`}</Tabs.Tab>
          <Tabs.Tab value="clusters">Clusters{clusters.data && ` (${clusters.data.length})`}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="hosts">
          <Shown of={hosts}>{(list) => <Filtered rows={list.filter((h) => wanted(h.name))} columns={hostColumns} label="hosts" />}</Shown>
        </Tabs.Panel>
        <Tabs.Panel value="clusters">
          <Shown of={clusters}>{(list) => <Filtered rows={list.filter((c) => wanted(c.name))} columns={clusterColumns} label="clusters" />}</Shown>
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Filtered<T extends { ref: string }>({ rows, columns, label }: { rows: T[]; columns: Column<T>[]; label: string }) {
  if (rows.length === 0) return <Nothing what={`No ${label}`}>Nothing has this name.</Nothing>;
  return <Grid rows={rows} columns={columns} id={(r) => r.ref} label={label} />;
}

function Named({ of }: { of: Host | Cluster }) {
  return (
    <span title={of.path}>
      <HealthSign of={of.overall_status} /> {of.name}
    </span>
  );
}

function stateOf(h: Host): string {
  return h.maintenance ? "maintenance" : h.state;
}
