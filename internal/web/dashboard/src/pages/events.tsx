import { Chip, Group, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useGet } from "../api/store";
import type { Event } from "../api/types";
import { merge } from "../events";
import { dateTime } from "../format";
import { SeveritySign } from "../parts/eventlist";
import { type Column, Grid } from "../parts/grid";
import { matcher } from "../parts/order";
import { Page } from "../parts/page";
import { Nothing, Shown } from "../parts/state";

const columns: Column<Event>[] = [
  { key: "key", title: "Time", width: "170px", value: (e) => -e.key, cell: (e) => dateTime(e.created_at) },
  { key: "severity", title: "Severity", width: "96px", value: (e) => e.severity, cell: (e) => <><SeveritySign of={e.severity} /> {e.severity}</> },
  { key: "event_type", title: "Type", width: "minmax(160px, 1fr)", value: (e) => e.event_type },
  { key: "entity", title: "Entity", width: "minmax(110px, 1fr)", value: (e) => e.entity || "–" },
  { key: "user", title: "User", width: "minmax(80px, 0.6fr)", value: (e) => e.user || "–" },
  { key: "message", title: "Message", width: "minmax(260px, 3fr)", value: (e) => e.message },
];

const severities = ["error", "warning", "user", "info"] as const;

/** EventsPage follows vCenter's events, and shows those of the last day to begin with. */
export function EventsPage({ log }: { log: Event[] }) {
  const [pattern, setPattern] = useState("");
  const [wanted, setWanted] = useState<string[]>([]);
  const past = useGet<Event[]>("/vsphere/events?since=24h&limit=1000", 300);
  const all = useMemo(() => merge(past.data ?? [], log), [past.data, log]);
  const rows = useMemo(() => {
    const named = matcher(pattern);
    return all.filter((e) => (wanted.length === 0 || wanted.includes(e.severity)) && (named(e.message) || named(e.entity) || named(e.event_type)));
  }, [all, pattern, wanted]);
  return (
    <Page
      title="Events"
      about={`${rows.length} of ${all.length}, live`}
      actions={
        <>
          <Chip.Group multiple value={wanted} onChange={setWanted}>
            <Group gap={4}>
              {severities.map((s) => (
                <Chip key={s} value={s} size="xs">
                  {s}
                </Chip>
              ))}
            </Group>
          </Chip.Group>
          <TextInput aria-label="filter" placeholder="Entity, type or text" leftSection={<IconSearch size={16} />} value={pattern} onChange={(e) => setPattern(e.currentTarget.value)} />
        </>
      }
    >
      <Shown of={past}>{() => (rows.length === 0 ? <Nothing what="No events">None fits.</Nothing> : <Grid rows={rows} columns={columns} id={(e) => String(e.key)} label="events" />)}</Shown>
    </Page>
  );
}
