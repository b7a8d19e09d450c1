import { Anchor, Card, Group, SimpleGrid, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useList } from "../api/lists";
import { useGet } from "../api/store";
import type { Cluster, Event, Host, VM } from "../api/types";
import { frequency, memory } from "../format";
import { EventList } from "../parts/eventlist";
import { JobCards } from "../parts/jobcard";
import { Meter } from "../parts/meter";
import { Page } from "../parts/page";
import { HealthSign, Nothing, Shown } from "../parts/state";
import { useJobs } from "../jobs";

/** OverviewPage says at a glance how full the clusters are, what runs, and what happened. */
export function OverviewPage({ log }: { log: Event[] }) {
  const clusters = useList<Cluster>("/vsphere/clusters");
  const hosts = useList<Host>("/vsphere/hosts");
  const vms = useList<VM>("/vsphere/vms", "fields=ref,power_state,template,cpus,memory_mb");
  const recent = useGet<Event[]>("/vsphere/events?since=24h&limit=20", 60);
  const jobs = useJobs();
  const running = jobs.filter((j) => j.status === "running" || j.status === "pending");
  const shown = log.length >= 20 ? log.slice(0, 20) : [...log, ...(recent.data ?? []).filter((e) => !log.some((l) => l.key === e.key))].slice(0, 20);
  return (
    <Page title="Overview">
      <Shown of={vms}>
        {(all) => {
          const machines = all.filter((v) => !v.template);
          const on = machines.filter((v) => v.power_state === "poweredOn");
          const bad = (hosts.data ?? []).filter((h) => h.state !== "connected");
          return (
            <SimpleGrid cols={{ base: 2, sm: 4 }}>
              <Figure title="VMs running" value={on.length} of={machines.length} href="/vms" />
              <Figure title="Templates" value={all.length - machines.length} href="/vms" />
              <Figure title="Hosts connected" value={(hosts.data ?? []).length - bad.length} of={hosts.data?.length} href="/hosts" bad={bad.length > 0} />
              <Figure title="Jobs at work" value={running.length} href="/jobs" />
            </SimpleGrid>
          );
        }}
      </Shown>
      <Title order={3} size="h4">
        Capacity
      </Title>
      <Shown of={clusters}>
        {(list) =>
          list.length === 0 ? (
            <Nothing what="No clusters">Hosts that stand alone are on the page of hosts.</Nothing>
          ) : (
            <SimpleGrid cols={{ base: 1, sm: 2, xl: 3 }}>
              {list.map((c) => (
                <ClusterCard key={c.ref} of={c} />
              ))}
            </SimpleGrid>
          )
        }
      </Shown>
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="xl">
        <section>
          <Title order={3} size="h4" mb="xs">
            Running work
          </Title>
          <JobCards jobs={running} empty="Nothing is running." />
        </section>
        <section>
          <Title order={3} size="h4" mb="xs">
            Recent events
          </Title>
          <EventList events={shown} empty="Nothing happened in the last 24 hours." />
        </section>
      </SimpleGrid>
    </Page>
  );
}

function Figure({ title, value, of, href, bad }: { title: string; value: number; of?: number | undefined; href: string; bad?: boolean }) {
  return (
    <Card withBorder padding="sm" component={Link} href={href}>
      <Text size="sm" c="dimmed">
        {title}
      </Text>
      <Text fz={28} fw={700} lh={1.2} className={bad ? "bad" : ""}>
        {value}
        {of !== undefined && (
          <Text span c="dimmed" fz="md" fw={400}>
            {" "}
            of {of}
          </Text>
        )}
      </Text>
    </Card>
  );
}

function ClusterCard({ of: c }: { of: Cluster }) {
  return (
    <Card withBorder padding="sm">
      <Group justify="space-between" wrap="nowrap" mb={6}>
        <Anchor component={Link} href="/hosts" fw={600} className="clip">
          <HealthSign of={c.overall_status} /> {c.name}
        </Anchor>
        <Text size="xs" c="dimmed" className="clip">
          {c.effective_hosts === c.hosts ? `${c.hosts} hosts` : `${c.effective_hosts} of ${c.hosts} hosts`} · {c.vms} VMs
        </Text>
      </Group>
      <Row title="CPU" meter={<Meter used={c.cpu_usage_mhz} total={c.cpu_total_mhz} label={`CPU of ${c.name}`} />}>
        {frequency(c.cpu_usage_mhz)} of {frequency(c.cpu_total_mhz)}
      </Row>
      <Row title="Memory" meter={<Meter used={c.memory_usage_mb} total={c.memory_mb} label={`memory of ${c.name}`} />}>
        {memory(c.memory_usage_mb)} of {memory(c.memory_mb)}
      </Row>
    </Card>
  );
}

function Row({ title, meter, children }: { title: string; meter: ReactNode; children: ReactNode }) {
  return (
    <div style={{ marginTop: 6 }}>
      <Group justify="space-between" gap={4}>
        <Text size="sm">{title}</Text>
        <Text size="xs" c="dimmed">
          {children}
        </Text>
      </Group>
      {meter}
    </div>
  );
}
