import { resolve } from "node:path";
import { isUnavailable } from "./_database/connect.ts";
import { type RotationOptions, RotationRefusal, resealAll, retireKeys, rotateKey } from "./_database/key-rotation.ts";
import { findRoleUrl } from "./_database/role-url.ts";
import { systemClock } from "./_runtime/clock.ts";
import { readRunningConfig } from "./_runtime/config.ts";
import { readKeyRing } from "./_runtime/key-files.ts";
import { type KeyKind, keyFile, keyKinds } from "./_runtime/key-ring.ts";
import { endQuietlyWithReader } from "./_runtime/quiet-pipe.ts";

endQuietlyWithReader();

// npm run keys -- rotate|reseal|retire card|request|database|webhook, npm run keys -- rings
// The keys that belong to the database, beside a Tripe that runs or with DATABASE_URL. Every other command is edge/tools/keys.ts's: API keys.

const config = readRunningConfig();
const print = (words: string) => process.stdout.write(`${words}\n`);

const commands: Readonly<Record<string, (kind: KeyKind, flags: readonly string[]) => Promise<void>>> = {
  rotate: async (kind) => {
    const options = await optionsOf(kind);
    const { first, keys } = await rotateKey(options);
    if (kind === "database") {
      print(
        `database: the new key ${keys.at(-1)?.id} is used once Tripe is stopped and started anew; then retire ${first.id}`,
      );
      return;
    }
    print(`${kind}: the new key ${first.id} is in use; ${keys.slice(1).map(({ id }) => id)} is still accepted`);
    if (kind === "card" || kind === "webhook") await report(options);
  },
  reseal: async (kind) => report(await optionsOf(kind)),
  retire: async (kind, flags) => {
    const retired = await retireKeys({ ...(await optionsOf(kind)), breaksLinks: flags.includes("--break-links") });
    print(`${kind}: retired ${retired.join(", ")}`);
  },
};

const [command = "", kind = "", ...flags] = process.argv.slice(2);
try {
  if (command === "rings") await printRings();
  else if (Object.hasOwn(commands, command)) await commands[command]?.(kindOf(kind), flags);
  else await import("../edge/tools/keys.ts");
} catch (error) {
  process.exitCode = 1;
  if (error instanceof RotationRefusal) print(error.message);
  else if (isUnavailable(error)) print("the database does not answer: start Tripe (npm start), then run this again");
  else throw error;
}

async function report(options: RotationOptions): Promise<void> {
  const { count, unopenedCount } = await resealAll(options);
  print(
    `${options.kind}: sealed ${count} anew; the older key can be retired in a minute (npm run keys -- retire ${options.kind})`,
  );
  if (unopenedCount > 0) throw new RotationRefusal(`${unopenedCount} do not open with any key and stay as they are`);
}

async function optionsOf(of: KeyKind): Promise<RotationOptions> {
  if (of === "card" && config.cardKey !== undefined) {
    throw new RotationRefusal("TRIPE_CARD_KEY is set: put a new key before the others there, and start Tripe anew");
  }
  if (config.databaseUrl !== undefined && new URL(config.databaseUrl.reveal()).username === "") {
    throw new RotationRefusal(
      "this Tripe runs on a database of its own server: set DATABASE_URL as it was set for npm start",
    );
  }
  const dataDir = resolve(config.dataDir);
  return { kind: of, dataDir, ownerUrl: await findRoleUrl({ ...config, dataDir }, "owner"), clock: systemClock };
}

function kindOf(word: string): KeyKind {
  const found = keyKinds.find((one) => one === word);
  if (found === undefined) throw new RotationRefusal(`name one of ${keyKinds.join(", ")}, not "${word}"`);
  return found;
}

async function printRings(): Promise<void> {
  for (const one of keyKinds) {
    const ring = await readKeyRing(one, keyFile(resolve(config.dataDir), one));
    print(`${one.padEnd(9)} ${ring?.keys.map(({ id }) => id).join(" ") ?? "missing"}`);
  }
}
