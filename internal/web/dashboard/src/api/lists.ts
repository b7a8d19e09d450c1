import { useMemo } from "react";
import { useGet } from "./store";

/** useList shows a whole list of the API, as it lies in the daemon's cache. */
export function useList<T>(path: string, query = "") {
  const got = useGet<T[] | { items: T[] }>(query ? `${path}?${query}` : path);
  const data = useMemo(() => (got.data === undefined || Array.isArray(got.data) ? got.data : got.data.items), [got.data]);
  return { ...got, data };
}
