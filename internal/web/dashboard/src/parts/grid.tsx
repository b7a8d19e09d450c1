import { Checkbox } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from "react";
import { order, type Sort } from "./order";

export interface Column<T> {
  key: string;
  title: string;
  width: string; // a track of CSS grid: "minmax(120px, 2fr)", "80px"
  right?: boolean;
  value(row: T): string | number;
  cell?(row: T): ReactNode;
}

interface Props<T> {
  rows: T[];
  columns: Column<T>[];
  id(row: T): string;
  label: string;
  height?: string;
  onOpen?(row: T): void;
  selected?: ReadonlySet<string>;
  onSelect?(selected: Set<string>): void;
}

const rowHeight = 36;

/**
 * Grid is a sorted list of any length, of which only what is seen is drawn. Arrows, Home, End and page keys move; Space selects, with Shift
 * from the last one; Enter opens.
 */
export function Grid<T>({ rows, columns, id, label, height = "calc(100dvh - 250px)", onOpen, selected, onSelect }: Props<T>) {
  const [sort, setSort] = useState<Sort>({ key: columns[0]?.key ?? "", down: false });
  const [at, setAt] = useState("");
  const [anchor, setAnchor] = useState("");
  const scroller = useRef<HTMLDivElement>(null);
  const sorted = useMemo(() => order(rows, columns, sort), [rows, columns, sort]);
  const virtual = useVirtualizer({ count: sorted.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 12, scrollPaddingStart: rowHeight });
  const template = [onSelect ? "24px" : "", ...columns.map((c) => c.width)].filter(Boolean).join(" ");
  const position = sorted.findIndex((row) => id(row) === at);

  const go = (to: number) => {
    const row = sorted[Math.max(0, Math.min(sorted.length - 1, to))];
    if (!row) return;
    setAt(id(row));
    virtual.scrollToIndex(sorted.indexOf(row), { align: "auto" });
  };
  const toggle = (row: T, range: boolean) => {
    if (!onSelect) return;
    const next = new Set(selected);
    const from = range ? sorted.findIndex((r) => id(r) === anchor) : -1;
    const to = sorted.indexOf(row);
    const on = !next.has(id(row));
    for (const r of from < 0 ? [row] : sorted.slice(Math.min(from, to), Math.max(from, to) + 1)) {
      if (on) next.add(id(r));
      else next.delete(id(r));
    }
    setAnchor(id(row));
    onSelect(next);
  };
  const onKey = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 360) / rowHeight) - 2);
    const row = sorted[position];
    const moves: Record<string, () => void> = {
      ArrowDown: () => go(position + 1),
      ArrowUp: () => go(position - 1),
      PageDown: () => go(position + page),
      PageUp: () => go(position - page),
      Home: () => go(0),
      End: () => go(sorted.length - 1),
      " ": () => row && toggle(row, event.shiftKey),
      Enter: () => row && onOpen?.(row),
    };
    const move = moves[event.key];
    if (!move || event.target !== scroller.current) return;
    event.preventDefault();
    move();
  };
  const all = selected && sorted.length > 0 && sorted.every((row) => selected.has(id(row)));

  return (
    <div ref={scroller} className="grid" style={{ maxHeight: height }} role="grid" aria-label={label} aria-rowcount={sorted.length + 1} tabIndex={0} onKeyDown={onKey}>
      <div style={{ minWidth: "max-content" }}>
        <div className="grid-row grid-head" role="row" style={{ gridTemplateColumns: template }}>
          {onSelect && (
            <Checkbox
              size="xs"
              aria-label="select all"
              checked={all ?? false}
              indeterminate={!all && sorted.some((row) => selected?.has(id(row)))}
              onChange={() => onSelect(all ? new Set() : new Set(sorted.map(id)))}
            />
          )}
          {columns.map((c) => (
            <div key={c.key} role="columnheader" className={c.right ? "right" : ""} aria-sort={sort.key !== c.key ? "none" : sort.down ? "descending" : "ascending"}>
              <button type="button" onClick={() => setSort({ key: c.key, down: sort.key === c.key && !sort.down })}>
                {c.title}
                {sort.key === c.key ? (sort.down ? " ↓" : " ↑") : ""}
              </button>
            </div>
          ))}
        </div>
        <div className="grid-body" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = sorted[item.index];
            if (!row) return null;
            const key = id(row);
            return (
              <div
                key={key}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={selected ? selected.has(key) : undefined}
                className={`grid-row${key === at ? " at" : ""}`}
                style={{ gridTemplateColumns: template, transform: `translateY(${item.start}px)`, cursor: onOpen ? "pointer" : undefined }}
                onClick={() => {
                  setAt(key);
                  onOpen?.(row);
                }}
              >
                {onSelect && (
                  <span onClick={(event) => event.stopPropagation()}>
                    <Checkbox size="xs" aria-label={`select ${key}`} checked={selected?.has(key) ?? false} onClick={(event) => toggle(row, event.shiftKey)} onChange={() => {}} />
                  </span>
                )}
                {columns.map((c) => (
                  <div key={c.key} role="gridcell" className={c.right ? "right" : ""} title={String(c.value(row))}>
                    {c.cell ? c.cell(row) : c.value(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
