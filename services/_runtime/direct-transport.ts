import {
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
import { factPairs } from "./headers.ts";
import type { Host } from "./host.ts";
import { headerPairs, type OutgoingCall, type ServiceTransport } from "./service-transport.ts";
import { readCaller } from "./topology.ts";

/** What `createDirectTransport` needs. */
export interface DirectTransportOptions {
  /** The host that answers, looked up at each call; undefined while there is none, which is UNAVAILABLE. */
  readonly host: () => Host | undefined;
  readonly clock: Clock;
  /** Whether messages are frozen: every test does, so that a side fails that writes into what it sent or received. Default false. */
  readonly freeze?: boolean;
}

/**
 * Carries calls inside one process, without bytes and without copies: once a message is sent, neither side may write into it.
 * Callers, deadlines, validation and errors are the same host's as over gRPC.
 */
export function createDirectTransport({ host, clock, freeze = false }: DirectTransportOptions): ServiceTransport {
  const give = <D extends DescMessage>(schema: D, message: MessageInitShape<D>): MessageShape<D> => {
    const given = create(schema, message);
    if (freeze) freezeDeep(given);
    return given;
  };
  const find = (): Host => {
    const found = host();
    if (found === undefined) throw new ConnectError("nobody serves here", Code.Unavailable);
    return found;
  };
  return {
    async unary(method, call, input) {
      const reply = await find().unary(createIncoming(method, call, clock), give(method.input, input));
      const { timing, header, trailer } = reply;
      return { message: give(method.output, checked(method.output, reply.message)), timing, header, trailer };
    },
    async stream(method, call, input) {
      const inputs = mapAll(input, (message) => give(method.input, message));
      const outputs = find().stream(createIncoming(method, call, clock), inputs);
      const message = mapAll(outputs, (output) => give(method.output, checked(method.output, output)));
      return { stream: true, service: method.parent, method, header: new Headers(), trailer: new Headers(), message };
    },
    ready: async () => host()?.isServing() === true,
    isServing: async () => host()?.isServing() === true,
    close: () => {},
  };
}

function createIncoming(method: DescMethod, call: OutgoingCall, clock: Clock): Incoming {
  const { caller, facts, timeoutMs, cancellation, headers } = call;
  return {
    method,
    facts,
    headers: () => new Headers([...headerPairs(headers), ...factPairs(caller, facts)]),
    deadlineMs: timeoutMs === undefined ? undefined : clock.nowMs() + timeoutMs,
    cancellation,
    // A caller in this process is who it says it is.
    caller: readCaller(caller),
  };
}

async function* mapAll<T, U>(items: AsyncIterable<T>, map: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield map(item);
}

function checked<D extends DescMessage>(schema: D, message: Message): MessageShape<D> {
  if (isMessage(message, schema)) return message;
  throw new ConnectError(`expected a ${schema.typeName}`, Code.Internal);
}

function freezeDeep(value: unknown): void {
  // JavaScript cannot freeze bytes.
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freezeDeep(part);
}
