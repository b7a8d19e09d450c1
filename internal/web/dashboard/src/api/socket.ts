import { found, lost } from "./link";

export interface Stream {
  close(): void;
}

interface Options<T> {
  path: string;
  /** What the query needs to go on after the last message: {since: "42"}. */
  resume?: (last: T) => Record<string, string>;
  onMessage(message: T): void;
  /** Called at each reconnection, so that lists are read anew. */
  onReturn?(): void;
  socket?: (url: string) => WebSocket;
}

const firstPause = 500;
const longestPause = 15_000;

/** delay is the pause before attempt n (from 0) in milliseconds: doubled each time, with up to a fifth of chance. */
export function delay(n: number, chance = Math.random()): number {
  return Math.min(longestPause, firstPause * 2 ** n) * (1 - chance / 5);
}

/** open follows a WebSocket and reconnects until it is closed, each time from the last message. */
export function open<T>({ path, resume, onMessage, onReturn, socket = (url) => new WebSocket(url) }: Options<T>): Stream {
  let ws: WebSocket | undefined;
  let timer = 0;
  let attempt = 0;
  let last: T | undefined;
  let closed = false;
  let before = false;

  const connect = () => {
    ws = socket(address(path, last !== undefined && resume ? resume(last) : {}));
    ws.onopen = () => {
      attempt = 0;
      found(path);
      if (before) onReturn?.();
      before = true;
    };
    ws.onmessage = (event) => {
      last = JSON.parse(String(event.data)) as T;
      onMessage(last);
    };
    ws.onclose = () => {
      if (closed) return;
      lost(path);
      timer = window.setTimeout(connect, delay(attempt++));
    };
  };
  connect();
  return {
    close() {
      closed = true;
      window.clearTimeout(timer);
      found(path);
      ws?.close();
    },
  };
}

function address(path: string, more: Record<string, string>): string {
  const url = new URL(path, window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  for (const [key, value] of Object.entries(more)) url.searchParams.set(key, value);
  return url.href;
}
