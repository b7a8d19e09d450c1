import { Alert, Button, Card, Code, Group, Progress, ScrollArea, SimpleGrid, Stack, Table, Text, Title } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { Problem, request } from "../api/http";
import { useGet } from "../api/store";
import type { Item, Job, LogLine, Stage } from "../api/types";
import { bytes, clock, dateTime, duration, percent, share } from "../format";
import { useJobs } from "../jobs";
import { amount, pace, StatusBadge } from "../parts/jobcard";
import { Page } from "../parts/page";
import { Nothing, Waiting } from "../parts/state";
import { useNow } from "../time";

/** JobPage is one job, live: its stages and disks, how fast, how long yet, its log and its files. */
export function JobPage({ id }: { id: string }) {
  const live = useJobs().find((j) => j.id === id);
  const read = useGet<Job>(live ? null : `/jobs/${encodeURIComponent(id)}`, 60);
  const job = live ?? read.data;
  if (!job) {
    return read.problem ? <Nothing what={read.problem.message}>{read.problem.hint}</Nothing> : <Waiting />;
  }
  return <Shown job={job} />;
}

function Shown({ job }: { job: Job }) {
  const alive = job.status === "running" || job.status === "pending";
  const now = useNow(alive);
  const took = job.started ? ((job.ended ? Date.parse(job.ended) : now) - Date.parse(job.started)) / 1000 : 0;
  return (
    <Page title={job.name || job.kind} about={about(job)} actions={<Actions job={job} />}>
      <Card withBorder>
        <Group justify="space-between" mb="xs">
          <Group gap="xs">
            <StatusBadge of={job.status} />
            <Text size="sm" c="dimmed">
              {job.status === "pending" ? (job.waiting ?? "waiting for a worker") : took > 0 && `${job.ended ? "took" : "for"} ${duration(took)}`}
            </Text>
          </Group>
          <Text fw={700}>{percent(job.percent)}</Text>
        </Group>
        <Progress size="lg" value={job.percent} color={job.status === "failed" ? "red" : "sea"} aria-label="progress of the job" />
      </Card>
      {job.error && (
        <Alert color="red" icon={<IconAlertTriangle />} title={job.error.text}>
          {(job.error.hints ?? []).join(" ")}
          {Object.entries(job.error.failed ?? {}).map(([name, why]) => (
            <div key={name}>
              {name}: {why}
            </div>
          ))}
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Stack gap="xs">
          <Title order={3} size="h4">
            Stages
          </Title>
          {(job.stages ?? []).length === 0 && <Text c="dimmed">None has begun.</Text>}
          {(job.stages ?? []).map((s) => (
            <StageCard key={s.name} of={s} now={now} />
          ))}
          <Artifacts of={job} />
        </Stack>
        <Log id={job.id} alive={alive} />
      </SimpleGrid>
    </Page>
  );
}

function about(job: Job): string {
  return [job.kind, `submitted ${dateTime(job.created)}`, job.submitted_by && `by ${job.submitted_by}`, job.worker && `on ${job.worker}`, job.attempts > 1 && `attempt ${job.attempts}`].filter(Boolean).join(" · ");
}

function StageCard({ of: s, now }: { of: Stage; now: number }) {
  const took = s.started ? ((s.ended ? Date.parse(s.ended) : now) - Date.parse(s.started)) / 1000 : 0;
  return (
    <Card withBorder padding="sm">
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Text fw={600}>{s.name}</Text>
          <StatusBadge of={s.status} />
        </Group>
        <Text size="sm" c="dimmed">
          {[amount(s), pace(s), took > 0 && duration(took)].filter(Boolean).join(" · ")}
        </Text>
      </Group>
      {s.message && (
        <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {s.message}
        </Text>
      )}
      {(s.items ?? []).map((item) => (
        <ItemBar key={item.name} of={item} />
      ))}
    </Card>
  );
}

function ItemBar({ of: i }: { of: Item }) {
  return (
    <div style={{ marginTop: 8 }}>
      <Group justify="space-between" gap={4}>
        <Text size="sm" className="clip">
          {i.name}
        </Text>
        <Text size="xs" c="dimmed">
          {[amount(i), pace(i), i.message].filter(Boolean).join(" · ")}
        </Text>
      </Group>
      <Progress value={i.status === "succeeded" ? 100 : share(i.done, i.total)} color={i.status === "failed" ? "red" : "sea"} aria-label={`progress of ${i.name}`} />
    </div>
  );
}

function Actions({ job }: { job: Job }) {
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const ask = async (verb: "cancel" | "retry") => {
    setBusy(true);
    setProblem(undefined);
    try {
      await request("POST", `/jobs/${encodeURIComponent(job.id)}/${verb}`, {});
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, String(error)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      {problem && (
        <Text size="sm" className="bad" role="alert">
          {problem.message}
        </Text>
      )}
      {(job.status === "running" || job.status === "pending") && (
        <Button variant="default" loading={busy} disabled={job.cancel_requested !== undefined} onClick={() => void ask("cancel")}>
          {job.cancel_requested ? "Canceling" : "Cancel"}
        </Button>
      )}
      {(job.status === "failed" || job.status === "canceled") && (
        <Button loading={busy} onClick={() => void ask("retry")}>
          Retry
        </Button>
      )}
    </>
  );
}

function Artifacts({ of: job }: { of: Job }) {
  if (!job.artifacts?.length) return null;
  return (
    <>
      <Title order={3} size="h4">
        Files{job.worker && ` on ${job.worker}`}
      </Title>
      <Table.ScrollContainer minWidth={320}>
        <Table>
          <Table.Tbody>
            {job.artifacts.map((f) => (
              <Table.Tr key={f.name}>
                <Table.Td style={{ overflowWrap: "anywhere" }}>{f.path}</Table.Td>
                <Table.Td ta="right">{bytes(f.bytes)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}

/** Log shows a job's log and stays at its end, unless somebody scrolls up. */
function Log({ id, alive }: { id: string; alive: boolean }) {
  const { lines, problem } = useLog(id, alive);
  const end = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  useEffect(() => {
    const viewport = end.current;
    if (follows && viewport && lines.length > 0) viewport.scrollTop = viewport.scrollHeight;
  }, [lines, follows]);
  return (
    <section>
      <Title order={3} size="h4" mb="xs">
        Log
      </Title>
      <Card withBorder padding={0}>
        <ScrollArea.Autosize
          mah={520}
          viewportRef={end}
          onScrollPositionChange={({ y }) => {
            const v = end.current;
            if (v) setFollows(y + v.clientHeight >= v.scrollHeight - 24);
          }}
        >
          <Code block tabIndex={0} aria-label="log">
            {lines.length === 0 ? (problem?.message ?? "Nothing yet.") : lines.map((l) => `${clock(l.time)} ${l.level === "info" ? "" : `${l.level} `}${l.text}`).join("\n")}
          </Code>
        </ScrollArea.Autosize>
      </Card>
    </section>
  );
}

const keptLines = 5000;

/** useLog reads a job's log and goes on from its last line, each second while the job lives. */
function useLog(id: string, alive: boolean): { lines: LogLine[]; problem?: Problem | undefined } {
  const [lines, setLines] = useState<LogLine[]>([]);
  const [problem, setProblem] = useState<Problem>();
  const last = useRef(0);
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const read = async () => {
      let more = false;
      try {
        const { body } = await request<LogLine[]>("GET", `/jobs/${encodeURIComponent(id)}/logs?since=${last.current}`, undefined, stop.signal);
        const fresh = body.filter((l) => l.line > last.current);
        last.current = fresh.at(-1)?.line ?? last.current;
        more = fresh.length > 0;
        if (more) setLines((old) => [...old, ...fresh].slice(-keptLines));
        setProblem(undefined);
      } catch (error) {
        if (stop.signal.aborted) return;
        setProblem(error instanceof Problem ? error : new Problem(0, String(error)));
      }
      if (alive || more) timer = window.setTimeout(() => void read(), more ? 200 : 1000);
    };
    void read();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [id, alive]);
  return { lines, problem };
}
