/** Stands in a template for the number of the request, 16 digits. */
export const NUMBER = "\u0001";

/** Numbers that no earlier run on the same Tripe used: microseconds since 1970 to begin with. */
export const NUMBER_DIGITS = 16;

/** A request as bytes to send, `NUMBER` where its number goes; `weight` is its share among the templates of a plan. */
export interface Template {
  readonly text: string;
  readonly weight: number;
}

/** What the load generator does. */
export interface LoadPlan {
  readonly port: number;
  readonly templates: readonly Template[];
  /** Closed model: each connection sends its next request as soon as it has its answer. Open model: the most there may be. */
  readonly connections: number;
  /** Open model: requests a second at a constant rate, whatever the answers take; absent, the closed model. */
  readonly rate?: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What was answered in the measured window. */
export interface LoadResult {
  /** Answers with status 200. */
  readonly okCount: number;
  /** How often each status was answered; 0 for a connection that broke. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Of the answers with status 200, in ms; in the open model from the moment at which the request was due. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** CPU of the load generator in that window, in ms. */
  readonly generatorCpuMs: number;
}

/** The messages of the load generator, in their order. */
export type LoadMessage =
  | { readonly is: "measuring" }
  | { readonly is: "measured" }
  | { readonly is: "result"; readonly result: LoadResult };

/** A POST of a form under an idempotency key of its own for each request; a field may hold `NUMBER` too. */
export function postOf(path: string, key: string, form: Readonly<Record<string, string>>): string {
  const body = new URLSearchParams(form).toString().replaceAll(encodeURIComponent(NUMBER), NUMBER);
  return [
    `POST ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    `Authorization: Bearer ${key}`,
    `Idempotency-Key: bench-${NUMBER}`,
    "Content-Type: application/x-www-form-urlencoded",
    `Content-Length: ${Buffer.byteLength(body.replaceAll(NUMBER, "0".repeat(NUMBER_DIGITS)))}`,
    "",
    body,
  ].join("\r\n");
}

/** A GET. */
export function getOf(path: string, key: string): string {
  return [`GET ${path} HTTP/1.1`, "Host: 127.0.0.1", `Authorization: Bearer ${key}`, "", ""].join("\r\n");
}
