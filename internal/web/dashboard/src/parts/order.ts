export interface Sort {
  key: string;
  down: boolean;
}

interface Keyed<T> {
  key: string;
  value(row: T): string | number;
}

const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** order returns rows by one column: numbers as numbers, names with their numbers as numbers (web-2 before web-10). Equal rows keep their order. */
export function order<T>(rows: T[], columns: Keyed<T>[], sort: Sort): T[] {
  const column = columns.find((c) => c.key === sort.key);
  if (!column) return rows;
  const sign = sort.down ? -1 : 1;
  return rows
    .map((row) => ({ row, value: column.value(row) }))
    .sort((a, b) => sign * (typeof a.value === "number" && typeof b.value === "number" ? a.value - b.value : names.compare(String(a.value), String(b.value))))
    .map((keyed) => keyed.row);
}

/** matcher chooses texts by a pattern: with * or ? a glob over the whole, else any part; capitals do not matter. */
export function matcher(pattern: string): (text: string) => boolean {
  const wanted = pattern.trim().toLowerCase();
  if (wanted === "") return () => true;
  if (!/[*?]/.test(wanted)) return (text) => text.toLowerCase().includes(wanted);
  const glob = wanted.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".");
  const expression = new RegExp(`^${glob}$`);
  return (text) => expression.test(text.toLowerCase());
}
