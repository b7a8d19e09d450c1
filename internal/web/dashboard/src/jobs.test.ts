import { expect, test } from "vitest";
import type { Job } from "./api/types";
import { apply } from "./jobs";

const job = (id: string, revision: number, percent = 0) => ({ id, revision, percent }) as Job;
const update = (j: Job) => ({ seq: j.revision, id: j.id, job: j });
const list = [job("c", 5), job("a", 3)];

test("a change takes its job's place", () => {
  expect(apply(list, update(job("a", 6, 50))).map((j) => [j.id, j.percent])).toEqual([["c", 0], ["a", 50]]);
});
test("an older change than what is known changes nothing", () => {
  expect(apply(list, update(job("c", 4, 99)))).toBe(list);
});
test("a new job is put where its time of submission says", () => {
  expect(apply(list, update(job("d", 7))).map((j) => j.id)).toEqual(["d", "c", "a"]);
  expect(apply(list, update(job("b", 7))).map((j) => j.id)).toEqual(["c", "b", "a"]);
});
test("a deleted job goes", () => {
  expect(apply(list, { seq: 9, id: "c", deleted: true }).map((j) => j.id)).toEqual(["a"]);
});
