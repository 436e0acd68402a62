import { type Subscription, SubscriptionState } from "../../../gen/tripe/billing/v1/subscription_pb.ts";
import { listView } from "../../../services/_views/list.ts";
import { choice, created, expand, group, id, optional, paging } from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { cursorMention, type PageRequest, pageRequestOf } from "../../paging.ts";
import { defineRoute, type PublicRequest } from "../../route.ts";
import { showSubscription, subscriptionExpandable } from "./show-subscription.ts";

const states = {
  active: SubscriptionState.ACTIVE,
  canceled: SubscriptionState.CANCELED,
  incomplete: SubscriptionState.INCOMPLETE,
  incomplete_expired: SubscriptionState.INCOMPLETE_EXPIRED,
  past_due: SubscriptionState.PAST_DUE,
  paused: SubscriptionState.PAUSED,
  trialing: SubscriptionState.TRIALING,
  unpaid: SubscriptionState.UNPAID,
} as const;

/** Lists subscriptions: those that have not ended, unless another status is asked for. */
export const listSubscriptionsRoute = defineRoute({
  method: "GET",
  path: "/v1/subscriptions",
  operationId: "listSubscriptions",
  answers: "Subscription",
  summary: "List subscriptions that have not ended, or those of a status; newest first.",
  params: group({
    customer: optional(id),
    price: optional(id),
    status: optional(
      choice([
        "active",
        "all",
        "canceled",
        "ended",
        "incomplete",
        "incomplete_expired",
        "past_due",
        "paused",
        "trialing",
        "unpaid",
      ]),
    ),
    created,
    ...paging,
    expand,
  }),
  expandable: subscriptionExpandable,
  isList: true,
  mentions: (_, given) =>
    mentions({
      customer: mention(given.customer, "customer"),
      price: mention(given.price, "price"),
      subscription: cursorMention(given),
    }),
  async run(request, given) {
    const { reads } = request;
    const { customer: customerId = "", price: priceId = "", status } = given;
    const asked = { customerId, priceId, ...pageRequestOf(given) };
    // Customer and price are read beside: no subscriptions of theirs and no such customer are different answers.
    const [page] = await Promise.all([
      status === "ended" ? listEnded(request, asked) : listOnce(request, { ...asked, ...filterOf(status) }),
      reads.customer(customerId),
      reads.price(priceId),
    ]);
    const data = await Promise.all(page.subscriptions.map((subscription) => showSubscription(request, subscription)));
    return { body: listView({ url: "/v1/subscriptions", data, hasMore: page.hasMore }) };
  },
});

function filterOf(status: keyof typeof states | "all" | undefined) {
  if (status === undefined) return {};
  return status === "all" ? { isEndedIncluded: true } : { state: states[status] };
}

interface Page {
  readonly subscriptions: readonly Subscription[];
  readonly hasMore: boolean;
}

type Asked = PageRequest & {
  readonly customerId: string;
  readonly priceId: string;
  readonly state?: SubscriptionState;
  readonly isEndedIncluded?: boolean;
};

async function listOnce({ accountId, clients }: PublicRequest, asked: Asked): Promise<Page> {
  const { subscriptions, nextPageToken } = await clients.reader.listSubscriptions({ accountId, ...asked });
  return { subscriptions, hasMore: nextPageToken !== "" };
}

// Two states are ended, and the reader lists one at a time: two pages side by side become one, by their ids, as each is.
async function listEnded(request: PublicRequest, asked: Asked): Promise<Page> {
  const pages = await Promise.all(
    [states.canceled, states.incomplete_expired].map((state) => listOnce(request, { ...asked, state })),
  );
  const all = pages
    .flatMap(({ subscriptions }) => subscriptions)
    .sort((a, b) => (a.subscriptionId < b.subscriptionId ? 1 : -1));
  const { pageSize, isBackward } = asked;
  return {
    subscriptions: isBackward ? all.slice(-pageSize) : all.slice(0, pageSize),
    hasMore: all.length > pageSize || pages.some(({ hasMore }) => hasMore),
  };
}
