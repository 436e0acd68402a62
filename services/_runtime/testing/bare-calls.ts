import type { DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { noFacts } from "../call-facts.ts";
import type { OutgoingCall, ServiceTransport } from "../service-transport.ts";

/** A call as a program sends it that knows nothing of Tripe's clients: without facts, and unless told otherwise without a name. */
export function bareCall(given: { caller?: string; headers?: HeadersInit; timeoutMs?: number } = {}): OutgoingCall {
  const { caller, headers, timeoutMs = 5_000 } = given;
  return { caller, facts: noFacts, timeoutMs, cancellation: undefined, headers };
}

/** Makes such a call; resolves to the error it ends with, undefined when it ends well. */
export async function errorOfBareCall(
  transport: ServiceTransport,
  method: DescMethod,
  call: OutgoingCall,
  input: MessageInitShape<DescMethod["input"]>,
): Promise<ConnectError | undefined> {
  if (method.methodKind !== "unary") throw new Error(`${method.name} is a stream: no test calls one so`);
  return transport.unary({ ...method, methodKind: "unary" }, call, input).then(
    () => undefined,
    (error: unknown) => ConnectError.from(error),
  );
}
