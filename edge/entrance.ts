import type { onRequestHookHandler } from "fastify";
import type { Clock } from "../services/_runtime/clock.ts";
import { type ConcurrencyLimit, createConcurrencyLimit, type EndOne } from "../services/_runtime/concurrency-limit.ts";
import { clientOf } from "./client-address.ts";
import { countHolders, createPlaces } from "./places.ts";
import type { Problem } from "./problem.ts";
import { overloaded, tooManyAtOnce } from "./problems.ts";
import { REFUSAL_DELAY_MS } from "./rate-limiter.ts";

// As many as one gRPC connection carries streams (services/_runtime/serve.ts): more would wait inside, unseen.
const IN_PROGRESS_MAX = 256;
// Throughput grows up to some 128 in progress: fewer would be no better, however slow the machine is.
const IN_PROGRESS_MIN = 128;
// 128 in progress delay each other by 100 ms (two cores, one process) to 300 ms (nine).
const DELAY_TARGET_MS = 300;
// Made once: under an overload they are thrown thousands of times a second.
const full = overloaded();
const ofAccountFull = tooManyAtOnce();
// An eighth is left for other merchants than the busiest.
const OF_ACCOUNT_SHARE = 7 / 8;
// Of the 256: a publishable key stands in pages, so that anybody may send requests with it.
const OF_PAGES_MAX = 64;
// More than the customers behind one address who pay in the same instant.
const OF_PAGE_CLIENT_MAX = 32;
// Lists and searches, and sandboxes beside live accounts, leave the last places to money and to reads of one object.
const YIELDING_SHARE = 3 / 4;

/** A request whose key was found good. */
export interface Entering {
  readonly accountId: string;
  /** Whether it came with a publishable key, as from a page. */
  readonly isFromPage: boolean;
  /** Its client's; of no use to a request that is not from a page. */
  readonly address: string;
  /** Whether it leaves the last places to others. */
  readonly isYielding: boolean;
  /** The connection that it came on, and with what key. */
  readonly socket: object;
  readonly authorization: string | undefined;
}

/** The requests in progress of an edge: as many as it can do well, by how long they wait for each other. */
export interface Entrance {
  /**
   * Why a request would find no place now, asked before anything is done for it; undefined when it would. Whose it is is known from the one
   * before it on its connection, when that came with the same key.
   */
  problem(request: Pick<Entering, "isYielding" | "socket" | "authorization">): Problem | undefined;
  /**
   * Takes a place, and gives the function that leaves it, to be called with what the request took. Throws a Problem, 429 or 503, when there
   * is none.
   */
  enter(request: Entering): Promise<EndOne>;
}

/** What an entrance is made with; another limit than usual is for tests. */
export interface EntranceOptions {
  readonly clock: Clock;
  readonly concurrencyLimit?: ConcurrencyLimit;
}

/** Makes the entrance of an edge. Pages have places of their own, by client: they take none that their merchant's own program needs. */
export function createEntrance({ clock, concurrencyLimit }: EntranceOptions): Entrance {
  const limit = concurrencyLimit ?? createEdgeLimit(clock);
  const byAccount = countHolders(() => Math.ceil(limit.limit() * OF_ACCOUNT_SHARE));
  const ofPages = createPlaces({ max: OF_PAGES_MAX, ofHolderMax: OF_PAGE_CLIENT_MAX });
  const lastOf = new WeakMap<object, Pick<Entering, "accountId" | "authorization">>();
  const hasRoom = ({ isYielding }: Pick<Entering, "isYielding">) => limit.hasRoom(isYielding ? YIELDING_SHARE : 1);
  const enterAll = (holder: string, request: Entering): EndOne => {
    if (!hasRoom(request)) throw overloaded();
    const leave = byAccount.enter(holder);
    const end = limit.begin();
    return (sample) => {
      leave();
      end(sample);
    };
  };
  const enterAsPage = (request: Entering): EndOne => {
    const leavePages = ofPages.enter(clientOf(request.address));
    try {
      const leaveAll = enterAll("pages", request);
      return (sample) => {
        leaveAll(sample);
        leavePages();
      };
    } catch (error) {
      leavePages();
      throw error;
    }
  };
  return {
    problem(request) {
      if (!hasRoom(request)) return full;
      const last = lastOf.get(request.socket);
      if (last === undefined || last.authorization !== request.authorization) return undefined;
      return byAccount.isFull(last.accountId) ? ofAccountFull : undefined;
    },
    async enter(request) {
      const { accountId, authorization, socket } = request;
      if (!request.isFromPage) {
        if (lastOf.get(socket)?.authorization !== authorization) lastOf.set(socket, { accountId, authorization });
        return enterAll(accountId, request);
      }
      try {
        return enterAsPage(request);
      } catch (error) {
        // Late, as strangers are refused: who asks again at once asks once a second.
        await clock.sleep(REFUSAL_DELAY_MS);
        throw error;
      }
    },
  };
}

/** A hook that refuses a request before its key is looked up and its body is read: what finds no place costs next to nothing. */
export function refuseWhenFull(entrance: Entrance, isYielding: boolean): onRequestHookHandler {
  return ({ raw: { socket, headers } }, _reply, done) => {
    const { authorization } = headers;
    done(entrance.problem({ isYielding, socket, authorization }));
  };
}

function createEdgeLimit(clock: Clock): ConcurrencyLimit {
  return createConcurrencyLimit({ clock, min: IN_PROGRESS_MIN, max: IN_PROGRESS_MAX, targetMs: DELAY_TARGET_MS });
}
