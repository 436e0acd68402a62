import Type, { type Static } from "typebox";
import type { Price } from "../../../gen/tripe/billing/v1/product_pb.ts";
import { listView } from "../../../services/_views/list.ts";
import { priceView } from "../../../services/_views/price.ts";
import {
  choice,
  clearable,
  created,
  expand,
  formed,
  group,
  id,
  list,
  metadata,
  optional,
  ownId,
  paging,
  soughtText,
  text,
} from "../../decode/fields.ts";
import { isFindable } from "../../decode/text.ts";
import { mention, mentions } from "../../mentions.ts";
import { metadataOf, metadataPatchOf, textOf } from "../../messages.ts";
import { cursorMention, pageRequestOf } from "../../paging.ts";
import { parameterMissing, parametersExclusive } from "../../parameter-problems.ts";
import { found } from "../../reads.ts";
import { defineRoute, type PublicRequest, replayOf } from "../../route.ts";
import { priceTerms, readPriceTerms, recurring } from "./price-params.ts";

const expandable = ["product"];

// Stripe's bounds (docs.stripe.com/api/prices/create).
const LOOKUP_KEY_MAX = 200;
const NICKNAME_MAX = 5_000;

const createParams = group({
  ...priceTerms,
  active: optional(Type.Boolean()),
  billing_scheme: optional(choice(["per_unit"])),
  lookup_key: clearable(text(LOOKUP_KEY_MAX)),
  metadata,
  nickname: clearable(text(NICKNAME_MAX)),
  product: optional(id),
  product_data: optional(group({ name: text(250), id: optional(ownId), active: optional(Type.Boolean()), metadata })),
  recurring: optional(recurring),
  transfer_lookup_key: optional(Type.Boolean()),
  expand,
});

const createRoute = defineRoute({
  method: "POST",
  path: "/v1/prices",
  operationId: "createPrice",
  answers: "Price",
  summary: "Make a price, and its product when one is described.",
  params: createParams,
  expandable,
  mentions: (_, { product }) => mentions({ product: mention(product, "product") }),
  async run(request, given) {
    const { accountId, clients, createId, identity } = request;
    const product = readNewProduct(request, given);
    const { price, isReplayed } = await clients.writer.createPrice({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      price: {
        ...readPriceTerms(given),
        priceId: createId("price_"),
        productId: given.product ?? "",
        lookupKey: textOf(given.lookup_key),
        nickname: textOf(given.nickname),
        isActive: given.active ?? true,
        metadata: metadataOf(given.metadata),
      },
      ...(product === undefined ? {} : { product }),
      isLookupKeyTransferred: given.transfer_lookup_key ?? false,
    });
    return { body: await showPrice(request, found(price)), isReplayed };
  },
  replay: replayOf("price", showPrice),
});

function readNewProduct({ createId }: PublicRequest, { product, product_data: data }: Static<typeof createParams>) {
  if (product !== undefined && data !== undefined) throw parametersExclusive("product", "product_data");
  if (product === undefined && data === undefined) throw parameterMissing("product");
  if (data === undefined) return undefined;
  const { name, id: productId = createId("prod_"), active: isActive = true } = data;
  return { productId, name, isActive, metadata: metadataOf(data.metadata) };
}

const retrieveRoute = defineRoute({
  method: "GET",
  path: "/v1/prices/:id",
  operationId: "retrievePrice",
  answers: "Price",
  summary: "Retrieve a price.",
  params: group({ expand }),
  expandable,
  mentions: (given) => ({ price: { id: given, param: "id" } }),
  async run(request) {
    const { accountId, clients, id: priceId } = request;
    const { price } = await clients.reader.getPrice({ accountId, priceId });
    return { body: await showPrice(request, found(price)) };
  },
});

const updateParams = group({
  active: optional(Type.Boolean()),
  lookup_key: clearable(text(LOOKUP_KEY_MAX)),
  metadata,
  nickname: clearable(text(NICKNAME_MAX)),
  tax_behavior: optional(choice(["unspecified"])),
  transfer_lookup_key: optional(Type.Boolean()),
  expand,
});

const updateRoute = defineRoute({
  method: "POST",
  path: "/v1/prices/:id",
  operationId: "updatePrice",
  answers: "Price",
  summary: "Change the words of a price, never its amount; empty values unset.",
  params: updateParams,
  expandable,
  mentions: (given) => ({ price: { id: given, param: "id" } }),
  async run(request, given) {
    const { accountId, clients, id: priceId, identity } = request;
    const metadataPatch = metadataPatchOf(given.metadata);
    const { price, isReplayed } = await clients.writer.updatePrice({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      price: {
        priceId,
        nickname: textOf(given.nickname),
        isActive: given.active ?? false,
        lookupKey: textOf(given.lookup_key),
      },
      updateMask: { paths: pathsOf(given) },
      ...(metadataPatch === undefined ? {} : { metadataPatch }),
      isLookupKeyTransferred: given.transfer_lookup_key ?? false,
    });
    return { body: await showPrice(request, found(price)), isReplayed };
  },
  replay: replayOf("price", showPrice),
});

// The internal mask names fields.
const paths = { active: "is_active", lookup_key: "lookup_key", nickname: "nickname" };

function pathsOf(given: Static<typeof updateParams>): string[] {
  return Object.entries(paths).flatMap(([name, path]) => (Object.hasOwn(given, name) ? [path] : []));
}

const listRoute = defineRoute({
  method: "GET",
  path: "/v1/prices",
  operationId: "listPrices",
  answers: "Price",
  summary: "List prices, newest first.",
  params: group({
    active: optional(Type.Boolean()),
    currency: optional(formed(3, "^[A-Za-z]{3}$", "a three-letter currency code")),
    // Stripe's: ten keys at once.
    lookup_keys: optional(list(soughtText, 10)),
    product: optional(id),
    type: optional(choice(["one_time", "recurring"])),
    created,
    ...paging,
  }),
  expandable,
  isList: true,
  mentions: (_, given) => mentions({ product: mention(given.product, "product"), price: cursorMention(given) }),
  async run(request, given) {
    const { accountId, clients, reads } = request;
    const { active, currency = "", lookup_keys: keys, product: productId = "", type } = given;
    const lookupKeys = (keys ?? []).filter((key) => isFindable(key, LOOKUP_KEY_MAX));
    if (keys !== undefined && keys.length > 0 && lookupKeys.length === 0) {
      return { body: listView({ url: "/v1/prices", data: [], hasMore: false }) };
    }
    // The product is read beside: no prices and no such product are different answers.
    const [page] = await Promise.all([
      clients.reader.listPrices({
        accountId,
        currencyCode: currency.toUpperCase(),
        lookupKeys,
        productId,
        ...(active === undefined ? {} : { isActive: active }),
        ...(type === undefined ? {} : { isRecurring: type === "recurring" }),
        ...pageRequestOf(given),
      }),
      reads.product(productId),
    ]);
    const data = await Promise.all(page.prices.map((price) => showPrice(request, price)));
    return { body: listView({ url: "/v1/prices", data, hasMore: page.nextPageToken !== "" }) };
  },
});

async function showPrice({ expand: wanted, reads }: PublicRequest, price: Price) {
  const product = wanted.has("product") ? await reads.product(price.productId) : undefined;
  return priceView(price, { product });
}

/** The routes of prices. */
export const priceRoutes = [createRoute, retrieveRoute, updateRoute, listRoute];
