import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../../services/_runtime/clock.ts";
import { createDirectTransport } from "../../../services/_runtime/direct-transport.ts";
import type { Host } from "../../../services/_runtime/host.ts";
import type { ServiceTransport } from "../../../services/_runtime/service-transport.ts";
import type { ServiceName } from "../../../services/_runtime/topology.ts";
import { createLife, type Fate, type Life } from "./fate.ts";
import type { Weather } from "./weather.ts";

/** A service as others find it: its host, in its life; `ended` resolves when that life is over. */
export interface Station {
  readonly host: Host;
  readonly life: Life;
  readonly ended: Promise<void>;
}

/** What a line needs: who calls, in which life, and how the callee is found at each call. */
export interface LineOptions {
  readonly fate: Fate;
  readonly weather: Weather;
  readonly life: Life;
  readonly name: ServiceName;
  readonly find: () => Station | undefined;
}

/** How often a caller looks whether a service is back, as a gRPC channel knocks. */
const KNOCK_MS = 500;

/**
 * Makes what carries one life's calls to one service: the direct transport, behind a network that holds calls back, refuses
 * them, or loses their answers, and a callee that may die over them.
 */
export function createLine({ fate, weather, life, name, find }: LineOptions): ServiceTransport {
  const clock = fate.clockOf(life);
  const wire = fate.clockOf(createLife("the network"));
  return {
    ...createDirectTransport({ host: () => find()?.host, clock, freeze: true }),
    async unary(method, call, input) {
      const what = `${name}.${method.name}${idsOf(input)}`;
      const endMs = clock.nowMs() + (call.timeoutMs ?? Number.POSITIVE_INFINITY);
      const carry = async () => {
        if (weather.refuses()) throw away("the connection was refused");
        // On its way: the caller may die or give up meanwhile, and the callee hears of it all the same.
        await wire.sleep(weather.delayMs(method.name));
        const station = find();
        if (station === undefined) throw away("nobody serves here");
        const direct = createDirectTransport({ host: () => station.host, clock: wire, freeze: true });
        const answer = direct.unary(method, { ...call, cancellation: undefined }, input);
        const response = await Promise.race([
          answer,
          station.ended.then(() => Promise.reject(away("the callee died"))),
        ]);
        if (weather.losesAnswer()) throw away("the connection was lost");
        await wire.sleep(weather.delayMs(method.name));
        return response;
      };
      await fate.turn(life, `calls ${what}`, () => undefined);
      const outcome = await within(clock, endMs, carry()).then(
        (response) => ({ response }),
        (error: unknown) => ({ error }),
      );
      // The caller may be dead by now: then it never hears of it.
      await fate.turn(
        life,
        `hears of ${what}${"error" in outcome ? `: ${codeOf(outcome.error)}` : ""}`,
        () => undefined,
      );
      if ("error" in outcome) throw outcome.error;
      return outcome.response;
    },
    async ready(withinMs) {
      const endMs = clock.nowMs() + withinMs;
      while (find() === undefined) {
        if (clock.nowMs() >= endMs) return false;
        await clock.sleep(KNOCK_MS);
      }
      return true;
    },
  };
}

/** What goes by the deadline, as gRPC's own timer does on the caller's side. */
function within<Value>(clock: Clock, endMs: number, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new ConnectError("the deadline has passed", Code.DeadlineExceeded));
    const cancel = Number.isFinite(endMs) ? clock.setTimer(late, endMs - clock.nowMs()) : () => {};
    work.then(resolve, reject).finally(cancel);
  });
}

function away(message: string): ConnectError {
  return new ConnectError(message, Code.Unavailable);
}

function codeOf(error: unknown): string {
  return error instanceof ConnectError ? Code[error.code] : String(error);
}

/** The ids of a request, so that the trace says whom it is about. */
function idsOf(input: object): string {
  const { requestId, attemptId, bankRef } = Object.fromEntries(Object.entries(input));
  return [requestId, attemptId, bankRef]
    .flatMap((id) => (typeof id === "string" && id !== "" ? [` ${id}`] : []))
    .join("");
}
