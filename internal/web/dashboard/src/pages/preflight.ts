import { useCallback, useEffect, useState } from "react";
import { Problem, request } from "../api/http";
import type { Loaded } from "../api/store";
import type { JobRequest, Plan } from "../api/types";

/** How long nobody types before pre-flight is asked, in milliseconds. */
const quiet = 500;

/** usePreflight asks what a migration would do, whenever the request changes; null asks for nothing. */
export function usePreflight(wanted: JobRequest | null): Loaded<Plan> & { reload(): void } {
  const [state, setState] = useState<Loaded<Plan>>({ loading: true, at: 0 });
  const [again, setAgain] = useState(0);
  useEffect(() => {
    if (!wanted) return;
    const stop = new AbortController();
    const timer = window.setTimeout(async () => {
      setState((old) => ({ ...old, loading: true }));
      try {
        const { body } = await request<Plan>("POST", "/preflight", wanted, stop.signal);
        setState({ data: body, loading: false, at: Date.now() });
      } catch (error) {
        if (stop.signal.aborted) return;
        setState({ loading: false, at: 0, problem: error instanceof Problem ? error : new Problem(0, String(error)) });
      }
    }, quiet);
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [wanted, again]);
  return { ...state, reload: useCallback(() => setAgain((n) => n + 1), []) };
}
