import { createClient } from "../../../services/_database/connect-client.ts";
import { renamed, type TestServer, templateName } from "../../../services/_database/testing-server.ts";
import { randomHex } from "../../../services/_runtime/random.ts";
import type { SimulationUrls } from "./database.ts";

/** Clones a database for simulations outside of vitest; it ends with its server. */
export async function cloneForSimulation({ ownerUrl, roleUrls }: TestServer): Promise<SimulationUrls> {
  const name = `simulation_${randomHex(6)}`;
  const client = createClient({ url: ownerUrl, name: "tripe_simulation" });
  await client.connect();
  try {
    await client.query(`create database ${name} template ${templateName} strategy file_copy`);
  } finally {
    await client.end();
  }
  const { reader, writer, audit } = roleUrls;
  return {
    owner: renamed(ownerUrl, name),
    reader: renamed(reader, name),
    writer: renamed(writer, name),
    audit: renamed(audit, name),
  };
}
