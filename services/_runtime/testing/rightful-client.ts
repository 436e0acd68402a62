import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { type ClientOptions, createCallingTransport } from "../client.ts";
import type { ServiceTransport } from "../service-transport.ts";
import { type CallerName, callerNames, mayCall, type ServiceName } from "../topology.ts";

/** Makes a client of a service for its own tests: each rpc is called by the first caller that the topology lists for it. */
export function createRightfulClient<D extends DescService>(
  service: D,
  name: ServiceName,
  transport: ServiceTransport,
  options: Omit<ClientOptions, "caller">,
): Client<D> {
  const transports = new Map<CallerName, Transport>(
    callerNames.map((caller) => [caller, createCallingTransport(name, transport, { ...options, caller })]),
  );
  const transportOf = (rpc: string): Transport => {
    const caller = callerNames.find((one) => mayCall(one, name, rpc));
    const found = caller === undefined ? undefined : transports.get(caller);
    if (found === undefined) throw new Error(`the topology lists nobody who calls ${name}.${rpc}`);
    return found;
  };
  return createClient(service, {
    unary: (method, ...call) => transportOf(method.name).unary(method, ...call),
    stream: (method, ...call) => transportOf(method.name).stream(method, ...call),
  });
}
