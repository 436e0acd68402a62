// Starts a whole Tripe in a temporary folder and calls one rpc of every service over its socket as the operator, as a
// person's own programs would: with `buf curl` through reflection, and with connect-node's own gRPC client.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// An rpc, its request, and the code that answers it: what the topology does not list for the operator is refused.
const calls = {
  reader: ["ListCharges", { accountId: "acct_none" }, "ok"],
  writer: ["LeaseAttempts", { limit: 1 }, "permission_denied"],
  transactions: ["ResolveAttempts", { limit: 1 }, "permission_denied"],
  scheduler: ["GetStatus", {}, "ok"],
  pdf: ["RenderInvoice", {}, "permission_denied"],
  bank: ["SealCard", {}, "permission_denied"],
  mailer: ["SendReceipt", {}, "permission_denied"],
  webhooks: ["DeliverEvent", {}, "permission_denied"],
};

// A first start compiles everything, ten times over: 8 s on a quiet machine, 30 s on a busy one.
const startMaxMs = 90_000;

// `run` runs a program to its end, and rejects with what it printed when that is a bad one.
export async function checkRpcs(run) {
  const { contracts } = await import("../services/_runtime/clients.ts");
  const { portOffset } = await import("../services/_runtime/topology.ts");
  const dataDir = await mkdtemp(join(tmpdir(), "tripe-rpcs-"));
  const port = await findPort(Math.max(...Object.values(portOffset)));
  const tripe = startTripe({ PORT: String(port), TRIPE_DATA_DIR: dataDir });
  try {
    await tripe.up;
    const token = (await readFile(join(dataDir, "secrets", "operator.token"), "utf8")).trim();
    for (const [name, [rpc, request, wanted]] of Object.entries(calls)) {
      const path = join(dataDir, "run", `${name}.sock`);
      const call = { contract: contracts[name], path, token, rpc, request };
      for (const [how, code] of [
        ["buf curl", await callWithBuf(call, run)],
        ["connect-node", await callWithConnect(call)],
      ]) {
        if (code !== wanted) throw new Error(`${how} of ${name} ${rpc}: ${code} instead of ${wanted}`);
      }
    }
  } finally {
    await tripe.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

async function callWithBuf({ contract, path, token, rpc, request }, run) {
  const url = `http://localhost/${contract.typeName}/${rpc}`;
  const how = ["--protocol", "grpc", "--http2-prior-knowledge", "--unix-socket", path];
  try {
    await run("buf", ["curl", ...how, "-H", `authorization: Bearer ${token}`, "-d", JSON.stringify(request), url]);
    return "ok";
  } catch (error) {
    return /"code":\s*"(\w+)"/.exec(error.message)?.[1] ?? error.message;
  }
}

async function callWithConnect({ contract, path, token, rpc, request }) {
  const { Code, createClient } = await import("@connectrpc/connect");
  const { createGrpcTransport } = await import("@connectrpc/connect-node");
  const nodeOptions = { createConnection: () => connect({ path }) };
  const client = createClient(contract, createGrpcTransport({ baseUrl: "http://localhost", nodeOptions }));
  try {
    const headers = { authorization: `Bearer ${token}` };
    await client[rpc[0].toLowerCase() + rpc.slice(1)](request, { headers });
    return "ok";
  } catch (error) {
    const word = Code[error.code] ?? String(error);
    return word.replaceAll(/(?<=[a-z])[A-Z]/g, "_$&").toLowerCase();
  }
}

function startTripe(settings) {
  const main = fileURLToPath(new URL("start.mjs", import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, DATABASE_URL: "", ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  let output = "";
  const up = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Tripe was not up in time:\n${output}`)), startMaxMs);
    const fail = () => reject(new Error(`Tripe ended:\n${output}`));
    ended.then(fail, reject).finally(() => clearTimeout(timer));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data) => {
        output += data;
        if (output.includes("Ctrl-C ends it")) resolve();
      });
    }
  });
  return {
    up,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

// A port followed by so many free ones. Below the range from which the system gives ports to callers.
async function findPort(more) {
  for (let port = 20_000 + (process.pid % 1_000) * 12; ; port += 12) {
    const free = await Promise.all(Array.from({ length: more + 1 }, (_, index) => isFree(port + index)));
    if (free.every(Boolean)) return port;
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
