import {
  type DescMethod,
  type DescMethodUnary,
  type DescService,
  fromJson,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { contracts } from "../../services/_runtime/clients.ts";
import { readRunningConfig } from "../../services/_runtime/config.ts";
import { codeName, refusalOf } from "../../services/_runtime/errors.ts";
import { isServiceName, type ServiceName } from "../../services/_runtime/topology.ts";

// npm run call -- reader GetCustomer '{"accountId":"acct_…","customerId":"cus_…"}'
// One rpc by hand, through connect-node's own gRPC client: what a program of somebody else's would use.
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
  const transport = createGrpcTransport({ baseUrl: `http://${readRunningConfig().addresses[name]}` });
  const request = fromJson(method.input, input);
  const response = await transport.unary(method, undefined, undefined, undefined, request);
  return toJson(method.output, response.message);
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
