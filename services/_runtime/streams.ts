import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { HandlerContext, MethodImplSpec } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { validate } from "./validate.ts";

type Input = MessageShape<DescMessage>;
type Output = MessageInitShape<DescMessage>;

/** Runs an rpc of any kind as a stream of inputs to a stream of outputs; every input is validated. */
export async function* streamOutputs(
  spec: MethodImplSpec,
  messages: AsyncIterable<Input>,
  context: HandlerContext,
): AsyncGenerator<Output> {
  const inputs = validated(spec, messages);
  switch (spec.kind) {
    case "unary":
      yield await spec.impl(await single(inputs), context);
      break;
    case "server_streaming":
      yield* spec.impl(await single(inputs), context);
      break;
    case "client_streaming":
      yield await spec.impl(inputs, context);
      break;
    case "bidi_streaming":
      yield* spec.impl(inputs, context);
      break;
  }
}

/** The only message of a stream; refuses a stream of none or of several. */
export async function single<T>(messages: AsyncIterable<T>): Promise<T> {
  const list: T[] = [];
  for await (const message of messages) {
    if (list.push(message) > 1) break;
  }
  const [first] = list;
  if (first === undefined || list.length > 1) {
    throw new ConnectError("expected exactly one message", Code.Unimplemented);
  }
  return first;
}

async function* validated(spec: MethodImplSpec, messages: AsyncIterable<Input>): AsyncGenerator<Input> {
  for await (const message of messages) {
    validate(spec.method.input, message);
    yield message;
  }
}
