import { type Env, read } from "./config-read.ts";

/** What Tripe keeps of each charge of an account. */
export interface FeeSettings {
  /** Hundredths of a percent of the amount, from 0 to 10,000. */
  readonly basisPoints: number;
  /** A fixed part, in minor units of a currency with two decimals, up to 1,000,000. */
  readonly fixedMinor: number;
}

// As the table `account` has it: all of the amount, and ten thousand units.
const RATE_MAX = 10_000;
const FIXED_MAX = 1_000_000;

/** Reads TRIPE_FEE: "2.9%+30", "2.9%", "30", or "none". */
export function readFee(env: Env): FeeSettings {
  return parseFee(read(env, "TRIPE_FEE") ?? "none", "TRIPE_FEE");
}

/** Reads a fee as a person writes it: "2.9%+30", "2.9%", "30", or "none". Throws in words that begin with `name`. */
export function parseFee(value: string, name: string): FeeSettings {
  if (value === "none") return { basisPoints: 0, fixedMinor: 0 };
  const [form, whole = "0", decimals = "", beside, alone] =
    /^(?:(\d{1,3})(?:\.(\d{1,2}))?%(?:\+(\d{1,7}))?|(\d{1,7}))$/.exec(value) ?? [];
  const basisPoints = Number(whole) * 100 + Number(decimals.padEnd(2, "0"));
  const fixedMinor = Number(beside ?? alone ?? 0);
  if (form !== undefined && basisPoints <= RATE_MAX && fixedMinor <= FIXED_MAX) return { basisPoints, fixedMinor };
  throw new Error(
    `${name} must be a rate with up to two decimals and a fixed part, such as 2.9%+30, 2.9%, 30 or none, not "${value}"`,
  );
}
