import type { Fault, FaultKind } from "../../../services/bank/sandbox/faults.ts";
import type { Random } from "../random.ts";

/** What goes wrong in one run, and how often: each seed has a weather of its own, from calm to wild. */
export interface Weather {
  /** Until then, all is well. */
  begin(): void;
  /** From then on too. */
  clear(): void;
  isClear(): boolean;
  /** How long a message of this rpc is under way between services, in milliseconds. */
  delayMs(rpc: string): number;
  refuses(): boolean;
  losesAnswer(): boolean;
  /** Whether a service dies, or stands still, before this turn. */
  kills(): boolean;
  pauses(): boolean;
  /** What goes wrong with the bank's next message. */
  bankFault(): Fault | undefined;
  /** Whether the bank's line is down for this message. */
  isBankAway(): boolean;
}

/** All ways of the bank's to go wrong; each is as likely as another, since their shares in reality say nothing of their danger. */
const BANK_FAULTS: readonly [FaultKind, ...FaultKind[]] = [
  "lose",
  "drop",
  "late",
  "delay",
  "double",
  "reset",
  "malformed",
  "echo",
];

/** How late the late are: as in the sandbox bank (faults.ts). */
const LATE_MIN_MS = 5_000;
const LATE_MAX_MS = 120_000;

/** At their worst: shares of messages, and of turns, of which a run has a thousand. Beyond these little gets done at all. */
const WORST = { slow: 0.3, victim: 0.9, refused: 0.1, lost: 0.15, bank: 0.7, away: 0.6, kill: 0.02, pause: 0.004 };

/** A slow message is mostly late by less than a second, and now and then by more than a lease. */
const SLOW_MS = 800;
const STUCK_MS = 40_000;
const STUCK_SHARE = 0.3;

/** Each run has one rpc whose messages get stuck: those with which the money of a charge or a return moves on. */
const VICTIMS: readonly [string, ...string[]] = ["SettleCharge", "SettleReturn", "BeginCharge", "Submit"];

/** A third of the troubles do not come at all. */
const NONE_SHARE = 0.35;

/** Makes a run's weather: each kind of trouble is as bad as chance has it. */
export function createWeather(random: Random): Weather {
  const draw = (worst: number) => (random.next() < NONE_SHARE ? 0 : random.next() * worst);
  const shares = {
    slow: draw(WORST.slow),
    victim: draw(WORST.victim),
    refused: draw(WORST.refused),
    lost: draw(WORST.lost),
    bank: draw(WORST.bank),
    away: draw(WORST.away),
    kill: draw(WORST.kill),
    pause: draw(WORST.pause),
  };
  const victim = random.pick(VICTIMS);
  let phase: "before" | "trouble" | "clear" = "before";
  const comes = (share: number) => phase === "trouble" && share > 0 && random.next() < share;
  return {
    begin: () => {
      phase = "trouble";
    },
    clear: () => {
      phase = "clear";
    },
    isClear: () => phase === "clear",
    delayMs: (rpc) => {
      if (rpc === victim && comes(shares.victim)) return Math.floor(random.next() * STUCK_MS);
      if (!comes(shares.slow)) return 0;
      return Math.floor(random.next() * (random.next() < STUCK_SHARE ? STUCK_MS : SLOW_MS));
    },
    refuses: () => comes(shares.refused),
    losesAnswer: () => comes(shares.lost),
    kills: () => comes(shares.kill),
    pauses: () => comes(shares.pause),
    bankFault: () => {
      if (!comes(shares.bank)) return undefined;
      const lateMs = Math.floor(LATE_MIN_MS + random.next() * (LATE_MAX_MS - LATE_MIN_MS));
      return { kind: random.pick(BANK_FAULTS), lateMs };
    },
    isBankAway: () => comes(shares.away),
  };
}
