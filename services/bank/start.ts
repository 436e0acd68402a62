import type { Clock } from "../_runtime/clock.ts";
import type { AcquirerSettings } from "../_runtime/config-acquirer.ts";
import type { StartService } from "../_runtime/hosting.ts";
import { openKeys } from "../_runtime/key-files.ts";
import { keyFile } from "../_runtime/key-ring.ts";
import type { Log } from "../_runtime/log.ts";
import { createSecret } from "../_runtime/secret.ts";
import { readBankPassword } from "../_runtime/token-files.ts";
import { describeAddress } from "./connectors/dial.ts";
import { createIso8583Connector } from "./connectors/iso8583.ts";
import { createRouter, type Router } from "./router.ts";
import { createBank } from "./service.ts";
import { createVault } from "./vault.ts";

/** The names that attempts remember their banks by. They are in the database: they must not change. */
const SANDBOX_NAME = "sandbox";
const LIVE_NAME = "live";

/**
 * Starts the bank service: the card keys; the bank of sandbox accounts, at TRIPE_ACQUIRER_ADDRESS or else the sandbox bank; and
 * the bank of live accounts, at TRIPE_LIVE_ACQUIRER_ADDRESS or else none.
 */
export const startBank: StartService<"bank"> = async ({ config, clock, log }) => {
  const file = keyFile(config.dataDir, "card");
  const vault = createVault(openKeys({ kind: "card", file, given: config.cardKey?.reveal(), clock }));
  const { acquirer, dataDir } = config;
  const password = acquirer.isSandbox
    ? (acquirer.password ?? createSecret(await readBankPassword(dataDir)))
    : acquirer.password;
  const router = openRouter(SANDBOX_NAME, { ...acquirer, password }, { clock, log });
  const liveRouter = config.liveAcquirer && openRouter(LIVE_NAME, config.liveAcquirer, { clock, log });
  return {
    implementation: createBank({ router, liveRouter, vault, clock, log }),
    close: async () => {
      await Promise.all([router.close(), liveRouter?.close()]);
    },
  };
};

function openRouter(name: string, settings: AcquirerSettings, { clock, log }: { clock: Clock; log: Log }): Router {
  const { host, port, socketPath, tls, id: acquirer, password, ...files } = settings;
  const address = { host, port, socketPath, ...(tls && { tls: files }) };
  const connector = createIso8583Connector({ name, address, acquirer, password, clock, log });
  return createRouter({ banks: [{ name, connector, address: describeAddress(address), weight: 1 }], clock });
}
