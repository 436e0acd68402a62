import { Code } from "@connectrpc/connect";
import type { UpdateChargeRequest } from "../../gen/tripe/writer/v1/charges_pb.ts";
import { type ChargeRow, chargeColumns, chargeJoins, chargeOf } from "../_database/rows/charge.ts";
import { nullIfEmpty, shippingJson } from "../_database/rows/fields.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { lockCustomer, refuseDeleted } from "./customer-lock.ts";
import { changed, isSame } from "./event-drafts.ts";
import { applyMask } from "./masks.ts";
import { patchMetadata } from "./metadata.ts";
import { once } from "./once.ts";
import { nounOf, snapshotOf } from "./snapshots.ts";

const LOCK = {
  name: "lock_charge",
  text: `select ${chargeColumns} from charge c ${chargeJoins} where c.account_id = $1 and c.charge_id = $2 for no key update of c`,
};

const UPDATE = {
  name: "update_charge",
  text: `update charge set revision = revision + 1, description = $3, metadata = $4, receipt_email = $5, shipping = $6,
      transfer_group = $7, customer_id = $8
    where account_id = $1 and charge_id = $2`,
};

const UPDATABLE = ["description", "receipt_email", "shipping", "transfer_group", "customer_id"];

/** Changes the words of a charge, never its money. A customer may be named where there is none; it is not replaced. */
export async function updateCharge(dependencies: WriterDependencies, request: UpdateChargeRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, charge: change } = request;
    assert(change !== undefined, "validation requires the charge");
    const { chargeId } = change;
    const [row] = await query<ChargeRow>(LOCK, [accountId, chargeId]);
    if (row === undefined) refuse(Code.NotFound, "CHARGE_NOT_FOUND", `no charge ${chargeId}`, "charge_id");
    const current = chargeOf(row);
    const next = applyMask(current, change, request.updateMask?.paths ?? [], UPDATABLE);
    next.metadata = patchMetadata(current.metadata, request.metadataPatch);
    if (next.customerId !== current.customerId) {
      if (current.customerId !== "") {
        const message = `the charge ${chargeId} has a customer`;
        refuse(Code.FailedPrecondition, "CHARGE_HAS_CUSTOMER", message, "customer_id");
      }
      refuseDeleted(await lockCustomer(query, { accountId, customerId: next.customerId }));
    }
    if (isSame("charge", current, next)) return { answer: snapshotOf("charge", current), nounId: chargeId, events: [] };
    await query(UPDATE, [
      accountId,
      chargeId,
      next.description,
      JSON.stringify(next.metadata),
      next.receiptEmail,
      shippingJson(next.shipping),
      next.transferGroup,
      nullIfEmpty(next.customerId),
    ]);
    const events = changed("charge.updated", "charge", { before: current, after: next });
    return { answer: snapshotOf("charge", next), nounId: chargeId, events };
  });
  return { charge: nounOf(answer, "charge"), isReplayed };
}
