import { type CallCost, measureCalls, type TransportName } from "./call-pair.ts";
import { type Figure, figureOf, missingFigure } from "./figure.ts";
import type { Measure, MeasureContext } from "./measure.ts";

const TRANSPORTS: readonly TransportName[] = ["grpc", "lane"];
/** One alone, and as many as a busy service has. */
const IN_FLIGHT = [1, 32] as const;
/** What both sides may spend on a call at 32 in flight; at 1, no more than a unary call of gRPC. */
const GOAL_US = 40;
/** Ticks of 10 ms on both sides: of some thousand calls the error is below a percent. */
const WINDOW_SHARE = 0.4;

/** P2: what one internal call costs, both sides together, everything included that the services do. */
export const calls: Measure = {
  row: "P2",
  sentence: "µs of CPU of one internal call between two processes, both sides, by transport and calls in flight",
  wirings: ["processes"],
  async run(context, wiring) {
    const figures: Figure[] = [];
    for (const inFlight of IN_FLIGHT) {
      const costs = new Map<TransportName, number>();
      for (const transport of TRANSPORTS) {
        const taken = { measure: "P2", part: `${transport}, ${inFlight} in flight`, wiring };
        try {
          const us = await measure(context, transport, inFlight);
          costs.set(transport, us);
          const grpcUs = transport === "lane" && inFlight === 1 ? costs.get("grpc") : undefined;
          const bound = {
            bound: "most",
            ...goalOf(transport, inFlight),
            ...(grpcUs && { yardstick: grpcUs }),
          } as const;
          figures.push(figureOf({ ...taken, value: us, ...bound }));
        } catch (error) {
          figures.push(missingFigure(taken, error instanceof Error ? error.message : String(error)));
        }
      }
    }
    return figures;
  },
};

/** Only lanes have a goal: gRPC is there for comparison. */
function goalOf(transport: TransportName, inFlight: number): { goal?: number } {
  if (transport === "grpc") return {};
  return { goal: inFlight === 1 ? 1 : GOAL_US };
}

async function measure({ root, port, sizes, note }: MeasureContext, transport: TransportName, inFlight: number) {
  const measureMs = sizes.seconds * 1_000 * WINDOW_SHARE;
  const warmUpMs = sizes.warmup * 1_000 * WINDOW_SHARE;
  const cost: CallCost = await measureCalls({ root, port, transport, inFlight, warmUpMs, measureMs });
  const { perSecond, clientUs, serverUs } = cost;
  note(
    `${transport}, ${inFlight} in flight: ${perSecond.toFixed(0)}/s, caller ${clientUs.toFixed(0)} µs, service ${serverUs.toFixed(0)} µs`,
  );
  return clientUs + serverUs;
}
