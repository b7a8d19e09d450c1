import { beforeEach, expect, test, vi } from "vitest";
import { delay, open } from "./socket";

class Fake {
  static made: Fake[] = [];
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: () => void;
  constructor(readonly url: string) {
    Fake.made.push(this);
  }
  close() {
    this.onclose?.();
  }
}
const socket = (url: string) => new Fake(url) as unknown as WebSocket;

beforeEach(() => {
  Fake.made = [];
  vi.useFakeTimers();
  vi.stubGlobal("window", { location: { href: "https://host:8443/ui/" }, setTimeout, clearTimeout });
});

test("a pause doubles up to its longest", () => {
  expect([0, 1, 2, 9].map((n) => delay(n, 0))).toEqual([500, 1000, 2000, 15000]);
  expect(delay(0, 1)).toBe(400);
});

test("a lost socket comes back after the last message, and says so", () => {
  const returned = vi.fn();
  const seen: number[] = [];
  const stream = open<{ key: number }>({ path: "/events/stream?x=1", resume: (m) => ({ since: String(m.key) }), onMessage: (m) => seen.push(m.key), onReturn: returned, socket });
  const first = Fake.made[0];
  expect(first?.url).toBe("wss://host:8443/events/stream?x=1");
  first?.onopen?.();
  expect(returned).not.toHaveBeenCalled();
  first?.onmessage?.({ data: '{"key":7}' });
  first?.onclose?.();
  vi.advanceTimersByTime(20_000);
  expect(Fake.made[1]?.url).toBe("wss://host:8443/events/stream?x=1&since=7");
  Fake.made[1]?.onopen?.();
  expect(returned).toHaveBeenCalledOnce();
  expect(seen).toEqual([7]);
  stream.close();
});

test("a closed stream stays closed", () => {
  const stream = open({ path: "/jobs/stream", onMessage: () => {}, socket });
  stream.close();
  vi.advanceTimersByTime(60_000);
  expect(Fake.made).toHaveLength(1);
});
