import { Alert, Button, Card, Group, Modal, Progress, Stack, Table, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Problem, request } from "../api/http";
import { refresh } from "../api/store";
import type { VM } from "../api/types";
import { concurrent, type Outcome, runAll } from "./bulk_run";

interface Operation {
  key: string;
  title: string;
  /** What it asks for before it starts. */
  field?: { label: string; initial(vms: VM[]): string };
  /** The word to type, when what it does cannot be undone. */
  word?(vms: VM[]): string;
  refuses?(vm: VM): string;
  run(vm: VM, value: string): Promise<unknown>;
}

const at = (vm: VM) => `/vsphere/vms/${encodeURIComponent(vm.ref)}`;

// The operations of the terminal UI's bulk menu, in its order.
const operations: Operation[] = [
  {
    key: "clone",
    title: "Clone",
    field: { label: "Name of each clone, {name} stands for the VM's", initial: () => "{name}-clone" },
    run: (vm, value) => request("POST", "/vsphere/clone?wait=true", { source_vm: vm.path, target_name: value.replaceAll("{name}", vm.name) }),
  },
  {
    key: "snapshot",
    title: "Take snapshots",
    field: { label: "Name of the snapshot", initial: () => `before ${new Date().toISOString().slice(0, 16).replace("T", " ")}` },
    refuses: (vm) => (vm.template ? "a template takes no snapshots" : ""),
    run: (vm, value) => request("POST", `${at(vm)}/snapshots`, { name: value }),
  },
  {
    key: "shutdown",
    title: "Shut down",
    refuses: (vm) => (vm.template ? "a template is always off" : vm.power_state === "poweredOff" ? "it is off already" : ""),
    run: (vm) => request("POST", `${at(vm)}/power`, { action: "shutdown" }),
  },
  {
    key: "power-on",
    title: "Power on",
    refuses: (vm) => (vm.template ? "a template is never on" : vm.power_state === "poweredOn" ? "it is on already" : ""),
    run: (vm) => request("POST", `${at(vm)}/power`, { action: "on" }),
  },
  {
    key: "delete",
    title: "Delete",
    word: (vms) => `delete ${vms.length}`,
    refuses: (vm) => (vm.power_state === "poweredOn" ? "it runs: shut it down first" : ""),
    run: (vm) => request("DELETE", at(vm)),
  },
];

/** BulkBar offers what can be done to the selected VMs. */
export function BulkBar({ of: vms, onDone }: { of: VM[]; onDone(): void }) {
  const [chosen, setChosen] = useState<{ operation: Operation; vms: VM[] }>();
  return (
    <Card withBorder padding="xs" role="toolbar" aria-label="with the selected VMs">
      <Group gap="xs">
        {operations.map((o) => (
          <Button key={o.key} size="xs" variant="default" {...(o.key === "delete" ? { c: "red" } : {})} onClick={() => setChosen({ operation: o, vms })}>
            {o.title}
          </Button>
        ))}
      </Group>
      {chosen && (
        <Work
          {...chosen}
          onClose={(done) => {
            setChosen(undefined);
            if (done) onDone();
          }}
        />
      )}
    </Card>
  );
}

/** Work asks once more, then does it: some at once, each told alone, and those not begun can be left out. */
function Work({ operation: o, vms, onClose }: { operation: Operation; vms: VM[]; onClose(done: boolean): void }) {
  const [value, setValue] = useState(o.field?.initial(vms) ?? "");
  const [word, setWord] = useState("");
  const [outcomes, setOutcomes] = useState<Map<string, Outcome>>();
  const [stop] = useState(() => new AbortController());
  const [running, setRunning] = useState(false);
  const able = vms.filter((vm) => !o.refuses?.(vm));
  const wanted = o.word?.(able);
  const start = async (event: FormEvent) => {
    event.preventDefault();
    setRunning(true);
    await runAll(able, concurrent, stop.signal, async (vm) => void (await o.run(vm, value.trim())), (vm, outcome) => setOutcomes((old) => new Map(old).set(vm.ref, outcome)), explain);
    setRunning(false);
    refresh("/vsphere/");
  };
  const done = outcomes ? [...outcomes.values()].filter((x) => x.status !== "running").length : 0;
  return (
    <Modal opened onClose={() => !running && onClose(outcomes !== undefined)} title={`${o.title}: ${able.length} of ${vms.length}`} size="lg" closeOnClickOutside={false}>
      <form onSubmit={start}>
        <Stack>
          <Table.ScrollContainer minWidth={300} mah={320}>
            <Table>
              <Table.Tbody>
                {vms.map((vm) => (
                  <Table.Tr key={vm.ref}>
                    <Table.Td>{vm.name}</Table.Td>
                    <Table.Td>
                      <Told outcome={outcomes?.get(vm.ref)} refusal={o.refuses?.(vm) ?? ""} />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
          {outcomes && <Progress value={(done / Math.max(1, able.length)) * 100} aria-label="progress of all" />}
          {!outcomes && o.field && <TextInput label={o.field.label} value={value} onChange={(e) => setValue(e.currentTarget.value)} required data-autofocus />}
          {!outcomes && wanted && (
            <>
              <Alert color="red">The VMs and their disks will be gone. This cannot be undone.</Alert>
              <TextInput label={`Type "${wanted}" to go on`} value={word} onChange={(e) => setWord(e.currentTarget.value)} data-autofocus />
            </>
          )}
          <Group justify="flex-end">
            {running && (
              <Button variant="default" onClick={() => stop.abort()} disabled={stop.signal.aborted}>
                Begin no more
              </Button>
            )}
            {!running && (
              <Button variant="default" onClick={() => onClose(outcomes !== undefined)}>
                {outcomes ? "Close" : "Cancel"}
              </Button>
            )}
            {!outcomes && (
              <Button type="submit" {...(wanted ? { color: "red" } : {})} disabled={able.length === 0 || (o.field !== undefined && value.trim() === "") || (wanted !== undefined && word !== wanted)}>
                {o.title} {able.length}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Told({ outcome, refusal }: { outcome: Outcome | undefined; refusal: string }) {
  if (refusal) return <span className="quiet">left out: {refusal}</span>;
  if (!outcome) return <span className="quiet">–</span>;
  const classes = { running: "quiet", succeeded: "good", failed: "bad", canceled: "quiet" };
  return (
    <Text span size="sm" className={classes[outcome.status]}>
      {outcome.status}
      {outcome.message && `: ${outcome.message}`}
    </Text>
  );
}

function explain(error: unknown): string {
  return error instanceof Problem ? [error.message, error.hint].filter(Boolean).join(" ") : String(error);
}
