export interface Outcome {
  status: "running" | "succeeded" | "failed" | "canceled";
  message?: string;
}

/** How much runs at once: vCenter queues more than a few anyway. */
export const concurrent = 5;

/** runAll does one thing to each item, so many at once. One that fails stops no other; after stop none is begun. It waits for all. */
export async function runAll<T>(
  items: T[],
  limit: number,
  stop: AbortSignal,
  run: (item: T) => Promise<void>,
  tell: (item: T, outcome: Outcome) => void,
  explain: (error: unknown) => string = String,
): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      if (stop.aborted) {
        tell(item, { status: "canceled", message: "not begun" });
        continue;
      }
      tell(item, { status: "running" });
      try {
        await run(item);
        tell(item, { status: "succeeded" });
      } catch (error) {
        tell(item, { status: "failed", message: explain(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
