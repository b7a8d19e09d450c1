import { Badge, Button, Card, SimpleGrid, Table, Text, Title } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "wouter";
import { useGet } from "../api/store";
import type { Event, Finding, Snapshot, VMDetail } from "../api/types";
import { bytes, dateTime, memory } from "../format";
import { EventList } from "../parts/eventlist";
import { Page } from "../parts/page";
import { PowerSign, Shown } from "../parts/state";
import { MetricPlots } from "./metrics";
import { body, initial } from "./migrate_form";
import { usePreflight } from "./preflight";

/** VMPage is one VM: what it is made of, how it does, what would stand in the way of a migration. */
export function VMPage({ of: ref, log }: { of: string; log: Event[] }) {
  const vm = useGet<VMDetail>(`/vsphere/vms/${encodeURIComponent(ref)}`, 20);
  const name = vm.data?.name;
  const past = useGet<Event[]>(name ? `/vsphere/events?since=24h&limit=20&entity=${encodeURIComponent(ref)}` : null, 120);
  const events = useMemo(() => {
    const mine = log.filter((e) => e.entity === name && e.entity_type === "VirtualMachine");
    return [...mine, ...(past.data ?? []).filter((e) => !mine.some((m) => m.key === e.key))].slice(0, 20);
  }, [log, past.data, name]);
  return (
    <Shown of={vm}>
      {(v) => (
        <Page
          title={v.name}
          about={v.path}
          actions={
            <Button component={Link} href={`/migrate?vm=${encodeURIComponent(v.path)}`}>
              Migrate to KVM
            </Button>
          }
        >
          <Facts of={v} />
          {v.power_state === "poweredOn" && <MetricPlots entity={v.ref} type="vm" />}
          <SimpleGrid cols={{ base: 1, lg: 2 }}>
            <Devices of={v} />
            <section>
              <Findings path={v.path} />
              {v.snapshots && v.snapshots.length > 0 && <Snapshots of={v.snapshots} />}
            </section>
          </SimpleGrid>
          <section>
            <Title order={3} size="h4" mb="xs">
              Events of the last 24 hours
            </Title>
            <EventList events={events} empty="None." />
          </section>
        </Page>
      )}
    </Shown>
  );
}

function Facts({ of: v }: { of: VMDetail }) {
  const facts: [string, React.ReactNode][] = [
    ["Power", v.template ? "Template" : <PowerSign of={v.power_state} />],
    ["Guest", v.guest_full_name || v.guest_id || "–"],
    ["CPUs", v.cpus],
    ["Memory", memory(v.memory_mb)],
    ["Address", v.ip_address || "–"],
    ["Host", v.host || "–"],
    ["Resource pool", v.resource_pool || "–"],
    ["Firmware", `${v.firmware || "–"}${v.secure_boot ? ", secure boot" : ""}`],
  ];
  return (
    <Card withBorder>
      <SimpleGrid cols={{ base: 2, sm: 4 }} component="dl" m={0}>
        {facts.map(([title, value]) => (
          <div key={title} style={{ minWidth: 0 }}>
            <Text component="dt" size="xs" c="dimmed">
              {title}
            </Text>
            <Text component="dd" size="sm" m={0} style={{ overflowWrap: "anywhere" }}>
              {value}
            </Text>
          </div>
        ))}
      </SimpleGrid>
    </Card>
  );
}

function Devices({ of: v }: { of: VMDetail }) {
  return (
    <section>
      <Title order={3} size="h4" mb="xs">
        Disks and adapters
      </Title>
      <Table.ScrollContainer minWidth={340}>
        <Table>
          <Table.Tbody>
            {(v.disks ?? []).map((d) => (
              <Table.Tr key={d.address}>
                <Table.Td>{d.address}</Table.Td>
                <Table.Td>{d.label} <span className="quiet">{d.controller}</span></Table.Td>
                <Table.Td ta="right">{bytes(d.capacity_bytes)}</Table.Td>
                <Table.Td>
                  {d.datastore} {d.provisioning === "thin" && <Badge size="xs">thin</Badge>}
                </Table.Td>
              </Table.Tr>
            ))}
            {(v.nics ?? []).map((n) => (
              <Table.Tr key={n.mac + n.label}>
                <Table.Td>{n.type}</Table.Td>
                <Table.Td>{n.label}</Table.Td>
                <Table.Td className="mono">{n.mac}</Table.Td>
                <Table.Td>
                  {n.network} {!n.connected && <Badge size="xs" color="gray">not connected</Badge>}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </section>
  );
}

function Snapshots({ of: list }: { of: Snapshot[] }) {
  return (
    <>
      <Title order={3} size="h4" mt="md" mb="xs">
        Snapshots
      </Title>
      <Table>
        <Table.Tbody>
          {list.map((s) => (
            <Table.Tr key={s.ref}>
              <Table.Td style={{ paddingInlineStart: `${(s.path.split("/").length - 1) * 16 + 8}px` }}>
                {s.name} {s.current && <Badge size="xs">current</Badge>}
              </Table.Td>
              <Table.Td c="dimmed">{s.description}</Table.Td>
              <Table.Td ta="right">{dateTime(s.created)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  );
}

const severityClass = { critical: "bad", warning: "warn", info: "quiet" };

/** Findings are what pre-flight says of a migration to this daemon's KVM, with everything as it usually is. */
function Findings({ path }: { path: string }) {
  const request = useMemo(() => body(initial(path)), [path]);
  const plan = usePreflight(request);
  return (
    <>
      <Title order={3} size="h4" mb="xs">
        Before a migration
      </Title>
      <Shown of={plan}>{({ findings }) => <FindingList of={findings ?? []} />}</Shown>
    </>
  );
}

export function FindingList({ of: list }: { of: Finding[] }) {
  if (list.length === 0) return <Text size="sm">Nothing stands in the way.</Text>;
  return (
    <ul style={{ margin: 0, paddingInlineStart: 18 }}>
      {list.map((f) => (
        <li key={f.id + f.text} style={{ marginBottom: 6, fontSize: 14 }}>
          <strong className={severityClass[f.severity]}>{f.severity}</strong> {f.text} <span className="quiet">{f.action}</span> <span className="mono quiet">{f.id}</span>
        </li>
      ))}
    </ul>
  );
}
