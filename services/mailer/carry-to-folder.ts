import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DeliveryState } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import type { Carrier } from "./carrier.ts";
import type { ComposedMail } from "./compose.ts";

/** Makes a carrier that writes mails as `<Message-ID>.eml`: a mail carried twice is one file, and no file is ever half. */
export function createFolderCarrier(folder: string): Carrier {
  return {
    async carry(mail) {
      const path = await writeMail(folder, mail);
      return mail.to.map((recipient) => ({ recipient, state: DeliveryState.ACCEPTED, reply: `written to ${path}` }));
    },
    close() {},
  };
}

let writtenCount = 0;

async function writeMail(folder: string, { messageId, bytes }: ComposedMail): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${messageId}.eml`);
  writtenCount += 1;
  // Two writers of one mail, in one process or in two, never share a file.
  const draft = join(folder, `.${messageId}.${process.pid}.${writtenCount}`);
  try {
    const file = await open(draft, "w");
    try {
      await file.writeFile(bytes);
      // Accepted means kept, also when the machine stops now.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return path;
}
