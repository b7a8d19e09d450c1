import { useCallback, useEffect, useSyncExternalStore } from "react";
import { Problem, request } from "./http";

export interface Loaded<T> {
  data?: T;
  problem?: Problem;
  loading: boolean;
  /** When the answer came, in milliseconds. */
  at: number;
}

interface Entry {
  state: Loaded<unknown>;
  etag: string;
  watchers: Set<() => void>;
  abort?: AbortController;
  again: boolean; // asked for while a request was under way
}

// One answer a path, shared by all that show it.
const entries = new Map<string, Entry>();

function entry(path: string): Entry {
  let e = entries.get(path);
  if (!e) {
    e = { state: { loading: true, at: 0 }, etag: "", watchers: new Set(), again: false };
    entries.set(path, e);
  }
  return e;
}

function set(e: Entry, state: Loaded<unknown>) {
  e.state = state;
  for (const w of e.watchers) w();
}

/** load reads path anew. An answer that has not changed changes nothing, so nothing is drawn. */
export async function load(path: string): Promise<void> {
  const e = entry(path);
  if (e.abort) {
    e.again = true;
    return;
  }
  e.abort = new AbortController();
  try {
    const answer = await request<unknown>("GET", path, undefined, e.abort.signal);
    const same = answer.etag !== "" && answer.etag === e.etag && !e.state.problem;
    e.etag = answer.etag;
    set(e, { data: same ? e.state.data : answer.body, loading: false, at: Date.now() });
  } catch (error) {
    if (!e.abort.signal.aborted) set(e, { ...e.state, loading: false, problem: error instanceof Problem ? error : new Problem(0, String(error)) });
  } finally {
    e.abort = undefined;
    if (e.again) {
      e.again = false;
      void load(path);
    }
  }
}

/** refresh reads anew every path that is shown and begins with prefix. */
export function refresh(prefix: string) {
  for (const [path, e] of entries) if (path.startsWith(prefix) && e.watchers.size > 0) void load(path);
}

/** useGet shows the answer of a path and keeps it fresh; null asks for nothing. */
export function useGet<T>(path: string | null, everySeconds = 15): Loaded<T> & { reload(): void } {
  const subscribe = useCallback(
    (watch: () => void) => {
      if (path === null) return () => {};
      const e = entry(path);
      e.watchers.add(watch);
      return () => {
        e.watchers.delete(watch);
        if (e.watchers.size === 0) forget(path, e);
      };
    },
    [path],
  );
  const state = useSyncExternalStore(subscribe, () => (path === null ? idle : entry(path).state)) as Loaded<T>;
  useEffect(() => {
    if (path === null) return;
    void load(path);
    const timer = window.setInterval(() => {
      if (document.visibilityState === "visible") void load(path);
    }, everySeconds * 1000);
    return () => window.clearInterval(timer);
  }, [path, everySeconds]);
  return { ...state, reload: useCallback(() => void (path !== null && load(path)), [path]) };
}

const idle: Loaded<unknown> = { loading: false, at: 0 };

// An answer that nobody shows is kept for a minute, for whoever comes back.
function forget(path: string, e: Entry) {
  window.setTimeout(() => {
    if (e.watchers.size === 0 && entries.get(path) === e) entries.delete(path);
  }, 60_000);
}
