/**
 * The attempts that end a hold, or may yet: a capture or a release that has not failed; such a one is never given up
 * (give-up.ts). At most one: in the words of the index `attempt_ending`, so that it is found by it. `charge` is the alias
 * of its charge.
 */
export function endingsOf(charge: string): string {
  return `select from attempt x where x.account_id = ${charge}.account_id and x.charge_id = ${charge}.charge_id
    and x.kind in ('capture', 'reverse') and x.state in ('pending', 'succeeded')`;
}

/** What is violated by who comes second: to a request id, or to the one end of a hold. */
export const LOST_RACES: ReadonlySet<string | undefined> = new Set(["idempotency_pkey", "attempt_ending"]);
