import {
  clone,
  create,
  type DescMessage,
  type DescMethod,
  isMessage,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Incoming } from "./arrival.ts";
import type { Clock } from "./clock.ts";
import { headerNames } from "./headers.ts";
import type { Host } from "./host.ts";
import { headerPairs, type ServiceTransport } from "./service-transport.ts";
import { readCaller } from "./topology.ts";

/** What `createDirectTransport` needs. */
export interface DirectTransportOptions {
  /** The host that answers, looked up at each call; undefined while there is none, which is UNAVAILABLE. */
  readonly host: () => Host | undefined;
  readonly clock: Clock;
  /** Whether messages are frozen, so that a test sees a side that writes into what it received. Default false. */
  readonly freeze?: boolean;
}

/**
 * Carries calls inside one process, without bytes. Each side gets a copy of its own, so that neither can change what
 * the other holds: as over a network. Callers, deadlines, validation and errors are the same host's as over gRPC.
 */
export function createDirectTransport({ host, clock, freeze = false }: DirectTransportOptions): ServiceTransport {
  const copy = <D extends DescMessage>(schema: D, message: MessageInitShape<D>): MessageShape<D> => {
    const copied = clone(schema, create(schema, message));
    if (freeze) freezeDeep(copied);
    return copied;
  };
  const find = (): Host => {
    const found = host();
    if (found === undefined) throw new ConnectError("nobody serves here", Code.Unavailable);
    return found;
  };
  return {
    async unary(method, signal, timeoutMs, header, input) {
      const incoming = createIncoming({ method, signal, timeoutMs, header, clock });
      const reply = await find().unary(incoming, copy(method.input, input));
      return {
        stream: false,
        service: method.parent,
        method,
        message: copy(method.output, checked(method.output, reply.message)),
        // Made when asked for, which hardly anybody does.
        get header() {
          return reply.header ?? new Headers();
        },
        get trailer() {
          return reply.trailer ?? new Headers();
        },
      };
    },
    async stream(method, signal, timeoutMs, header, input) {
      const incoming = createIncoming({ method, signal, timeoutMs, header, clock });
      const outputs = find().stream(
        incoming,
        copyAll(input, (message) => copy(method.input, message)),
      );
      const message = copyAll(outputs, (output) => copy(method.output, checked(method.output, output)));
      return { stream: true, service: method.parent, method, header: new Headers(), trailer: new Headers(), message };
    },
    ready: async () => host()?.isServing() === true,
    isServing: async () => host()?.isServing() === true,
    close: () => {},
  };
}

function createIncoming(from: {
  method: DescMethod;
  signal: AbortSignal | undefined;
  timeoutMs: number | undefined;
  header: HeadersInit | undefined;
  clock: Clock;
}): Incoming {
  const { method, signal, timeoutMs, header, clock } = from;
  const pairs = new Map(headerPairs(header));
  return {
    method,
    header: (name) => pairs.get(name),
    headers: () => new Headers([...pairs]),
    deadlineMs: timeoutMs === undefined ? undefined : clock.nowMs() + timeoutMs,
    signal,
    // A caller in this process is who it says it is.
    caller: readCaller(pairs.get(headerNames.caller)),
  };
}

async function* copyAll<T, U>(items: AsyncIterable<T>, copy: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield copy(item);
}

function checked<D extends DescMessage>(schema: D, message: Message): MessageShape<D> {
  if (isMessage(message, schema)) return message;
  throw new ConnectError(`expected a ${schema.typeName}`, Code.Internal);
}

function freezeDeep(value: unknown): void {
  // Bytes cannot be frozen, as JavaScript has it; being a copy, they do no harm.
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freezeDeep(part);
}
