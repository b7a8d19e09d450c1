import { expect, test } from "vitest";
import type { Event } from "./api/types";
import { merge, remembered } from "./events";

const event = (key: number) => ({ key }) as Event;
const keys = (events: Event[]) => events.map((e) => e.key);

test("new events come first, each once", () => {
  expect(keys(merge([event(3), event(2)], [event(4), event(3), event(5), event(5)]))).toEqual([5, 4, 3, 2]);
});
test("nothing new leaves the list as it is", () => {
  const old = [event(3)];
  expect(merge(old, [event(2), event(3)])).toBe(old);
});
test("memory is bounded", () => {
  expect(merge([event(0)], Array.from({ length: 3 * remembered }, (_, i) => event(i + 1)))).toHaveLength(remembered);
});
