import type { DescMessage, DescMethodUnary, DescService, MessageShape } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport, type UnaryResponse } from "@connectrpc/connect";
import type { Clock } from "./clock.ts";
import { passCrashPoint } from "./crash-points.ts";
import { depart } from "./departure.ts";
import type { Log } from "./log.ts";
import { createRetryPolicy, isRepeatable, markTried } from "./retry.ts";
import { isUnread, type ServiceTransport, type TransportReply } from "./service-transport.ts";
import type { CallerName, MayCall, ServiceName } from "./topology.ts";

/** A finished try of a call, as `observe` is told of it. */
export interface ObservedCall {
  readonly caller: CallerName;
  readonly service: ServiceName;
  readonly rpc: string;
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number;
  readonly ms: number;
  /** "ok", or a gRPC code in snake_case. */
  readonly code: string;
}

/** What clients need beside a transport. */
export interface ClientOptions {
  readonly caller: CallerName;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of every finished try. */
  readonly observe?: (call: ObservedCall) => void;
  /** For tests of rpcs that the topology does not know; default the topology's own. */
  readonly mayCall?: MayCall;
  /** For tests: how long to hold a call back before it is sent, in milliseconds. */
  readonly delayMs?: (call: { readonly service: ServiceName; readonly rpc: string }) => number;
}

/** Makes a Connect client of one service, with everything an internal call has to do on the caller's side. */
export function createServiceClient<D extends DescService>(
  service: D,
  name: ServiceName,
  transport: ServiceTransport,
  options: ClientOptions,
): Client<D> {
  return createClient(service, createCallingTransport(name, transport, options));
}

/**
 * Wraps a transport in what every call does: refuse what the topology does not list, end in time, pass on who asks and
 * for what, retry what may be retried, keep the times. It is one transport above every other, so that none can forget.
 */
export function createCallingTransport(name: ServiceName, inner: ServiceTransport, options: ClientOptions): Transport {
  const { clock, delayMs } = options;
  const retry = createRetryPolicy(inner, clock);
  const hold = (rpc: string) => clock.sleep(delayMs?.({ service: name, rpc }) ?? 0);
  return {
    async unary(method, signal, timeoutMs, headers, input) {
      const departure = depart({ name, method, timeoutMs, signal, headers, options });
      const mayRepeat = isRepeatable(method, input);
      retry.called();
      for (let tries = 1; ; tries += 1) {
        const attempt = departure.attempt();
        const point = { place: name, name: method.name };
        passCrashPoint(point, "before");
        try {
          if (delayMs !== undefined) await hold(method.name);
          const reply = await inner.unary(method, attempt.outgoing, input);
          passCrashPoint(point, "after");
          attempt.succeed(reply.timing);
          return new Response(method, reply);
        } catch (error) {
          attempt.fail(error);
          if ((mayRepeat || isUnread(error)) && (await retry.again({ error, tries, departure }))) continue;
          if (mayRepeat) markTried(error);
          throw error;
        }
      }
    },
    // A stream is never made twice, and its end is in nobody's times.
    async stream(method, signal, timeoutMs, headers, input) {
      const departure = depart({ name, method, timeoutMs, signal, headers, options });
      return inner.stream(method, departure.attempt().outgoing, input);
    },
  };
}

/** What Connect's clients read of a reply. Headers are made when asked for, which hardly anybody does. */
class Response<I extends DescMessage, O extends DescMessage> implements UnaryResponse<I, O> {
  readonly stream = false;
  readonly message: MessageShape<O>;
  readonly method: DescMethodUnary<I, O>;
  readonly #reply: TransportReply<O>;

  constructor(method: DescMethodUnary<I, O>, reply: TransportReply<O>) {
    this.method = method;
    this.message = reply.message;
    this.#reply = reply;
  }

  get service(): DescService {
    return this.method.parent;
  }

  get header(): Headers {
    return this.#reply.header ?? new Headers();
  }

  get trailer(): Headers {
    return this.#reply.trailer ?? new Headers();
  }
}
