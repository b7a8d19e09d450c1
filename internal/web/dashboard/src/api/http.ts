import { lost, found } from "./link";

/** Problem is an answer of the API that says no (RFC 9457), or a server that does not answer (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly hint = "",
  ) {
    super(message);
  }
}

interface Answer<T> {
  body: T;
  etag: string;
  /** How old the server's copy of the inventory was, in seconds. */
  age: number;
}

/** request asks the API. The browser's cookie says who asks; the server wants JSON from whoever changes something. */
export async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Answer<T>> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      signal: signal ?? null,
      cache: "no-cache", // the browser keeps the answer and asks with its ETag
      credentials: "same-origin",
      headers: method === "GET" ? { Accept: "application/json" } : { Accept: "application/json", "Content-Type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    lost("http");
    throw new Problem(0, "hypersdkd does not answer", "It may be restarting; this page goes on by itself.");
  }
  found("http");
  const text = await response.text();
  const json = parse(text);
  if (!response.ok) throw problem(response.status, json, text);
  return { body: json as T, etag: response.headers.get("ETag") ?? "", age: Number(response.headers.get("Age") ?? 0) };
}

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problem(status: number, json: unknown, text: string): Problem {
  const p = (json ?? {}) as { title?: string; detail?: string; hint?: string; errors?: { message?: string; location?: string }[] };
  const more = (p.errors ?? []).map((e) => [e.location, e.message].filter(Boolean).join(": ")).filter((m) => m && m !== p.detail);
  const message = [p.detail ?? p.title ?? (text.slice(0, 200) || `status ${status}`), ...more].join("; ");
  return new Problem(status, message, p.hint);
}
