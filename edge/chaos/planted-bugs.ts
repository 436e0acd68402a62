/** A bug that a tired programmer could write, and the test that must find it. */
export interface PlantedBug {
  /** What goes wrong. */
  readonly sentence: string;
  /** Where, from the repository's root. */
  readonly file: string;
  /** What stands there, exactly once. */
  readonly find: string;
  /** What is written instead. */
  readonly put: string;
  /** The test that must fail then: its file, and a part of its name. */
  readonly test: { readonly file: string; readonly name: string };
}

const writer = "services/writer";
const transactions = "services/transactions";

/** T28: the first ten in `npm test`, all of them in the soak. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    sentence: "an unknown outcome is booked as one that failed",
    file: `${transactions}/attempt.ts`,
    find: "    default:\n      return postpone(dependencies, attempt, submitted);",
    put: "    default:\n      return settleAttempt(dependencies, attempt, { ...outcome, kind: OutcomeKind.NOT_SENT });",
    test: { file: `${transactions}/resolve.test.ts`, name: "a bank that goes wrong (lose)" },
  },
  {
    sentence: "a repeat that reached no bank fails what the first try may have done",
    file: `${transactions}/attempt.ts`,
    find: "return attempt.tries === 0",
    put: "return attempt.tries >= 0",
    test: { file: `${transactions}/resolve.test.ts`, name: "because its repeat did not reach the bank" },
  },
  {
    sentence: "whoever was paused for longer than a lease submits all the same",
    file: `${transactions}/attempt.ts`,
    find: "const isIt = clock.preciseMs() - askedMs < HOLD_MS;",
    put: "const isIt = clock.preciseMs() - askedMs < 1_000 * HOLD_MS;",
    test: { file: `${transactions}/pause.test.ts`, name: "asks no bank any more" },
  },
  {
    sentence: "each try has a bank reference of its own",
    file: `${transactions}/attempt.ts`,
    find: "        bankRef: attempt.bankRef,",
    put: `        bankRef: attempt.tries === 0 ? attempt.bankRef : \`\${attempt.bankRef}\${attempt.tries}\`,`,
    test: { file: `${transactions}/resolve.test.ts`, name: "a bank that goes wrong (drop)" },
  },
  {
    sentence: "a fence that is lost is not looked at when an attempt ends",
    file: `${writer}/settlement.ts`,
    find: "fence === settling.request.fence",
    put: "fence >= settling.request.fence",
    test: { file: `${writer}/interference.test.ts`, name: "NOT_SENT ends an attempt only for the holder" },
  },
  {
    sentence: "returns are added up without a look at what was captured",
    file: `${writer}/begin-return.ts`,
    find: "c.returned_minor + f.amount_minor <= c.captured_minor",
    put: "f.amount_minor <= c.captured_minor",
    test: { file: `${writer}/interference.test.ts`, name: "a return that waits for another one counts" },
  },
  {
    sentence: "a key used for another request answers with what it made",
    file: `${writer}/answers.ts`,
    find: "if (!row.request_digest.equals(request.requestDigest)) {",
    put: "if (row.request_digest.length > 1_000_000) {",
    test: { file: `${writer}/charges.test.ts`, name: "refuses a request id that was used for another charge" },
  },
  {
    sentence: "two answers that disagree raise no alert",
    file: `${writer}/outcomes.ts`,
    find: "if (isSame || heard.kind === OutcomeKind.NOT_SENT) return;",
    put: "if (isSame || heard.kind !== OutcomeKind.UNKNOWN) return;",
    test: { file: `${writer}/attempts.test.ts`, name: "raises one alert when two answers disagree" },
  },
  {
    sentence: "what a bank took after Tripe gave up is not given back",
    file: `${writer}/settle-late.ts`,
    find: "if (outcome.kind !== OutcomeKind.ACCEPTED) return undefined;",
    put: "if (outcome.kind !== OutcomeKind.UNKNOWN) return undefined;",
    test: { file: `${writer}/late.test.ts`, name: "settleLateAttempt raced ten ways" },
  },
  {
    sentence: "a bank's answer about somebody else's reference is taken for one's own",
    file: "services/bank/connectors/match.ts",
    find: "const REPEATED = [3, 4, 7, 11, 32, 37, 41, 42, 49, 61, 63] as const",
    put: "const REPEATED = [3, 41, 42] as const",
    test: { file: `${transactions}/resolve.test.ts`, name: "a bank that goes wrong (echo)" },
  },
  {
    sentence: "a lease has the fence of the one before",
    file: `${writer}/attempts.ts`,
    find: "set fence = t.fence + 1",
    put: "set fence = t.fence + 0",
    test: { file: `${writer}/attempts.test.ts`, name: "leaseAttempts takes what is due with a new fence" },
  },
  {
    sentence: "a lease is ended by whoever held it before",
    file: `${writer}/attempts.ts`,
    find: "attempt_id = $2 and fence = $3 and outcome is null",
    put: "attempt_id = $2 and fence >= $3 and outcome is null",
    test: { file: `${writer}/attempts.test.ts`, name: "postponeAttempt gives it up only to its holder" },
  },
  {
    sentence: "a settlement ends an attempt that has ended",
    file: `${writer}/settlement.ts`,
    find: "return outcome === null &&",
    put: "return outcome !== undefined &&",
    test: { file: `${writer}/attempts.test.ts`, name: "overwrites nothing" },
  },
  {
    sentence: "somebody else's card is charged",
    file: `${writer}/begin-charge.ts`,
    find: "then p.customer_id = i.customer_id",
    put: "then p.customer_id is not null",
    test: { file: `${writer}/charges.test.ts`, name: "a card that is somebody else's, detached, or whose token" },
  },
  {
    sentence: "a return that failed keeps its amount",
    file: `${writer}/settle-return-sql.ts`,
    find: "returned_minor = c.returned_minor - e.amount_minor",
    put: "returned_minor = c.returned_minor",
    test: { file: `${writer}/returns.test.ts`, name: "gives the amount of a failed return back to the charge" },
  },
  {
    sentence: "an attempt is given up after an hour",
    file: `${transactions}/ladder.ts`,
    find: "export const GIVE_UP_MS = 72 * HOUR_MS;",
    put: "export const GIVE_UP_MS = 1 * HOUR_MS;",
    test: { file: `${transactions}/next-step.test.ts`, name: "after 72 hours given up on, once" },
  },
  {
    sentence: "what was given up is given up again and again",
    file: `${transactions}/next-step.ts`,
    find: "if (attempt.isGivenUp) return WAIT;",
    put: "if (attempt.tries < 0) return WAIT;",
    test: { file: `${transactions}/next-step.test.ts`, name: "after 72 hours given up on, once" },
  },
  {
    sentence: "a bank that might do it twice is sent a repeat",
    file: `${transactions}/next-step.ts`,
    find: 'if (heard.capabilities?.idempotentSubmit === true) return { case: "submit" };',
    put: 'if (heard.capabilities?.inquiry === true) return { case: "submit" };',
    test: { file: `${transactions}/next-step.test.ts`, name: "might do a repeat twice" },
  },
  {
    sentence: "a charge that was given up stays pending",
    file: `${writer}/give-up.ts`,
    find: "if (isFirst) await failCharge",
    put: "if (!isFirst) await failCharge",
    test: { file: `${writer}/late.test.ts`, name: "giveUpAttempt fails the charge once" },
  },
  {
    sentence: "the fee is rounded down",
    file: `${writer}/fee.ts`,
    find: "(parts + step / 2n)",
    put: "(parts + 0n)",
    test: { file: `${writer}/fee.test.ts`, name: "rounded half up" },
  },
  {
    sentence: "two commands about one charge share a commit",
    file: `${writer}/batch.ts`,
    find: "one.keys.some((key) => taken.has(key))",
    put: "one.keys.every((key) => taken.has(key + key))",
    test: { file: `${writer}/batch.test.ts`, name: "commands that share a key never share a batch" },
  },
  {
    sentence: "another bank is asked although the first may have done it",
    file: "services/bank/router.ts",
    find: 'if (last.answer.outcome !== "not_sent") return last;',
    put: 'if (last.answer.outcome === "accepted") return last;',
    test: {
      file: "services/bank/router.test.ts",
      name: "a request falls over to the next bank after not_sent, and only then",
    },
  },
  {
    sentence: "an inquiry's answer about another amount is taken for the answer",
    file: "services/bank/connectors/iso8583.ts",
    find: "findMismatch({ ...request, fields: { ...expected, ...request.fields } }, message)",
    put: "findMismatch(request, message)",
    test: { file: "services/bank/connectors/failures.test.ts", name: "an inquiry's answer counts by its reference" },
  },
  {
    sentence: "a sealed card opens for another merchant",
    file: "services/_runtime/seal.ts",
    find: "  cipher.setAAD(associatedData(head, owner));",
    put: '  cipher.setAAD(associatedData(head, { accountId: "", objectId: "" }));',
    test: { file: "services/bank/vault.test.ts", name: "a sealed card opens for its owner" },
  },
  {
    sentence: "one client's key is taken for the step of another's",
    file: "edge/idempotency.ts",
    find: '.digest("base64url")}` : keepClearOfSteps(key);',
    put: '.digest("base64url")}` : key;',
    test: { file: "edge/idempotency.test.ts", name: "no two keys become one" },
  },
  {
    sentence: "a key counts against its address before it is looked up",
    file: "edge/authenticate.ts",
    find: "    const found = key.length > KEY_MAX ?",
    put: "    if (!limiter.count(client)) throw tooManyWrongKeys();\n    const found = key.length > KEY_MAX ?",
    test: { file: "edge/wrong-keys.test.ts", name: "right keys, used together for the first time" },
  },
  {
    sentence: "no idle connection makes room for a new one",
    file: "edge/connections.ts",
    find: "if (worst === undefined) return false;",
    put: "if (worst === undefined || worst.requestsCount === 0) return false;",
    test: { file: "edge/connections.test.ts", name: "when all connections are taken" },
  },
];
