import { join } from "node:path";
import type { StartService } from "../_runtime/hosting.ts";
import { createSmtpCarrier } from "./carry-by-smtp.ts";
import { createFolderCarrier } from "./carry-to-folder.ts";
import { createSender } from "./send.ts";
import { createServerWatch } from "./server-watch.ts";
import { createMailer } from "./service.ts";

/**
 * Starts the mailer: over the mail server at SMTP_URL, else into `<dataDir>/mail`. The server is tried at once, in the
 * background: one that is away stops nothing but mails.
 */
export const startMailer: StartService<"mailer"> = async ({ config, clock, log }) => {
  const { smtpUrl: url, dataDir } = config;
  if (url === undefined) {
    const carrier = createFolderCarrier(join(dataDir, "mail"));
    const send = createSender({ carrier, clock });
    return { implementation: createMailer({ send }), close: async () => carrier.close() };
  }
  const watch = createServerWatch({ clock, log });
  const carrier = createSmtpCarrier({ url, log, onTried: watch.note });
  watch.start(carrier.tryServer);
  return {
    implementation: createMailer({ send: createSender({ carrier, clock }), serverState: watch.state }),
    close: async () => {
      watch.stop();
      carrier.close();
    },
  };
};
