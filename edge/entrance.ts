import type { Clock } from "../services/_runtime/clock.ts";
import { clientOf } from "./client-address.ts";
import { createPlaces } from "./places.ts";
import { REFUSAL_DELAY_MS } from "./rate-limiter.ts";

// As many as one gRPC connection carries streams (services/_runtime/serve.ts): more would wait inside, unseen.
const IN_PROGRESS_MAX = 256;
// An eighth is left for other merchants than the busiest.
const OF_ACCOUNT_MAX = 224;
// Of the 256: a publishable key stands in pages, so that anybody may send requests with it.
const OF_PAGES_MAX = 64;
// More than the customers behind one address who pay in the same instant.
const OF_PAGE_CLIENT_MAX = 32;

/** A request whose key was found good. */
export interface Entering {
  readonly accountId: string;
  /** Whether it came with a publishable key, as from a page. */
  readonly isFromPage: boolean;
  /** Its client's; of no use to a request that is not from a page. */
  readonly address: string;
}

/** Takes a place among the requests in progress, and gives the function that leaves it. Throws a Problem, 429 or 503, when there is none. */
export type Enter = (request: Entering) => Promise<() => void>;

/** Makes the entrance of an edge. Pages have places of their own, by client: they take none that their merchant's own program needs. */
export function createEntrance(clock: Clock): Enter {
  const all = createPlaces({ max: IN_PROGRESS_MAX, ofHolderMax: OF_ACCOUNT_MAX });
  const ofPages = createPlaces({ max: OF_PAGES_MAX, ofHolderMax: OF_PAGE_CLIENT_MAX });
  const enterAsPage = (client: string) => {
    const leavePages = ofPages.enter(client);
    try {
      const leaveAll = all.enter("pages");
      return () => {
        leaveAll();
        leavePages();
      };
    } catch (error) {
      leavePages();
      throw error;
    }
  };
  return async ({ accountId, isFromPage, address }) => {
    if (!isFromPage) return all.enter(accountId);
    try {
      return enterAsPage(clientOf(address));
    } catch (error) {
      // Late, as strangers are refused: who asks again at once asks once a second.
      await clock.sleep(REFUSAL_DELAY_MS);
      throw error;
    }
  };
}
