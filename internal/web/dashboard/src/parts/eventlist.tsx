import { Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleX, IconInfoCircle, IconUser } from "@tabler/icons-react";
import type { Event } from "../api/types";
import { ago, dateTime } from "../format";
import { useNow } from "../time";

const severities = {
  info: { icon: IconInfoCircle, className: "quiet" },
  user: { icon: IconUser, className: "quiet" },
  warning: { icon: IconAlertTriangle, className: "warn" },
  error: { icon: IconCircleX, className: "bad" },
};

export function SeveritySign({ of }: { of: Event["severity"] }) {
  const { icon: Icon, className } = severities[of] ?? severities.info;
  return (
    <span className={className} title={of}>
      <Icon size={15} aria-label={of} style={{ verticalAlign: "-3px" }} />
    </span>
  );
}

/** EventList shows events, the newest first. */
export function EventList({ events, empty }: { events: Event[]; empty: string }) {
  const now = useNow();
  if (events.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {empty}
      </Text>
    );
  }
  return (
    <ol style={{ listStyle: "none", margin: 0, padding: 0 }}>
      {events.map((e) => (
        <li key={e.key} style={{ display: "grid", gridTemplateColumns: "20px 92px 1fr", gap: 8, padding: "4px 0", fontSize: 13 }}>
          <SeveritySign of={e.severity} />
          <time className="quiet" dateTime={e.created_at} title={dateTime(e.created_at)}>
            {ago(Date.parse(e.created_at), now)}
          </time>
          <span style={{ overflowWrap: "anywhere" }} title={e.event_type}>
            {e.message}
          </span>
        </li>
      ))}
    </ol>
  );
}
