import type { Wiring } from "./figure.ts";
import type { Sizes } from "./measure.ts";

/** What a run was asked for. */
export interface Asked {
  /** Names of measures; none for all of them. */
  readonly names: readonly string[];
  readonly sizes: Sizes;
  readonly wirings: readonly Wiring[];
  readonly port: number;
  /** The git ref that comes before; undefined without one. */
  readonly against: string | undefined;
}

/** Sizes of a run that is asked for none; two turns, since one shows no spread. */
const defaults: Sizes = {
  seconds: 12,
  warmup: 10,
  turns: 2,
  connections: 128,
  charges: 1_000_000,
  subscriptions: 10_000,
};

/** Every size has a most, so that a slip of a digit does not take the machine for a day. */
const most: Sizes = {
  seconds: 600,
  warmup: 600,
  turns: 20,
  connections: 1_000,
  charges: 10_000_000,
  subscriptions: 100_000,
};

/** Distant from the ports of the tests and of the soak. */
const PORT = 24_700;

/** Reads words such as `charges seconds=10 turns=1 wiring=one --against main`. Throws words for what it does not know. */
export function readBenchArguments(words: readonly string[], known: readonly string[]): Asked {
  const rest = [...words];
  const at = rest.indexOf("--against");
  const [, against] = at < 0 ? [] : rest.splice(at, 2);
  if (at >= 0 && against === undefined) throw new Error("--against takes a git ref");
  const names = rest.filter((word) => !word.includes("="));
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`there is no measure ${unknown}; there are ${known.join(", ")}`);
  const sizes: Record<string, number> = { ...defaults };
  let wirings: Wiring[] = ["processes", "one"];
  let port = PORT;
  for (const [name = "", value = ""] of rest.filter((word) => word.includes("=")).map((word) => word.split("="))) {
    if (name === "wiring") wirings = readWirings(value);
    else if (name === "port") port = readNumber(name, value, 65_000);
    else if (Object.hasOwn(most, name)) sizes[name] = readNumber(name, value, most[name as keyof Sizes]);
    else throw new Error(`there is no size ${name}; there are ${[...Object.keys(most), "wiring", "port"].join(", ")}`);
  }
  return { names, sizes: { ...defaults, ...sizes }, wirings, port, against };
}

/** What `npm run profile` was asked for. */
export interface AskedProfile {
  readonly name: string;
  readonly seconds: number;
  readonly wirings: readonly Wiring[];
  readonly port: number;
}

/** Reads words such as `charge seconds=10 wiring=one`. Throws words for what it does not know. */
export function readProfileArguments(words: readonly string[], known: readonly string[]): AskedProfile {
  const names = words.filter((word) => !word.includes("="));
  const [name] = names;
  if (name === undefined || names.length > 1 || !known.includes(name)) {
    throw new Error(`npm run profile -- work [seconds=10] [wiring=one]; work is one of ${known.join(", ")}`);
  }
  const sizes = words.filter((word) => word.includes("="));
  const { wirings, port, sizes: read } = readBenchArguments(["seconds=10", ...sizes], []);
  return { name, seconds: read.seconds, wirings, port };
}

function readWirings(value: string): Wiring[] {
  if (value === "one" || value === "processes") return [value];
  throw new Error(`wiring is one or processes, not ${value}`);
}

function readNumber(name: string, value: string, max: number): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw new Error(`${name} is a whole number from 1 to ${max}, not ${value}`);
}
