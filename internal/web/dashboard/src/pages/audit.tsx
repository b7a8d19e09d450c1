import { useGet } from "../api/store";
import { dateTime } from "../format";
import { type Column, Grid } from "../parts/grid";
import { Page } from "../parts/page";
import { Nothing, Shown } from "../parts/state";

interface Entry {
  time: string;
  who: string;
  role?: string;
  via?: string;
  from: string;
  method: string;
  path: string;
  status: number;
  result: string;
  job?: string;
  request_id: string;
  took_ms: number;
}

const columns: Column<Entry>[] = [
  { key: "time", title: "Time", width: "180px", value: (e) => -Date.parse(e.time), cell: (e) => dateTime(e.time) },
  { key: "who", title: "Who", width: "minmax(90px, 1fr)", value: (e) => e.who || "nobody known" },
  { key: "from", title: "From", width: "minmax(90px, 0.8fr)", value: (e) => e.from },
  { key: "what", title: "What", width: "minmax(220px, 3fr)", value: (e) => `${e.method} ${e.path}` },
  { key: "result", title: "Result", width: "100px", value: (e) => e.result, cell: (e) => <span className={e.result === "ok" ? "good" : "bad"}>{e.result} {e.status}</span> },
  { key: "took", title: "Took", width: "80px", right: true, value: (e) => e.took_ms, cell: (e) => `${e.took_ms} ms` },
];

/** AuditPage shows who changed what through this daemon. */
export function AuditPage() {
  const audit = useGet<Entry[] | { entries: Entry[] | null }>("/audit?limit=1000", 10);
  return (
    <Page title="Audit" about="Every change that was asked of this daemon, by whom, and what became of it">
      <Shown of={audit}>
        {(data) => {
          const entries = Array.isArray(data) ? data : (data.entries ?? []);
          return entries.length === 0 ? <Nothing what="No changes yet" /> : <Grid rows={entries} columns={columns} id={(e) => e.request_id} label="audit log" />;
        }}
      </Shown>
    </Page>
  );
}
