import type { ServiceImpl } from "@connectrpc/connect";
import type { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import type { WriterDependencies } from "./answers.ts";
import { leaseAttempts, postponeAttempt } from "./attempts.ts";
import { createBeginCharge } from "./begin-charge.ts";
import { createBeginReturn } from "./begin-return.ts";
import { createCustomer, deleteCustomer, updateCustomer } from "./customers.ts";
import { DEFAULT_FEE_SCHEDULE, type FeeSchedule } from "./fee.ts";
import { attachPaymentMethod, createPaymentMethod, createToken, detachPaymentMethod } from "./payment-methods.ts";
import { createSettleCharge } from "./settle-charge.ts";
import { createSettleReturn } from "./settle-return.ts";
import { updateCharge } from "./update-charge.ts";

/** Creates the writer: one rpc is one atomic change. */
export function createWriter(
  dependencies: WriterDependencies,
  fees: FeeSchedule = DEFAULT_FEE_SCHEDULE,
): ServiceImpl<typeof WriterService> {
  const beginCharge = createBeginCharge(dependencies);
  const settleCharge = createSettleCharge(dependencies, fees);
  const beginReturn = createBeginReturn(dependencies);
  const settleReturn = createSettleReturn(dependencies);
  return {
    createCustomer: (request) => createCustomer(dependencies, request),
    updateCustomer: (request) => updateCustomer(dependencies, request),
    deleteCustomer: (request) => deleteCustomer(dependencies, request),
    createToken: (request) => createToken(dependencies, request),
    createPaymentMethod: (request) => createPaymentMethod(dependencies, request),
    attachPaymentMethod: (request) => attachPaymentMethod(dependencies, request),
    detachPaymentMethod: (request) => detachPaymentMethod(dependencies, request),
    beginCharge: (request) => beginCharge(request),
    settleCharge: (request) => settleCharge(request),
    updateCharge: (request) => updateCharge(dependencies, request),
    beginReturn: async (request) => nameReturn(await beginReturn(request)),
    settleReturn: async (request) => nameReturn(await settleReturn(request)),
    leaseAttempts: (request) => leaseAttempts(dependencies, request),
    postponeAttempt: (request) => postponeAttempt(dependencies, request),
  };
}

/** `return` is a keyword in code and the field's name in the contract. */
function nameReturn<Answer extends { record: unknown }>({ record, ...rest }: Answer) {
  return { ...rest, return: record as Answer["record"] };
}
