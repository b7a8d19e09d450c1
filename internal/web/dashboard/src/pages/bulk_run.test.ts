import { expect, test } from "vitest";
import { type Outcome, runAll } from "./bulk_run";

test("so many run at once, all are told, one that fails stops no other", async () => {
  let now = 0;
  let most = 0;
  const last = new Map<number, Outcome>();
  await runAll(
    [1, 2, 3, 4, 5, 6, 7],
    3,
    new AbortController().signal,
    async (n) => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now--;
      if (n === 4) throw new Error("no");
    },
    (n, o) => last.set(n, o),
  );
  expect(most).toBe(3);
  expect([...last.values()].filter((o) => o.status === "succeeded")).toHaveLength(6);
  expect(last.get(4)).toEqual({ status: "failed", message: "Error: no" });
});

test("after a stop none is begun", async () => {
  const stop = new AbortController();
  const begun: number[] = [];
  const last = new Map<number, Outcome>();
  await runAll(
    [1, 2, 3],
    1,
    stop.signal,
    async (n) => {
      begun.push(n);
      stop.abort();
    },
    (n, o) => last.set(n, o),
  );
  expect(begun).toEqual([1]);
  expect(last.get(1)?.status).toBe("succeeded");
  expect(last.get(3)).toEqual({ status: "canceled", message: "not begun" });
});
