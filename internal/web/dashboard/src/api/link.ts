import { useSyncExternalStore } from "react";

// Whether hypersdkd is there, as plain requests and each socket see it. The shell shows a banner while one of them does not.

const down = new Map<string, number>(); // since when, by what is down
const watchers = new Set<() => void>();
let since = 0;

function tell() {
  since = down.size === 0 ? 0 : Math.min(...down.values());
  for (const w of watchers) w();
}

export function lost(what: string) {
  if (down.has(what)) return;
  down.set(what, Date.now());
  tell();
}

export function found(what: string) {
  if (down.delete(what)) tell();
}

/** useLost returns since when, in milliseconds, something is lost; 0 when all is well. */
export function useLost(): number {
  return useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => since,
  );
}
