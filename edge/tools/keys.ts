import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readRunningConfig } from "../../services/_runtime/config.ts";

// `npm run keys`: prints the sandbox secret key that `npm start` made, and whether a running Tripe takes it. Making,
// rotating and revoking keys wait for rpcs of the writer: a tool of the edge does not go to the database by itself.
const config = readRunningConfig();
const path = join(config.dataDir, "secrets", "api.key");
const key = config.secretKey?.reveal() ?? (await readFile(path, "utf8").catch(() => "")).trim();

if (key === "") {
  process.stderr.write(`there is no sandbox key in ${path}; start Tripe once with npm start\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(`sandbox secret key  ${key}\n`);
  process.stdout.write(`at ${config.url}   ${await askWith(key)}\n`);
}

async function askWith(secretKey: string): Promise<string> {
  const headers = { authorization: `Bearer ${secretKey}` };
  const response = await fetch(`${config.url}/v1/charges?limit=1`, { headers }).catch(() => undefined);
  if (response === undefined) return "no Tripe answers";
  return response.status === 200 ? "opens" : `refused with ${response.status}`;
}
