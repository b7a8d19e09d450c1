import { Button, Chip, Group, Progress } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { Job } from "../api/types";
import { dateTime, duration, percent } from "../format";
import { useJobs } from "../jobs";
import { type Column, Grid } from "../parts/grid";
import { StatusBadge, stageNow } from "../parts/jobcard";
import { Page } from "../parts/page";
import { Nothing } from "../parts/state";

const columns: Column<Job>[] = [
  { key: "created", title: "Submitted", width: "170px", value: (j) => -Date.parse(j.created), cell: (j) => dateTime(j.created) },
  { key: "name", title: "Name", width: "minmax(160px, 2fr)", value: (j) => j.name || j.id },
  { key: "kind", title: "Kind", width: "130px", value: (j) => j.kind },
  { key: "status", title: "Status", width: "110px", value: (j) => j.status, cell: (j) => <StatusBadge of={j.status} /> },
  { key: "percent", title: "Progress", width: "150px", value: (j) => j.percent, cell: (j) => <Bar of={j} /> },
  { key: "stage", title: "Stage", width: "minmax(110px, 1fr)", value: (j) => stageNow(j)?.name ?? j.waiting ?? "–" },
  { key: "took", title: "Took", width: "100px", right: true, value: took, cell: (j) => (j.started ? duration(took(j)) : "–") },
  { key: "by", title: "By", width: "minmax(80px, 0.6fr)", value: (j) => j.schedule ?? j.submitted_by ?? "–" },
];

const statuses = ["running", "pending", "failed", "succeeded", "canceled"] as const;

/** JobsPage lists the jobs, live. */
export function JobsPage() {
  const jobs = useJobs();
  const [, go] = useLocation();
  const [wanted, setWanted] = useState<string[]>([]);
  const rows = useMemo(() => (wanted.length === 0 ? jobs : jobs.filter((j) => wanted.includes(j.status))), [jobs, wanted]);
  return (
    <Page
      title="Jobs"
      actions={
        <>
          <Chip.Group multiple value={wanted} onChange={setWanted}>
            <Group gap={4}>
              {statuses.map((s) => (
                <Chip key={s} value={s} size="xs">
                  {s}
                </Chip>
              ))}
            </Group>
          </Chip.Group>
          <Button leftSection={<IconPlus size={16} />} onClick={() => go("/migrate")}>
            New migration
          </Button>
        </>
      }
    >
      {rows.length === 0 ? (
        <Nothing what="No jobs">Migrations, clones and templates that are asked of this daemon show up here.</Nothing>
      ) : (
        <Grid rows={rows} columns={columns} id={(j) => j.id} label="jobs" onOpen={(j) => go(`/jobs/${encodeURIComponent(j.id)}`)} />
      )}
    </Page>
  );
}

function Bar({ of: j }: { of: Job }) {
  return (
    <span className="meter">
      <Progress value={j.percent} color={j.status === "failed" ? "red" : "sea"} aria-label={`progress of ${j.name || j.id}`} />
      <span className="right">{percent(j.percent)}</span>
    </span>
  );
}

function took(j: Job): number {
  if (!j.started) return 0;
  return ((j.ended ? Date.parse(j.ended) : Date.now()) - Date.parse(j.started)) / 1000;
}
