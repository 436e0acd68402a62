import {
  type DescMethod,
  type DescMethodUnary,
  type DescService,
  fromJson,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { noFacts } from "../../services/_runtime/call-facts.ts";
import { contracts } from "../../services/_runtime/clients.ts";
import { defaultTimeoutMs } from "../../services/_runtime/deadlines.ts";
import { codeName, refusalOf } from "../../services/_runtime/errors.ts";
import { endQuietlyWithReader } from "../../services/_runtime/quiet-pipe.ts";
import { isServiceName, type ServiceName } from "../../services/_runtime/topology.ts";
import { connectOperator } from "./operator.ts";

endQuietlyWithReader();

// npm run call -- reader GetCustomer '{"accountId":"acct_…","customerId":"cus_…"}'
// One rpc by hand, as the operator. The service judges whether the operator may call it.
try {
  const [service = "", rpc = "", json = "{}"] = process.argv.slice(2);
  const name = findService(service);
  const answer = await call(name, findRpc(name, rpc), JSON.parse(json));
  process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
} catch (error) {
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = 1;
}

async function call(name: ServiceName, method: DescMethodUnary, input: JsonValue): Promise<JsonValue> {
  const request = fromJson(method.input, input);
  const { transportFor, close } = await connectOperator();
  try {
    const timeoutMs = defaultTimeoutMs(method.name);
    const bare = { caller: undefined, facts: noFacts, timeoutMs, cancellation: undefined, headers: undefined };
    const { message } = await transportFor(name).unary(method, bare, request);
    return toJson(method.output, message);
  } finally {
    close();
  }
}

function findService(word: string): ServiceName {
  if (isServiceName(word)) return word;
  throw new Error(`say which service: ${Object.keys(contracts).join(", ")}`);
}

function findRpc(name: ServiceName, word: string): DescMethodUnary {
  const service: DescService = contracts[name];
  const found = service.methods.find((method) => method.name === word);
  if (found !== undefined && isUnary(found)) return found;
  throw new Error(`say which rpc of ${name}: ${service.methods.map((method) => method.name).join(", ")}`);
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function describe(error: unknown): string {
  if (!(error instanceof ConnectError)) return error instanceof Error ? error.message : String(error);
  const refusal = refusalOf(error);
  const reason = refusal === undefined ? "" : ` ${refusal.reason} ${refusal.field}`.trimEnd();
  return `${codeName(error.code)}${reason}: ${error.rawMessage}`;
}
