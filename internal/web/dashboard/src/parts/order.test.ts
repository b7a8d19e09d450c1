import { expect, test } from "vitest";
import { matcher, order } from "./order";

const columns = [
  { key: "name", value: (r: { name: string; n: number }) => r.name },
  { key: "n", value: (r: { name: string; n: number }) => r.n },
];
const rows = [
  { name: "web-10", n: 2 },
  { name: "Web-2", n: 10 },
  { name: "db", n: 2 },
];
const names = (sorted: typeof rows) => sorted.map((r) => r.name);

test("names sort with their numbers as numbers, whatever the capitals", () => {
  expect(names(order(rows, columns, { key: "name", down: false }))).toEqual(["db", "Web-2", "web-10"]);
});
test("numbers sort as numbers, equal ones keep their order", () => {
  expect(names(order(rows, columns, { key: "n", down: false }))).toEqual(["web-10", "db", "Web-2"]);
  expect(names(order(rows, columns, { key: "n", down: true }))).toEqual(["Web-2", "web-10", "db"]);
});
test("a column that there is not sorts nothing", () => {
  expect(order(rows, columns, { key: "x", down: true })).toBe(rows);
});
test.each([
  ["", "anything", true],
  ["EB-1", "web-10", true],
  ["web-?", "web-10", false],
  ["web-*", "WEB-10", true],
  ["*.lan", "a.lan", true],
  ["*.lan", "aXlan", false],
  ["(", "a(b", true],
])("pattern %s and %s", (pattern, text, want) => {
  expect(matcher(pattern)(text)).toBe(want);
});
