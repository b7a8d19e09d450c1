// Numbers as people read them. Units are those of the API's field names: 1 GB is 2^30 bytes there.

export function memory(mb: number): string {
  if (mb < 1024) return `${round(mb)} MiB`;
  if (mb < 1024 * 1024) return `${round(mb / 1024)} GiB`;
  return `${round(mb / 1024 / 1024)} TiB`;
}

export function bytes(n: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) {
    n /= 1024;
    i++;
  }
  return `${round(n)} ${units[i]}`;
}

export function rate(bytesPerSecond: number): string {
  return `${bytes(bytesPerSecond)}/s`;
}

export function frequency(mhz: number): string {
  return mhz < 1000 ? `${round(mhz)} MHz` : `${round(mhz / 1000)} GHz`;
}

/** share is used of total in percent, 0 when there is no total. */
export function share(used: number, total: number): number {
  return total > 0 ? Math.min(100, Math.max(0, (used / total) * 100)) : 0;
}

export function percent(value: number): string {
  return `${value < 10 && value > 0 ? value.toFixed(1) : Math.round(value)} %`;
}

export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (d > 0) return `${d} d ${h} h`;
  if (h > 0) return `${h} h ${m} min`;
  if (m > 0) return `${m} min ${s % 60} s`;
  return `${s} s`;
}

/** ago says how long before now a time is; now and time in milliseconds. */
export function ago(time: number, now: number): string {
  const s = Math.round((now - time) / 1000);
  if (s < 5) return "now";
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} d ago`;
}

export function clock(time: string | number): string {
  return new Date(time).toLocaleTimeString([], { hour12: false });
}

export function dateTime(time: string | number): string {
  return new Date(time).toLocaleString([], { hour12: false, dateStyle: "medium", timeStyle: "medium" });
}

function round(n: number): string {
  const digits = n >= 100 || Number.isInteger(n) ? 0 : n >= 10 ? 1 : 2;
  return n.toFixed(digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}
