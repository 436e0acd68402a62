import { createDueSubscriptions } from "./due-subscriptions.ts";
import { createCharges } from "./get.ts";
import { getOf, type Template } from "./load-plan.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";
import { type LoadRun, runLoad } from "./run-load.ts";
import { chargesOf, createMerchant, type Merchant } from "./stored-customers.ts";
import { createEndpoints } from "./webhook-endpoints.ts";

/** What is asked of some work while it is profiled. */
export interface Window {
  readonly seconds: number;
  /** Called before the work begins. */
  readonly prepare: () => Promise<void>;
  /** Called once the work is warm, and when the window ends. */
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Work to be profiled: sets itself up, warms up, runs for a window, and says how many operations that were. */
export type ProfiledWork = (tripe: MeasuredTripe, window: Window) => Promise<number>;

const CUSTOMERS = 100;
const CONNECTIONS = 128;
const WARM_UP_MS = 8_000;
/** Renewals a second of window: some thousand of them are a window of seconds. */
const RENEWALS_PER_S = 100;
const RENEWED_MAX_MS = 300_000;
/** Merchants with an endpoint, and clients that make events. */
const ENDPOINTS = 50;
const EVENT_CONNECTIONS = 16;

/** Each work by the word that asks for it. */
export const profiledWorks: Readonly<Record<string, ProfiledWork>> = {
  charge: async (tripe, window) => load(tripe, window, chargesOf(await createMerchant(tripe.port, CUSTOMERS))),
  get: async (tripe, window) => {
    const merchant = await createMerchant(tripe.port, CUSTOMERS);
    return load(tripe, window, await getsOf(tripe, merchant));
  },
  list: async (tripe, window) => {
    const merchant = await createMerchant(tripe.port, CUSTOMERS);
    await getsOf(tripe, merchant);
    return load(tripe, window, [{ text: getOf("/v1/charges?limit=10", merchant.key), weight: 1 }]);
  },
  renewal: async (tripe, { seconds, prepare, begin, end }) => {
    const merchant = await createMerchant(tripe.port, CUSTOMERS);
    const count = seconds * RENEWALS_PER_S;
    const due = await createDueSubscriptions(tripe, merchant, count);
    await prepare();
    await due.untilDue();
    await begin();
    await due.untilPaid(RENEWED_MAX_MS);
    await end();
    return count;
  },
  webhook: async (tripe, window) => {
    const endpoints = await createEndpoints(tripe, ENDPOINTS);
    try {
      let posts = 0;
      await load(
        tripe,
        countingPosts(window, endpoints.countPosts, (count) => (posts = count)),
        endpoints.templates,
        EVENT_CONNECTIONS,
      );
      return posts;
    } finally {
      endpoints.close();
    }
  },
};

async function load(
  tripe: MeasuredTripe,
  { seconds, prepare, begin, end }: Window,
  templates: readonly Template[],
  connections = CONNECTIONS,
): Promise<number> {
  await prepare();
  const run: LoadRun = await runLoad(
    tripe,
    { templates, connections, warmUpMs: WARM_UP_MS, measureMs: seconds * 1_000 },
    { onMeasuring: begin, onMeasured: end },
  );
  return run.okCount;
}

/** One paid charge for each customer, to be read again. */
async function getsOf(tripe: MeasuredTripe, merchant: Merchant): Promise<Template[]> {
  const paths = await createCharges(tripe, merchant);
  return paths.map((path) => ({ text: getOf(path, merchant.key), weight: 1 }));
}

/** The window with the posts in it counted: an operation is an event that was delivered. */
function countingPosts(window: Window, countPosts: () => Promise<number>, note: (count: number) => void): Window {
  let before = 0;
  return {
    ...window,
    begin: async () => {
      before = await countPosts();
      await window.begin();
    },
    end: async () => {
      await window.end();
      note((await countPosts()) - before);
    },
  };
}
