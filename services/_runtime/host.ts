import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError, createServiceImplSpec, type MethodImplSpec, type ServiceImpl } from "@connectrpc/connect";
import { type Arrival, type Incoming, type ReplyFacts, receive } from "./arrival.ts";
import { createBulkhead } from "./bulkhead.ts";
import type { Clock } from "./clock.ts";
import { deadlineWheelOf } from "./deadline-wheel.ts";
import type { Log } from "./log.ts";
import { streamOutputs } from "./streams.ts";
import { type MayCall, mayCall as mayCallByTopology, type ServiceName } from "./topology.ts";
import { validate } from "./validate.ts";

/** Any message, when its type is known only at run time. */
export type AnyMessage = MessageShape<DescMessage>;

/** A finished unary call. */
export interface Reply extends ReplyFacts {
  readonly message: AnyMessage;
}

/** Services ready to be called, whatever carries the calls: gRPC and the direct transport use the same host. */
export interface Host {
  readonly name: ServiceName;
  readonly services: readonly DescService[];
  /** Runs a unary rpc. Throws nothing but ConnectErrors that a caller may see. */
  unary(incoming: Incoming, message: AnyMessage): Promise<Reply>;
  /** Runs any other rpc; its errors are as those of `unary`. */
  stream(incoming: Incoming, messages: AsyncIterable<AnyMessage>): AsyncGenerator<AnyMessage>;
  isServing(): boolean;
  /** Resolves when no call is running, now or later. */
  idle(): Promise<void>;
  /** Refuses new calls with UNAVAILABLE from now on; resolves when the running ones have ended. */
  drain(): Promise<void>;
}

/** A service's contract with what carries it out; an rpc left out answers UNIMPLEMENTED. */
export interface HostedService<D extends DescService = DescService> {
  readonly service: D;
  readonly implementation: Partial<ServiceImpl<D>>;
}

/** What `createHost` needs. */
export interface HostOptions<D extends readonly DescService[]> {
  readonly name: ServiceName;
  readonly services: { readonly [K in keyof D]: HostedService<D[K]> };
  readonly log: Log;
  readonly clock: Clock;
  /** For tests of rpcs that the topology does not know; default the topology's own. */
  readonly mayCall?: MayCall;
}

/** Makes services callable: checks the caller, the deadline and the request, logs each rpc, scrubs faults. */
export function createHost<const D extends readonly DescService[]>(options: HostOptions<D>): Host {
  const { name, log, clock, mayCall = mayCallByTopology } = options;
  const specs = specsOf(options.services);
  const gate = createGate();
  const bulkhead = createBulkhead(name);
  const arrivalOptions = { name, log, clock, mayCall, wheel: deadlineWheelOf(clock) };
  const begin = (incoming: Incoming): Arrival => receive(incoming, arrivalOptions);
  return {
    name,
    services: options.services.map(({ service }) => service),
    isServing: gate.isOpen,
    idle: gate.idle,
    drain: gate.close,
    async unary(incoming, message) {
      gate.check();
      const arrival = begin(incoming);
      const leave = gate.enter();
      try {
        arrival.admit();
        const spec = specOf(specs, incoming.method);
        const output = await arrival.within(() =>
          bulkhead.run(incoming.caller, () => runUnary(spec, message, arrival)),
        );
        return { message: output, ...arrival.succeed() };
      } catch (error) {
        throw arrival.fail(error);
      } finally {
        leave();
      }
    },
    async *stream(incoming, messages) {
      gate.check();
      const arrival = begin(incoming);
      const leave = gate.enter();
      let outputs: AsyncGenerator<MessageInitShape<DescMessage>> | undefined;
      try {
        arrival.admit();
        const spec = specOf(specs, incoming.method);
        const opened = streamOutputs(spec, messages, arrival.context);
        outputs = opened;
        for (;;) {
          const item = await arrival.within(() => opened.next());
          if (item.done === true) break;
          yield create(spec.method.output, item.value);
        }
        arrival.succeed();
      } catch (error) {
        throw arrival.fail(error);
      } finally {
        // Here without success or failure: the consumer has stopped reading.
        arrival.fail(new ConnectError("the caller is gone", Code.Canceled));
        // A handler that waits at a yield ends there; one that waits for something else ends by its signal.
        outputs?.return(undefined).catch(() => {});
        leave();
      }
    },
  };
}

async function runUnary(spec: MethodImplSpec, message: AnyMessage, arrival: Arrival): Promise<AnyMessage> {
  if (spec.kind !== "unary") throw new Error(`${spec.method.name} is a stream`);
  validate(spec.method.input, message);
  return create(spec.method.output, await spec.impl(message, arrival.context));
}

function specsOf(services: readonly HostedService[]): ReadonlyMap<DescMethod, MethodImplSpec> {
  const specs = new Map<DescMethod, MethodImplSpec>();
  for (const { service, implementation } of services) {
    for (const spec of Object.values(createServiceImplSpec(service, implementation).methods)) {
      specs.set(spec.method, spec);
    }
  }
  return specs;
}

function specOf(specs: ReadonlyMap<DescMethod, MethodImplSpec>, method: DescMethod): MethodImplSpec {
  const spec = specs.get(method);
  if (spec === undefined) throw new ConnectError(`${method.parent.typeName} is not served here`, Code.Unimplemented);
  return spec;
}

/** Counts who is inside, and lets nobody in once it is closed. */
function createGate() {
  let open = true;
  let inside = 0;
  const waiting = new Set<() => void>();
  const idle = (): Promise<void> =>
    inside === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.add(resolve));
  return {
    isOpen: () => open,
    check() {
      if (!open) throw new ConnectError("the service is going down", Code.Unavailable);
    },
    enter() {
      inside += 1;
      return () => {
        inside -= 1;
        if (inside > 0) return;
        for (const resolve of waiting) resolve();
        waiting.clear();
      };
    },
    idle,
    close(): Promise<void> {
      open = false;
      return idle();
    },
  };
}
