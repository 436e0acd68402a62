import type { ServiceImpl } from "@connectrpc/connect";
import type { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import { resolveAlerts } from "./alerts.ts";
import type { WriterDependencies } from "./answers.ts";
import { giveUpAttempt } from "./give-up.ts";
import { settleAutomaticReturn, settleLateAttempt } from "./settle-late.ts";

/** Writes what follows when a bank does not say in time what became of an attempt. */
export function writeLateAttempts(dependencies: WriterDependencies) {
  return {
    giveUpAttempt: (request) => giveUpAttempt(dependencies, request),
    settleLateAttempt: (request) => settleLateAttempt(dependencies, request),
    settleAutomaticReturn: (request) => settleAutomaticReturn(dependencies, request),
    resolveAlerts: (request) => resolveAlerts(dependencies, request),
  } satisfies Partial<ServiceImpl<typeof WriterService>>;
}
