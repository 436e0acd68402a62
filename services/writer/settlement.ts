import { Code } from "@connectrpc/connect";
import { type Outcome, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { createBatcher } from "./batch.ts";
import { compareOutcomes, refuseUnknown } from "./outcomes.ts";

/** What every request says that settles an attempt. */
export interface SettlingRequest {
  readonly accountId: string;
  readonly chargeId: string;
  readonly attemptId: string;
  /** The newest fence that the caller knows of. */
  readonly fence: number;
  readonly outcome?: Outcome | undefined;
}

/** What every row says that is read for it. */
export interface SettlingAttempt {
  /** Null while the attempt is pending. */
  readonly outcome: string | null;
  readonly fence: number;
}

/** A request, and what the attempt has come to. */
export interface Settling<Request> {
  readonly request: Request;
  readonly outcome: Outcome;
}

/** What is particular to the settlements of one kind of attempt. */
export interface SettlementOptions<Request, Row, Plan, Settled> {
  /** Reads what settlements are made of, by their attempts' ids. */
  read(requests: readonly Request[]): Promise<ReadonlyMap<string, Row>>;
  /** Says what everything is once it is settled. */
  plan(settling: Settling<Request>, row: Row): Plan;
  /** Writes the plans as one statement; answers with the ids of the attempts that it ended. */
  settle(plans: readonly Plan[]): Promise<ReadonlySet<string>>;
  /** What is answered when a plan was carried out. */
  settled(plan: Plan): Settled;
  /** What is answered when it is not for the caller to settle it any more. */
  passed(row: Row): Settled;
}

/** What became of one request of a batch. Refusals are made outside of it: they are nobody else's. */
type Result<Row, Plan> =
  | { readonly case: "settled"; readonly plan: Plan }
  /** The attempt had ended, is not there, or is somebody else's by now. */
  | { readonly case: "passed"; readonly row: Row | undefined }
  /** The charge changed between the two statements: to be tried again. */
  | { readonly case: "changed" };

/** A charge may change while one of its attempts is being settled: its snapshot is then made again, so often at most. */
const TRIES_MAX = 5;

/**
 * Creates commit B of one kind of attempt: read, planned and settled in batches, each attempt ended once. `isSettledHere` says
 * whether this request did. Refuses OUTCOME_NOT_FINAL, ATTEMPT_NOT_FOUND, ANSWERS_DISAGREE and CHARGE_CHANGING.
 */
export function createSettlement<Request extends SettlingRequest, Row extends SettlingAttempt, Plan, Settled>(
  { database }: WriterDependencies,
  options: SettlementOptions<Request, Row, Plan, Settled>,
): (request: Request) => Promise<Settled & { readonly isSettledHere: boolean }> {
  const submit = createBatcher<Settling<Request>, Result<Row, Plan>>({
    // An update from a join changes a charge once: two settlements of one never share a batch.
    keysOf: ({ request }) => [`${request.accountId} ${request.chargeId}`],
    run: (batch) => run(options, batch),
  });
  const answerPassed = async ({ request, outcome }: Settling<Request>, row: Row | undefined) => {
    if (row === undefined || row.outcome !== null) {
      const { accountId, attemptId } = request;
      await compareOutcomes(database.query, {
        accountId,
        attemptId,
        stored: row?.outcome ?? undefined,
        heard: outcome,
      });
    }
    assert(row !== undefined, "an outcome that was compared has its row");
    return { ...options.passed(row), isSettledHere: false };
  };
  return async (request) => {
    const { outcome } = request;
    assert(outcome !== undefined, "validation requires the outcome");
    refuseUnknown(outcome);
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const result = await submit({ request, outcome });
      if (result.case === "settled") return { ...options.settled(result.plan), isSettledHere: true };
      if (result.case === "passed") return answerPassed({ request, outcome }, result.row);
    }
    return refuse(Code.Aborted, "CHARGE_CHANGING", `the charge ${request.chargeId} keeps changing`);
  };
}

async function run<Request extends SettlingRequest, Row extends SettlingAttempt, Plan, Settled>(
  options: SettlementOptions<Request, Row, Plan, Settled>,
  batch: readonly Settling<Request>[],
): Promise<Result<Row, Plan>[]> {
  const rows = await options.read(batch.map(({ request }) => request));
  const plans = new Map(
    batch.flatMap((settling) => {
      const { attemptId } = settling.request;
      const row = rows.get(attemptId);
      return row !== undefined && mayEnd(row, settling) ? [[attemptId, options.plan(settling, row)] as const] : [];
    }),
  );
  const ended: ReadonlySet<string> = plans.size === 0 ? new Set() : await options.settle([...plans.values()]);
  return batch.map(({ request: { attemptId } }) => {
    const plan = plans.get(attemptId);
    if (plan === undefined) return { case: "passed", row: rows.get(attemptId) };
    return ended.has(attemptId) ? { case: "settled", plan } : { case: "changed" };
  });
}

/** NOT_SENT ends an attempt only for the holder of its newest fence: somebody else may have sent it since. */
function mayEnd({ outcome, fence }: SettlingAttempt, settling: Settling<SettlingRequest>): boolean {
  return outcome === null && (settling.outcome.kind !== OutcomeKind.NOT_SENT || fence === settling.request.fence);
}
