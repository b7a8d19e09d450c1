import { percent, share } from "../format";

/** Meter draws used of total. */
export function Meter({ used, total, label }: { used: number; total: number; label: string }) {
  const value = share(used, total);
  const level = value >= 90 ? "full" : value >= 75 ? "high" : "";
  return (
    <div className="meter" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(value)}>
      <div className="meter-track">
        <div className={`meter-fill ${level}`} style={{ width: `${value}%` }} />
      </div>
      <span className="right">{total > 0 ? percent(value) : "–"}</span>
    </div>
  );
}
