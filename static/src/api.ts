// Rule: what the page fetches over HTTP: documents too large for an event, and never changing ones. Addresses stand here alone.
import { readTrace, type TraceDocument } from "./trace";
import type { Happened, KernelView, LabLinks, OutcomeView, RulesView } from "./wire";

/** What the server answered instead of a document, in its words. */
export class FetchError extends Error {
  constructor(
    readonly status: number, // 0: no answer at all
    readonly problems: readonly string[],
  ) {
    super(problems.join(" ") || `HTTP ${status}`);
  }
}

export interface Ends {
  readonly source: string;
  readonly target: string;
  readonly protocol?: string | null;
  readonly via?: string | null;
}

export class Api {
  private readonly base: string;
  private readonly traces = new Map<number, Promise<TraceDocument>>();

  constructor(token: string, root = "/api/v1/labs/") {
    this.base = `${root}${encodeURIComponent(token)}`;
  }

  /** A walk's whole story. It never changes, so it is fetched once. */
  trace(number: number): Promise<TraceDocument> {
    const known = this.traces.get(number);
    if (known !== undefined) return known;
    const fetched = this.json(`/traces/${number}`).then(readTrace);
    if (this.traces.size >= MOST_TRACES) this.traces.delete(this.traces.keys().next().value ?? 0);
    this.traces.set(number, fetched);
    fetched.catch(() => this.traces.delete(number));
    return fetched;
  }

  rules(node: string, signal?: AbortSignal): Promise<RulesView> {
    return this.json(`/nodes/${encodeURIComponent(node)}/rules`, signal) as Promise<RulesView>;
  }

  kernel(node: string, signal?: AbortSignal): Promise<KernelView> {
    return this.json(`/nodes/${encodeURIComponent(node)}/kernel`, signal) as Promise<KernelView>;
  }

  /** What happened after an event, the earliest first. */
  events(after: number, limit: number): Promise<readonly Happened[]> {
    return this.json(`/events${query({ after: String(after), limit: String(limit) })}`) as Promise<readonly Happened[]>;
  }

  outcomes(ends: Ends, signal?: AbortSignal): Promise<readonly OutcomeView[]> {
    return this.json(`/outcomes${query({ ...ends })}`, signal) as Promise<readonly OutcomeView[]>;
  }

  links(): Promise<LabLinks> {
    return this.json("/links") as Promise<LabLinks>;
  }

  /** A new lab that begins as this one was at `seq`. */
  fork(seq: number): Promise<LabLinks> {
    return this.post(`/fork`, { seq }) as Promise<LabLinks>;
  }

  /** All manifests; those that `kubectl apply` takes, or everything. */
  manifestsAddress(everything = false): string {
    return `${this.base}/manifests.yaml${query({ everything: everything ? "true" : null })}`;
  }

  labAddress(): string {
    return `${this.base}/lab.json`;
  }

  captureAddress(trace: number): string {
    return `${this.base}/traces/${trace}.pcapng`;
  }

  /** The map as a file; with a walk's number, its way marked on it. */
  mapAddress(trace: number | null, lang: string): string {
    return `${this.base}/map.svg${query({ trace: trace === null ? null : String(trace), lang })}`;
  }

  private json(path: string, signal?: AbortSignal): Promise<unknown> {
    return answered(
      fetch(this.base + path, { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) }),
    );
  }

  private post(path: string, body: unknown): Promise<unknown> {
    return answered(
      fetch(this.base + path, {
        method: "POST",
        headers: { accept: "application/json", "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
  }
}

const MOST_TRACES = 40;

async function answered(asked: Promise<Response>): Promise<unknown> {
  let response: Response;
  try {
    response = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new FetchError(0, []);
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new FetchError(response.status, problemsIn(body));
  return body;
}

function problemsIn(body: unknown): readonly string[] {
  const said = body as { problems?: unknown; detail?: unknown } | null;
  if (Array.isArray(said?.problems)) return said.problems.filter((one): one is string => typeof one === "string");
  return typeof said?.detail === "string" ? [said.detail] : [];
}

function query(given: Readonly<Record<string, string | null | undefined>>): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) if (value !== null && value !== undefined) said.set(name, value);
  const text = said.toString();
  return text === "" ? "" : `?${text}`;
}
