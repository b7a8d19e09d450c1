import { Alert, Button, Center, Loader, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconHelpCircle, IconPlayerPause, IconPlayerPlay, IconPlayerStop } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Problem } from "../api/http";
import type { Health } from "../api/types";

/** Shown shows data when there is some, and says why when there is none. Old data stays while a problem lasts. */
export function Shown<T>({ of, children }: { of: { data?: T; problem?: Problem; loading: boolean; reload(): void }; children(data: T): ReactNode }) {
  return (
    <>
      {of.problem && (
        <Alert color="red" icon={<IconAlertTriangle />} title={of.problem.message} mb="md" role="alert">
          {of.problem.hint}
          <Button variant="light" color="red" size="compact-sm" mt={of.problem.hint ? "xs" : 0} onClick={of.reload} display="block">
            Try again
          </Button>
        </Alert>
      )}
      {of.data !== undefined ? children(of.data) : of.loading && <Waiting />}
    </>
  );
}

export function Waiting() {
  return (
    <Center h={200}>
      <Loader aria-label="loading" />
    </Center>
  );
}

export function Nothing({ what, children }: { what: string; children?: ReactNode }) {
  return (
    <Center mih={160}>
      <Stack align="center" gap={4}>
        <Text fw={600}>{what}</Text>
        <Text size="sm" c="dimmed" ta="center" component="div">
          {children}
        </Text>
      </Stack>
    </Center>
  );
}

const healths = {
  green: { icon: IconCircleCheck, className: "good", text: "OK" },
  yellow: { icon: IconAlertTriangle, className: "warn", text: "Warning" },
  red: { icon: IconCircleX, className: "bad", text: "Alert" },
  gray: { icon: IconHelpCircle, className: "quiet", text: "Unknown" },
};

export function HealthSign({ of }: { of: Health }) {
  const { icon: Icon, className, text } = healths[of] ?? healths.gray;
  return (
    <span className={className} title={text}>
      <Icon size={16} aria-label={text} style={{ verticalAlign: "-3px" }} />
    </span>
  );
}

const powers: Record<string, { icon: typeof IconPlayerPlay; className: string; text: string }> = {
  poweredOn: { icon: IconPlayerPlay, className: "good", text: "On" },
  poweredOff: { icon: IconPlayerStop, className: "quiet", text: "Off" },
  suspended: { icon: IconPlayerPause, className: "warn", text: "Suspended" },
};

export function PowerSign({ of }: { of: string }) {
  const { icon: Icon, className, text } = powers[of] ?? { icon: IconHelpCircle, className: "quiet", text: of };
  return (
    <span className={className}>
      <Icon size={14} aria-hidden style={{ verticalAlign: "-2px" }} /> {text}
    </span>
  );
}
