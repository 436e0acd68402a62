import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { CardAcceptor as CardAcceptorMessage } from "../../gen/tripe/billing/v1/account_pb.ts";
import { AttemptKind, type AttemptTrace } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { CardAcceptor, Original } from "./connector.ts";
import type { OperationKind } from "./iso8583/dialect.ts";

/** Characters of a merchant's and a terminal's id (ISO 8583 elements 42 and 41). */
const MERCHANT_ID_CHARS = 15;
const TERMINAL_ID_CHARS = 8;

/** Who takes the money, for a connector. A merchant that a bank gave no ids has the ends of its account's id. */
export function acceptorOf(request: { accountId: string; acceptor?: CardAcceptorMessage | undefined }): CardAcceptor {
  const { accountId, acceptor } = request;
  return {
    name: acceptor?.name ?? "",
    city: acceptor?.city ?? "",
    countryCode: acceptor?.countryCode ?? "",
    merchantCategory: acceptor?.merchantCategory ?? "",
    merchantId: acceptor?.merchantId || accountId.slice(-MERCHANT_ID_CHARS),
    terminalId: acceptor?.terminalId || accountId.slice(-TERMINAL_ID_CHARS),
    timeZone: acceptor?.timeZone || "UTC",
  };
}

/** How a bank's messages name a request; undefined of one that was begun before trace numbers were kept. */
export function traceOf(trace: AttemptTrace | undefined): Original | undefined {
  const kind = kindOf(trace?.kind);
  if (trace?.beginTime === undefined || trace.traceNumber === 0 || kind === undefined) return undefined;
  const { traceNumber, authorizationCode } = trace;
  return { kind, traceNumber, timeMs: timestampMs(trace.beginTime), authorizationCode };
}

/** What a bank is asked to do; undefined when it is not said. */
export function kindOf(kind: AttemptKind | undefined): OperationKind | undefined {
  switch (kind) {
    case AttemptKind.PURCHASE:
      return "purchase";
    case AttemptKind.AUTHORIZE:
      return "authorize";
    case AttemptKind.CAPTURE:
      return "capture";
    case AttemptKind.REVERSE:
      return "reverse";
    case AttemptKind.REFUND:
      return "refund";
    default:
      return undefined;
  }
}
