import type { ServiceImpl } from "@connectrpc/connect";
import type {
  BeginVerificationRequest,
  SettleVerificationRequest,
} from "../../gen/tripe/writer/v1/payment_methods_pb.ts";
import type { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import { checkResults } from "../_database/rows/words.ts";
import type { WriterDependencies } from "./answers.ts";

const FIND = {
  name: "find_due_verification",
  text: `select sealed_card, sealed_cvc from payment_method
    where account_id = $1 and payment_method_id = $2 and sealed_cvc is not null`,
};

const SETTLE = {
  name: "settle_verification",
  text: `update payment_method set cvc_check = $3, verification_decline_reason = $4, verification_response_code = $5,
      sealed_cvc = null
    where account_id = $1 and payment_method_id = $2 and sealed_cvc is not null`,
};

/** A customer who pays does so within minutes; a CVC is of no use to anybody after that. */
const ERASE = {
  name: "erase_sealed_cvcs",
  text: `with late as (
      select account_id, payment_method_id from payment_method
      where sealed_cvc is not null and create_time < statement_timestamp() - interval '1 hour'
      order by create_time limit 1000
    ), erased as (
      update payment_method p set sealed_cvc = null from late l
      where p.account_id = l.account_id and p.payment_method_id = l.payment_method_id returning 1
    )
    select count(*)::int as count from erased`,
};

interface DueRow {
  readonly sealed_card: Buffer;
  readonly sealed_cvc: Buffer;
}

/** The rpcs of the verification of a card at its first use. */
export function writeVerifications(dependencies: WriterDependencies) {
  return {
    beginVerification: (request) => beginVerification(dependencies, request),
    settleVerification: (request) => settleVerification(dependencies, request),
    eraseSealedCvcs: async () => {
      const [row] = await dependencies.database.query<{ count: number }>(ERASE, []);
      return { erasedCount: row?.count ?? 0 };
    },
  } satisfies Partial<ServiceImpl<typeof WriterService>>;
}

async function beginVerification({ database }: WriterDependencies, request: BeginVerificationRequest) {
  const [row] = await database.query<DueRow>(FIND, [request.accountId, request.paymentMethodId]);
  if (row === undefined) return { isDue: false };
  return { isDue: true, sealedCard: row.sealed_card, sealedCvc: row.sealed_cvc };
}

/** Records the bank's answer; one that comes after another, or after the CVC was erased, changes nothing. */
async function settleVerification({ database }: WriterDependencies, request: SettleVerificationRequest) {
  const { accountId, paymentMethodId, cvcCheck, verificationDecline } = request;
  const { reason = null, responseCode = null } = verificationDecline ?? {};
  await database.query(SETTLE, [accountId, paymentMethodId, checkResults.word(cvcCheck), reason, responseCode]);
  return {};
}
