import type { Client } from "@connectrpc/connect";
import type { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import type { TestWriter } from "./testing.ts";

/** A writer that remembers what each of its calls told; one call at a time. */
export interface ToldWriter {
  readonly writer: Client<typeof WriterService>;
  /** What each rpc has told so far, each set of types once: "charge.refunded, refund.created"; empty for nothing. */
  readonly told: Map<string, Set<string>>;
}

/** Wraps a writer so that the events of each call are known by its rpc. */
export function rememberTold(writer: Client<typeof WriterService>, rows: TestWriter["rows"]): ToldWriter {
  const told = new Map<string, Set<string>>();
  const known = new Set<string>();
  const remember = async (rpc: string) => {
    const all = await rows<{ event_id: string; type: string }>("select event_id, type from event order by type");
    const fresh = all.filter(({ event_id: id }) => !known.has(id));
    for (const { event_id: id } of fresh) known.add(id);
    const sets = told.get(rpc) ?? new Set();
    told.set(rpc, sets.add(fresh.map(({ type }) => type).join(", ")));
  };
  const get = (target: object, rpc: string, receiver: unknown): unknown => {
    const call: unknown = Reflect.get(target, rpc, receiver);
    if (typeof call !== "function") return call;
    return async (...given: unknown[]) => {
      const answer: unknown = await call.apply(target, given);
      await remember(rpc);
      return answer;
    };
  };
  return { writer: new Proxy(writer, { get: (target, rpc, receiver) => get(target, String(rpc), receiver) }), told };
}
