import { Badge, Card, Group, Progress, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import type { Job, Measure, Stage, Status } from "../api/types";
import { bytes, duration, percent, rate } from "../format";

const colors: Record<Status, string> = { pending: "gray", running: "sea", succeeded: "green", failed: "red", canceled: "gray", skipped: "gray" };

export function StatusBadge({ of }: { of: Status }) {
  return (
    <Badge color={colors[of]} variant="light" radius="sm">
      {of}
    </Badge>
  );
}

/** stageNow is what a job is at: the stage that runs, else the last one that began. */
export function stageNow(job: Job): Stage | undefined {
  return job.stages?.find((s) => s.status === "running") ?? job.stages?.at(-1);
}

/** pace says how fast a measured thing goes and when it ends: "120 MiB/s, 2 min 5 s left". */
export function pace(m: Measure): string {
  const parts: string[] = [];
  if (m.rate && m.unit === "bytes") parts.push(rate(m.rate));
  if (m.eta_seconds) parts.push(`${duration(m.eta_seconds)} left`);
  return parts.join(", ");
}

/** amount says how much is done: "1.2 GiB of 3 GiB". */
export function amount(m: Measure): string {
  if (m.unit === "bytes") return m.total > 0 ? `${bytes(m.done)} of ${bytes(m.total)}` : bytes(m.done);
  if (m.unit === "percent") return percent(m.done);
  return m.total > 0 ? `${m.done} of ${m.total}` : "";
}

/** JobCards shows jobs with a bar each. */
export function JobCards({ jobs, empty }: { jobs: Job[]; empty: string }) {
  if (jobs.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {empty}
      </Text>
    );
  }
  return (
    <Stack gap="xs">
      {jobs.map((job) => {
        const stage = stageNow(job);
        return (
          <Card key={job.id} withBorder padding="sm" component={Link} href={`/jobs/${encodeURIComponent(job.id)}`}>
            <Group justify="space-between" wrap="nowrap" mb={6}>
              <Text fw={600} className="clip">
                {job.name || job.kind}
              </Text>
              <StatusBadge of={job.status} />
            </Group>
            <Progress value={job.percent} aria-label={`progress of ${job.name || job.kind}`} animated={false} />
            <Group justify="space-between" mt={4}>
              <Text size="xs" c="dimmed">
                {job.status === "pending" ? (job.waiting ?? "waiting for a worker") : [stage?.name, stage && pace(stage)].filter(Boolean).join(" · ")}
              </Text>
              <Text size="xs" c="dimmed">
                {percent(job.percent)}
              </Text>
            </Group>
          </Card>
        );
      })}
    </Stack>
  );
}
