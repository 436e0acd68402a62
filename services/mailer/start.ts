import { join } from "node:path";
import type { StartService } from "../_runtime/hosting.ts";
import { createSmtpCarrier } from "./carry-by-smtp.ts";
import { createFolderCarrier } from "./carry-to-folder.ts";
import { createSender } from "./send.ts";
import { createMailer } from "./service.ts";

/** Starts the mailer: over the mail server at SMTP_URL, else into `<dataDir>/mail`. */
export const startMailer: StartService<"mailer"> = async ({ config, clock, log }) => {
  const { smtpUrl: url, dataDir } = config;
  const carrier = url === undefined ? createFolderCarrier(join(dataDir, "mail")) : createSmtpCarrier({ url, log });
  return {
    implementation: createMailer({ send: createSender({ carrier, clock }) }),
    close: async () => carrier.close(),
  };
};
