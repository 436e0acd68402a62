import type { Clock } from "./clock.ts";
import { RESERVE_MS } from "./deadlines.ts";

/**
 * Deadlines are rounded up to a multiple of this. It is shorter than what a call keeps for itself of its time (`RESERVE_MS`), so that a
 * callee's deadline falls into an earlier slot than its caller's, which can still answer.
 */
export const SLOT_MS = RESERVE_MS - 1;

/** What has a deadline. */
export interface Expiring {
  /** Called once its deadline has passed. */
  expire(): void;
}

/**
 * The deadlines of many calls under one timer: setting one and taking it back costs a Set's add and delete, and no more than a timer in
 * some seconds is armed while calls end in time.
 */
export interface DeadlineWheel {
  /** Sets a deadline, a moment of the clock's `preciseMs`: it expires never early, at most SLOT_MS late. Returns its slot. */
  add(dueMs: number, expiring: Expiring): number;
  /** Takes a deadline out of its slot; harmless when it has passed. */
  remove(slot: number, expiring: Expiring): void;
}

const wheels = new WeakMap<Clock, DeadlineWheel>();

/** The wheel of a clock. */
export function deadlineWheelOf(clock: Clock): DeadlineWheel {
  const known = wheels.get(clock);
  if (known !== undefined) return known;
  const wheel = createDeadlineWheel(clock);
  wheels.set(clock, wheel);
  return wheel;
}

function createDeadlineWheel(clock: Clock): DeadlineWheel {
  const slots = new Map<number, Set<Expiring>>();
  let armedSlot = Number.POSITIVE_INFINITY;
  let disarm = () => {};
  const arm = (slot: number) => {
    disarm();
    armedSlot = slot;
    disarm = clock.setTimer(turn, Math.max(0, Math.ceil(slot * SLOT_MS - clock.preciseMs())));
  };
  // One slot at a time: between two of them those who waited for what expired can go on.
  const turn = () => {
    armedSlot = Number.POSITIVE_INFINITY;
    const first = firstOf(slots);
    if (first === Number.POSITIVE_INFINITY) return;
    // Node's timers count whole milliseconds and may fire up to one early.
    if (first * SLOT_MS > clock.preciseMs()) return arm(first);
    const due = slots.get(first);
    slots.delete(first);
    const next = firstOf(slots);
    if (next !== Number.POSITIVE_INFINITY) arm(next);
    for (const expiring of due ?? []) expiring.expire();
  };
  return {
    add(dueMs, expiring) {
      const slot = Math.ceil(dueMs / SLOT_MS);
      const known = slots.get(slot);
      if (known !== undefined) known.add(expiring);
      else slots.set(slot, new Set([expiring]));
      if (slot < armedSlot) arm(slot);
      return slot;
    },
    remove(slot, expiring) {
      const set = slots.get(slot);
      if (set?.delete(expiring) === true && set.size === 0) slots.delete(slot);
    },
  };
}

function firstOf(slots: ReadonlyMap<number, unknown>): number {
  let first = Number.POSITIVE_INFINITY;
  for (const slot of slots.keys()) first = Math.min(first, slot);
  return first;
}
