import Type, { type Static } from "typebox";
import type { WebhookEndpoint } from "../../../gen/tripe/billing/v1/webhook_endpoint_pb.ts";
import { eventTypes } from "../../../services/_runtime/event-types.ts";
import { deletedView } from "../../../services/_views/deleted.ts";
import { listView } from "../../../services/_views/list.ts";
import { webhookEndpointView } from "../../../services/_views/webhook-endpoint.ts";
import {
  choice,
  clearable,
  expand,
  group,
  integer,
  list,
  metadata,
  optional,
  paging,
  text,
} from "../../decode/fields.ts";
import { mentions } from "../../mentions.ts";
import { metadataOf, metadataPatchOf, textOf } from "../../messages.ts";
import { cursorMention, pageRequestOf } from "../../paging.ts";
import { found } from "../../reads.ts";
import { defineRoute } from "../../route.ts";
import { apiVersion, readApiVersion } from "./api-version.ts";
import { checkUrl } from "./check-url.ts";

// A type that Tripe never sends would be waited for in vain, so it is refused by name; an endpoint for nothing is none.
const enabledEvents = list(choice(["*", ...eventTypes]), 300, 1);

// 2048 is what the contracts carry, and more than browsers ever agreed on.
const url = text(2_048);

const createRoute = defineRoute({
  method: "POST",
  path: "/v1/webhook_endpoints",
  operationId: "createWebhookEndpoint",
  answers: "WebhookEndpoint",
  summary: "Make an endpoint; its secret is in this answer alone.",
  params: group({
    enabled_events: enabledEvents,
    url,
    api_version: optional(apiVersion),
    // No accounts are connected.
    connect: optional(Type.Literal(false)),
    description: clearable(text(5_000)),
    metadata,
    expand,
  }),
  expandable: [],
  async run({ account, accountId, reach, clients, createId, identity, askedVersion }, given) {
    checkUrl(given.url, { reach, isLive: account.isLive });
    const { webhookEndpoint, isReplayed, secret } = await clients.writer.createWebhookEndpoint({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      webhookEndpoint: {
        webhookEndpointId: createId("we_"),
        url: given.url,
        eventTypes: typesOf(given.enabled_events),
        description: textOf(given.description),
        metadata: metadataOf(given.metadata),
        apiVersion: readApiVersion(given.api_version, askedVersion),
      },
    });
    return { body: webhookEndpointView(found(webhookEndpoint), secret), isReplayed };
  },
});

function typesOf(given: readonly string[]): string[] {
  return [...new Set(given)];
}

const mentioned = (given: string) => ({ webhookEndpoint: { id: given, param: "id" } });

const retrieveRoute = defineRoute({
  method: "GET",
  path: "/v1/webhook_endpoints/:id",
  operationId: "retrieveWebhookEndpoint",
  answers: "WebhookEndpoint",
  summary: "Retrieve an endpoint, without its secret.",
  params: group({ expand }),
  expandable: [],
  mentions: mentioned,
  async run({ accountId, clients, id: webhookEndpointId }) {
    const { webhookEndpoint } = await clients.reader.getWebhookEndpoint({ accountId, webhookEndpointId });
    return { body: webhookEndpointView(found(webhookEndpoint)) };
  },
});

const updateParams = group({
  description: clearable(text(5_000)),
  disabled: optional(Type.Boolean()),
  enabled_events: optional(enabledEvents),
  metadata,
  url: optional(url),
  expand,
});

const updateRoute = defineRoute({
  method: "POST",
  path: "/v1/webhook_endpoints/:id",
  operationId: "updateWebhookEndpoint",
  answers: "WebhookEndpoint",
  summary: "Change an endpoint; disable or enable it.",
  params: updateParams,
  expandable: [],
  mentions: mentioned,
  async run({ account, accountId, reach, clients, id: webhookEndpointId, identity }, given) {
    if (given.url !== undefined) checkUrl(given.url, { reach, isLive: account.isLive });
    const metadataPatch = metadataPatchOf(given.metadata);
    const { webhookEndpoint, isReplayed } = await clients.writer.updateWebhookEndpoint({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      webhookEndpoint: {
        webhookEndpointId,
        url: given.url ?? "",
        eventTypes: given.enabled_events === undefined ? [] : typesOf(given.enabled_events),
        description: textOf(given.description),
        isDisabled: given.disabled ?? false,
      },
      updateMask: { paths: pathsOf(given) },
      ...(metadataPatch === undefined ? {} : { metadataPatch }),
    });
    return { body: webhookEndpointView(found(webhookEndpoint)), isReplayed };
  },
});

// The internal mask names fields.
const paths = { description: "description", disabled: "is_disabled", enabled_events: "event_types", url: "url" };

function pathsOf(given: Static<typeof updateParams>): string[] {
  return Object.entries(paths).flatMap(([name, path]) => (Object.hasOwn(given, name) ? [path] : []));
}

const deleteRoute = defineRoute({
  method: "DELETE",
  path: "/v1/webhook_endpoints/:id",
  operationId: "deleteWebhookEndpoint",
  answers: "DeletedWebhookEndpoint",
  summary: "Delete an endpoint; what is due to it is not delivered.",
  params: group({}),
  expandable: [],
  mentions: mentioned,
  async run({ accountId, clients, id: webhookEndpointId, identity }) {
    await clients.writer.deleteWebhookEndpoint({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      webhookEndpointId,
    });
    return { body: deletedView(webhookEndpointId, "webhook_endpoint") };
  },
});

// A day is Stripe's longest, and its default here: time to change a server's setting.
const EXPIRES_IN_SECONDS = 86_400;

const rotateRoute = defineRoute({
  method: "POST",
  path: "/v1/webhook_endpoints/:id/rotate_secret",
  operationId: "rotateWebhookEndpointSecret",
  answers: "WebhookEndpoint",
  summary: "Give an endpoint a new secret; the old one signs beside it until it expires.",
  params: group({ expires_in: optional(integer({ minimum: 0, maximum: EXPIRES_IN_SECONDS })), expand }),
  expandable: [],
  mentions: mentioned,
  async run({ accountId, clients, id: webhookEndpointId, identity }, { expires_in: expiresIn }) {
    const { webhookEndpoint, isReplayed, secret } = await clients.writer.rotateWebhookSecret({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      webhookEndpointId,
      oldExpiresInSeconds: expiresIn ?? EXPIRES_IN_SECONDS,
    });
    return { body: webhookEndpointView(found(webhookEndpoint), secret), isReplayed };
  },
});

const listRoute = defineRoute({
  method: "GET",
  path: "/v1/webhook_endpoints",
  operationId: "listWebhookEndpoints",
  answers: "WebhookEndpoint",
  summary: "List endpoints, newest first.",
  params: group(paging),
  expandable: [],
  isList: true,
  mentions: (_, given) => mentions({ webhookEndpoint: cursorMention(given) }),
  async run({ accountId, clients }, given) {
    const page = await clients.reader.listWebhookEndpoints({ accountId, ...pageRequestOf(given) });
    const data = page.webhookEndpoints.map((endpoint: WebhookEndpoint) => webhookEndpointView(endpoint));
    return { body: listView({ url: "/v1/webhook_endpoints", data, hasMore: page.nextPageToken !== "" }) };
  },
});

/** The routes of endpoints. */
export const webhookEndpointRoutes = [createRoute, retrieveRoute, updateRoute, deleteRoute, rotateRoute, listRoute];
