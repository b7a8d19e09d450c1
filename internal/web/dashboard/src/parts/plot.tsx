import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";

export interface Line {
  label: string;
  /** One value a time; null where there is none. */
  values: (number | null)[];
}

interface Props {
  times: number[]; // seconds since 1970
  lines: Line[];
  format(value: number): string;
  /** What the axis reaches at least, as 100 for percent. */
  top?: number;
  height?: number;
  sync?: string; // plots of one name share their cursor
}

/** Plot draws lines over time. It follows the width of its place and the page's colours. */
export function Plot({ times, lines, format, top = 0, height = 170, sync }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const scheme = useComputedColorScheme();
  const shape = lines.map((l) => l.label).join("\n");

  useEffect(() => {
    const div = place.current;
    if (!div) return;
    const color = (name: string) => getComputedStyle(div).getPropertyValue(name).trim();
    const axis = { stroke: color("--mantine-color-dimmed"), grid: { stroke: color("--grid"), width: 1 }, ticks: { show: false } };
    const options: uPlot.Options = {
      width: div.clientWidth || 300,
      height,
      cursor: { ...(sync ? { sync: { key: sync } } : {}), points: { size: 6 } },
      scales: { y: { range: (_, __, max) => [0, Math.max(top, max > 0 ? max * 1.1 : 1)] } },
      axes: [
        { ...axis, size: 30, values: (_, splits) => splits.map((s) => new Date(s * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })) },
        { ...axis, size: 66, values: (_, splits) => splits.map(format) },
      ],
      series: [
        { value: (_, s) => (s === null ? "–" : new Date(s * 1000).toLocaleTimeString([], { hour12: false })), label: "Time" },
        ...shape.split("\n").map((label, i) => ({
          label,
          stroke: color(`--plot-${(i % 2) + 1}`),
          width: 2,
          ...(i % 2 === 1 ? { dash: [6, 4] } : {}),
          fill: i === 0 ? `${color("--plot-1")}22` : undefined,
          spanGaps: false,
          value: (_: uPlot, v: number | null) => (v === null ? "–" : format(v)),
        })),
      ],
    };
    const drawn = new uPlot(options, [[], ...shape.split("\n").map(() => [])] as unknown as uPlot.AlignedData, div);
    plot.current = drawn;
    const observer = new ResizeObserver(() => drawn.setSize({ width: div.clientWidth, height }));
    observer.observe(div);
    return () => {
      observer.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [shape, height, top, sync, scheme, format]);

  useEffect(() => {
    plot.current?.setData([times, ...lines.map((l) => l.values)] as uPlot.AlignedData);
  }, [times, lines, scheme]);

  const last = lines.map((l) => `${l.label} ${latest(l.values, format)}`).join(", ");
  return <div ref={place} className="plot" role="img" aria-label={`plot: ${last}`} />;
}

function latest(values: (number | null)[], format: (value: number) => string): string {
  const value = values.findLast((v) => v !== null);
  return value === undefined || value === null ? "no value" : format(value);
}
