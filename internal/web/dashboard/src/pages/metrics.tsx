import { Card, Group, SegmentedControl, SimpleGrid, Text, Title } from "@mantine/core";
import { useEffect, useMemo, useState } from "react";
import { open } from "../api/socket";
import { useGet } from "../api/store";
import type { Metrics, Sample } from "../api/types";
import { frequency, memory, percent } from "../format";
import { Plot } from "../parts/plot";
import { Shown } from "../parts/state";

const live = "live";
const spans: Record<string, string> = {
  "24 h": "start=24h%20ago&interval=5min",
  "7 d": "start=7d%20ago&interval=30min",
};

const perSecond = (mb: number) => `${mb < 10 ? mb.toFixed(1) : Math.round(mb)} MB/s`;

const charts = [
  { title: "CPU", format: percent, top: 100, lines: [["used", "cpu_percent"]] },
  { title: "Memory", format: percent, top: 100, lines: [["used", "memory_percent"]] },
  { title: "Disk", format: perSecond, top: 1, lines: [["read", "disk_read_mbps"], ["written", "disk_write_mbps"]] },
  { title: "Network", format: perSecond, top: 1, lines: [["received", "net_rx_mbps"], ["sent", "net_tx_mbps"]] },
] as const;

/** How many samples a live plot keeps: an hour of one each 20 seconds. */
const kept = 180;

/** join puts new samples behind old ones, each time once. */
export function join(old: Sample[], more: Sample[]): Sample[] {
  const last = old.at(-1)?.time ?? "";
  const fresh = more.filter((s) => s.time > last);
  return fresh.length === 0 ? old : [...old, ...fresh].slice(-kept);
}

/** MetricPlots draws an entity's metrics, live or of a past span. */
export function MetricPlots({ entity, type }: { entity: string; type: "vm" | "host" | "cluster" }) {
  const [span, setSpan] = useState(live);
  const query = `entity=${encodeURIComponent(entity)}&type=${type}`;
  const metrics = useGet<Metrics>(`/vsphere/metrics?${query}&${span === live ? "max_samples=180" : spans[span]}`, 300);
  const streamed = useStream(span === live ? query : null);
  const samples = useMemo(() => join(metrics.data?.samples ?? [], streamed), [metrics.data, streamed]);
  return (
    <section>
      <Group justify="space-between" mb="xs">
        <Title order={3} size="h4">
          Metrics
        </Title>
        <SegmentedControl size="xs" value={span} onChange={setSpan} data={[live, ...Object.keys(spans)]} aria-label="span" />
      </Group>
      <Shown of={metrics}>
        {(m) => (
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            {charts.map((c) => (
              <Chart key={c.title} {...c} samples={samples} missing={m.missing ?? {}} />
            ))}
          </SimpleGrid>
        )}
      </Shown>
    </section>
  );
}

type ChartProps = (typeof charts)[number] & { samples: Sample[]; missing: Record<string, string> };

function Chart({ title, format, top, lines, samples, missing }: ChartProps) {
  const times = useMemo(() => samples.map((s) => Date.parse(s.time) / 1000), [samples]);
  const drawn = useMemo(() => lines.map(([label, key]) => ({ label, values: samples.map((s) => (typeof s[key] === "number" ? s[key] : null)) })), [samples, lines]);
  const last = samples.at(-1);
  const why = lines.map(([, key]) => missing[key]).find(Boolean);
  return (
    <Card withBorder padding="sm">
      <Group justify="space-between">
        <Text fw={600}>{title}</Text>
        <Text size="sm" c="dimmed">
          {lines.map(([label, key]) => `${lines.length > 1 ? `${label} ` : ""}${typeof last?.[key] === "number" ? format(last[key]) : "–"}`).join(" · ")}
          {title === "CPU" && typeof last?.cpu_mhz === "number" && ` · ${frequency(last.cpu_mhz)}`}
          {title === "Memory" && typeof last?.memory_mb === "number" && ` · ${memory(last.memory_mb)}`}
        </Text>
      </Group>
      {samples.length === 0 || why ? (
        <Text size="sm" c="dimmed" py="xl" ta="center">
          {why ?? "No samples yet."}
        </Text>
      ) : (
        <Plot times={times} lines={drawn} format={format} top={top} sync="metrics" />
      )}
    </Card>
  );
}

function useStream(query: string | null): Sample[] {
  const [samples, setSamples] = useState<Sample[]>([]);
  useEffect(() => {
    setSamples([]);
    if (query === null) return;
    const stream = open<Sample>({
      path: `/vsphere/metrics/stream?${query}`,
      resume: (last) => ({ since: last.time }),
      onMessage: (sample) => setSamples((old) => join(old, [sample])),
    });
    return () => stream.close();
  }, [query]);
  return samples;
}
