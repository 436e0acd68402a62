import { type Env, read, readSwitch } from "./config-read.ts";
import { isLoopbackHost } from "./host-port.ts";
import { portOffset } from "./topology.ts";
import type { WebhookReach } from "./webhook-reach.ts";

/** What of the other settings webhooks are kept off. */
interface Surroundings {
  readonly port: number;
  readonly listenHost: string;
  readonly acquirerPorts: readonly number[];
}

/** The ports of urls that name none. */
const defaultPorts: Readonly<Record<string, number>> = {
  "smtps:": 465,
  "smtp:": 587,
  "postgres:": 5_432,
  "postgresql:": 5_432,
};

/** Reads TRIPE_WEBHOOKS_LOOPBACK and TRIPE_WEBHOOKS_CLOSED_PORTS. */
export function readWebhooks(env: Env, { port, listenHost, acquirerPorts }: Surroundings): WebhookReach {
  const given = readSwitch(env, "TRIPE_WEBHOOKS_LOOPBACK");
  const byDefault = isLoopbackHost(listenHost) ? "sandbox" : "no";
  const own = Array.from({ length: Math.max(...Object.values(portOffset)) + 1 }, (_, index) => port + index);
  const used = [read(env, "DATABASE_URL"), read(env, "SMTP_URL")].flatMap((url) => portsOf(url));
  const closedPorts = new Set([...own, ...used, ...acquirerPorts, ...readPorts(env)]);
  return { loopback: given === undefined ? byDefault : given ? "yes" : "no", closedPorts: [...closedPorts] };
}

function portsOf(text: string | undefined): number[] {
  if (text === undefined || !URL.canParse(text)) return [];
  const { port, protocol } = new URL(text);
  return [port === "" ? (defaultPorts[protocol] ?? 0) : Number(port)];
}

function readPorts(env: Env): number[] {
  const words = (read(env, "TRIPE_WEBHOOKS_CLOSED_PORTS") ?? "").split(",").map((word) => word.trim());
  const ports = words.filter((word) => word !== "");
  if (ports.every((word) => /^\d{1,5}$/.test(word) && Number(word) <= 65_535)) return ports.map(Number);
  throw new Error(`TRIPE_WEBHOOKS_CLOSED_PORTS must be ports with commas between, not "${ports.join(",")}"`);
}
