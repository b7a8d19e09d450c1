import { useEffect, useState } from "react";

/** useNow is the time in milliseconds, told each second while it is wanted. */
export function useNow(wanted = true): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!wanted) return;
    setNow(Date.now());
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, [wanted]);
  return now;
}
