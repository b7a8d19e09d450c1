import { describe, expect, test } from "vitest";
import { ago, bytes, duration, frequency, memory, percent, rate, share } from "./format";

describe("numbers as people read them", () => {
  test.each([
    [memory(512), "512 MiB"],
    [memory(1536), "1.5 GiB"],
    [memory(262144), "256 GiB"],
    [memory(1572864), "1.5 TiB"],
    [bytes(0), "0 B"],
    [bytes(1023), "1023 B"],
    [bytes(1024 ** 5 * 3000), "3000 PiB"],
    [rate(123.4 * 1024 * 1024), "123 MiB/s"],
    [frequency(800), "800 MHz"],
    [frequency(22930), "22.9 GHz"],
    [percent(0), "0 %"],
    [percent(0.24), "0.2 %"],
    [percent(99.6), "100 %"],
    [duration(59.4), "59 s"],
    [duration(61), "1 min 1 s"],
    [duration(3600), "1 h 0 min"],
    [duration(90000), "1 d 1 h"],
    [duration(-3), "0 s"],
  ])("%s", (got, want) => expect(got).toBe(want));

  test("a share of nothing is nothing, and never more than all", () => {
    expect(share(5, 0)).toBe(0);
    expect(share(5, 4)).toBe(100);
    expect(share(1, 4)).toBe(25);
  });

  test("how long ago", () => {
    const now = Date.parse("2026-01-02T00:00:00Z");
    expect([0, 59, 61, 7200, 200000].map((s) => ago(now - s * 1000, now))).toEqual(["now", "59 s ago", "1 min ago", "2 h ago", "2 d ago"]);
  });
});
