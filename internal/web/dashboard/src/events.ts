import { useEffect, useState } from "react";
import { open } from "./api/socket";
import { refresh } from "./api/store";
import type { Event } from "./api/types";

/** How many events the page remembers, the newest first. */
export const remembered = 1000;

/** merge puts new events before old ones, each key once, the newest first. */
export function merge(old: Event[], more: Event[]): Event[] {
  const newest = old[0]?.key ?? Number.NEGATIVE_INFINITY;
  const fresh = more.filter((e) => e.key > newest).sort((a, b) => b.key - a.key);
  if (fresh.length === 0) return old;
  return [...fresh.filter((e, i) => e.key !== fresh[i - 1]?.key), ...old].slice(0, remembered);
}

/**
 * useEventLog follows vCenter's events for the whole page. What happens to machines changes the lists: those that are shown are read anew
 * once the burst is over.
 */
export function useEventLog(): Event[] {
  const [log, setLog] = useState<Event[]>([]);
  useEffect(() => {
    let waiting: Event[] = [];
    let timer = 0;
    const flush = () => {
      timer = 0;
      const more = waiting;
      waiting = [];
      setLog((old) => merge(old, more));
      refresh("/vsphere/");
    };
    const stream = open<Event>({
      path: "/vsphere/events/stream",
      resume: (last) => ({ since: String(last.key) }),
      onMessage(event) {
        waiting.push(event);
        timer ||= window.setTimeout(flush, 250);
      },
      onReturn: () => refresh("/"),
    });
    return () => {
      window.clearTimeout(timer);
      stream.close();
    };
  }, []);
  return log;
}
