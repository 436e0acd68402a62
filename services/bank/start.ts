import type { StartService } from "../_runtime/hosting.ts";
import { openKeys } from "../_runtime/key-files.ts";
import { keyFile } from "../_runtime/key-ring.ts";
import { createIso8583Connector } from "./connectors/iso8583.ts";
import { createRouter } from "./router.ts";
import { createBank } from "./service.ts";
import { createVault } from "./vault.ts";

/** The name that attempts remember their bank by. It is in the database: it must not change. */
const BANK_NAME = "sandbox";

/** Starts the bank service: the card keys, and one bank, at TRIPE_ACQUIRER_ADDRESS; without it, the sandbox bank. */
export const startBank: StartService<"bank"> = async ({ config, clock, log }) => {
  const file = keyFile(config.dataDir, "card");
  const vault = createVault(openKeys({ kind: "card", file, given: config.cardKey?.reveal(), clock }));
  const { host, port, socketPath, tls, id: acquirer, ...files } = config.acquirer;
  const address = { host, port, socketPath, ...(tls && { tls: files }) };
  const connector = createIso8583Connector({ name: BANK_NAME, address, acquirer, clock, log });
  const router = createRouter({ banks: [{ name: BANK_NAME, connector, weight: 1 }], clock });
  return { implementation: createBank({ router, vault, clock, log }), close: () => router.close() };
};
