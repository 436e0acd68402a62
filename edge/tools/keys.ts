import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AskEdge, createAskEdge, describeCertificateProblem } from "../../services/_runtime/ask-edge.ts";
import { readRunningConfig } from "../../services/_runtime/config.ts";
import { endQuietlyWithReader } from "../../services/_runtime/quiet-pipe.ts";
import { runKeyCommand } from "./api-keys.ts";
import { runAsOperator } from "./run-as-operator.ts";

endQuietlyWithReader();

// npm run keys: the sandbox secret key that `npm start` made, and whether a running Tripe takes it.
// npm run keys -- create|list|roll|revoke: the API keys of every account.
const [command, ...words] = process.argv.slice(2);
if (command === undefined) await showSandboxKey();
else await runAsOperator((tools) => runKeyCommand(tools, command, words));

async function showSandboxKey(): Promise<void> {
  const config = readRunningConfig();
  const path = join(config.dataDir, "secrets", "api.key");
  const key = config.secretKey?.reveal() ?? (await readFile(path, "utf8").catch(() => "")).trim();
  if (key === "") {
    process.stderr.write(`there is no sandbox key in ${path}; start Tripe once with npm start\n`);
    process.exitCode = 1;
    return;
  }
  process.stdout.write(`sandbox secret key  ${key}\n`);
  process.stdout.write(
    `at ${config.url}   ${await askWith(createAskEdge({ url: config.url, certFile: config.edgeTls?.certFile }), key)}\n`,
  );
}

async function askWith(ask: AskEdge, secretKey: string): Promise<string> {
  const headers = { authorization: `Bearer ${secretKey}` };
  try {
    const { status } = await ask({ path: "/v1/charges?limit=1", headers });
    return status === 200 ? "opens" : `refused with ${status}`;
  } catch (error) {
    return describeCertificateProblem(error) ?? "no Tripe answers";
  }
}
