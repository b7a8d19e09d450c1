import { useSyncExternalStore } from "react";
import { request } from "./api/http";
import { open, type Stream } from "./api/socket";
import type { Job, JobUpdate } from "./api/types";

// The jobs as the daemon tells them: a list to begin with, then every change. One copy for all pages.

let jobs: Job[] = [];
let stream: Stream | undefined;
const watchers = new Set<() => void>();

function tell(next: Job[]) {
  jobs = next;
  for (const w of watchers) w();
}

/** apply puts one change into a list of jobs, the newest first. An older revision than the list's changes nothing. */
export function apply(list: Job[], update: JobUpdate): Job[] {
  if (update.deleted) return list.filter((j) => j.id !== update.id);
  const { job } = update;
  if (!job) return list;
  const i = list.findIndex((j) => j.id === job.id);
  if (i >= 0) return (list[i]?.revision ?? 0) > job.revision ? list : list.with(i, job);
  const at = list.findIndex((j) => j.id < job.id); // ids sort by the time of submission
  return at < 0 ? [...list, job] : list.toSpliced(at, 0, job);
}

async function begin() {
  let seq = 0;
  try {
    const page = (await request<{ jobs: Job[] | null; seq: number }>("GET", "/jobs?limit=1000")).body;
    seq = page.seq;
    tell(page.jobs ?? []);
  } catch {
    // The stream below is tried until it works, and tells everything then.
  }
  if (watchers.size === 0 || stream) return;
  stream = open<JobUpdate>({
    path: seq > 0 ? `/jobs/stream?since=${seq}` : "/jobs/stream",
    resume: (last) => ({ since: String(last.seq) }),
    onMessage: (update) => tell(apply(jobs, update)),
  });
}

function subscribe(watch: () => void) {
  watchers.add(watch);
  if (watchers.size === 1) void begin();
  return () => {
    watchers.delete(watch);
    if (watchers.size > 0) return;
    stream?.close();
    stream = undefined;
  };
}

/** useJobs returns all jobs, the newest first, as they are now. */
export function useJobs(): Job[] {
  return useSyncExternalStore(subscribe, () => jobs);
}
