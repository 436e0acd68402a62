import Type, { type Static } from "typebox";
import type { Product } from "../../../gen/tripe/billing/v1/product_pb.ts";
import { listView } from "../../../services/_views/list.ts";
import { productView } from "../../../services/_views/product.ts";
import {
  choice,
  clearable,
  created,
  expand,
  group,
  id,
  metadata,
  optional,
  ownId,
  paging,
  text,
} from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { metadataOf, metadataPatchOf, textOf } from "../../messages.ts";
import { cursorMention, pageRequestOf } from "../../paging.ts";
import { found } from "../../reads.ts";
import { defineRoute, type PublicRequest, replayOf } from "../../route.ts";
import { priceTerms, readPriceTerms, recurring } from "./price-params.ts";

const expandable = ["default_price"];

const createParams = group({
  name: text(250),
  id: optional(ownId),
  active: optional(Type.Boolean()),
  default_price_data: optional(group({ ...priceTerms, recurring: optional(recurring), metadata })),
  description: clearable(text(5_000)),
  metadata,
  // What older versions had to say: everything Tripe sells is a service to it, since it ships nothing.
  type: optional(choice(["service"])),
  expand,
});

const createRoute = defineRoute({
  method: "POST",
  path: "/v1/products",
  operationId: "createProduct",
  answers: "Product",
  summary: "Make a product, with its default price when one is given.",
  params: createParams,
  expandable,
  async run(request, given) {
    const { accountId, clients, createId, identity } = request;
    const defaultPrice = readDefaultPrice(request, given);
    const { product, isReplayed } = await clients.writer.createProduct({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      product: {
        productId: given.id ?? createId("prod_"),
        name: given.name,
        description: textOf(given.description),
        isActive: given.active ?? true,
        metadata: metadataOf(given.metadata),
      },
      ...(defaultPrice === undefined ? {} : { defaultPrice }),
    });
    return { body: await showProduct(request, found(product)), isReplayed };
  },
  replay: replayOf("product", showProduct),
});

function readDefaultPrice({ createId }: PublicRequest, { default_price_data: terms }: Static<typeof createParams>) {
  if (terms === undefined) return undefined;
  const price = readPriceTerms(terms, "default_price_data");
  return { ...price, priceId: createId("price_"), isActive: true, metadata: metadataOf(terms.metadata) };
}

const retrieveRoute = defineRoute({
  method: "GET",
  path: "/v1/products/:id",
  operationId: "retrieveProduct",
  answers: "Product",
  summary: "Retrieve a product.",
  params: group({ expand }),
  expandable,
  mentions: (given) => ({ product: { id: given, param: "id" } }),
  async run(request) {
    const { accountId, clients, id: productId } = request;
    const { product } = await clients.reader.getProduct({ accountId, productId });
    return { body: await showProduct(request, found(product)) };
  },
});

const updateParams = group({
  name: optional(text(250)),
  active: optional(Type.Boolean()),
  default_price: optional(id),
  description: clearable(text(5_000)),
  metadata,
  expand,
});

const updateRoute = defineRoute({
  method: "POST",
  path: "/v1/products/:id",
  operationId: "updateProduct",
  answers: "Product",
  summary: "Change a product; empty values unset.",
  params: updateParams,
  expandable,
  mentions: (given, { default_price: price }) =>
    mentions({ product: mention(given, "id"), price: mention(price, "default_price") }),
  async run(request, given) {
    const { accountId, clients, id: productId, identity } = request;
    const metadataPatch = metadataPatchOf(given.metadata);
    const { product, isReplayed } = await clients.writer.updateProduct({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      product: {
        productId,
        name: given.name ?? "",
        description: textOf(given.description),
        isActive: given.active ?? false,
        defaultPriceId: given.default_price ?? "",
      },
      updateMask: { paths: pathsOf(given) },
      ...(metadataPatch === undefined ? {} : { metadataPatch }),
    });
    return { body: await showProduct(request, found(product)), isReplayed };
  },
  replay: replayOf("product", showProduct),
});

// The internal mask names fields.
const paths = { name: "name", active: "is_active", default_price: "default_price_id", description: "description" };

function pathsOf(given: Static<typeof updateParams>): string[] {
  return Object.entries(paths).flatMap(([name, path]) => (Object.hasOwn(given, name) ? [path] : []));
}

const listRoute = defineRoute({
  method: "GET",
  path: "/v1/products",
  operationId: "listProducts",
  answers: "Product",
  summary: "List products, newest first.",
  params: group({ active: optional(Type.Boolean()), created, ...paging }),
  expandable,
  isList: true,
  mentions: (_, given) => mentions({ product: cursorMention(given) }),
  async run(request, given) {
    const { accountId, clients } = request;
    const page = await clients.reader.listProducts({
      accountId,
      ...(given.active === undefined ? {} : { isActive: given.active }),
      ...pageRequestOf(given),
    });
    const data = await Promise.all(page.products.map((product) => showProduct(request, product)));
    return { body: listView({ url: "/v1/products", data, hasMore: page.nextPageToken !== "" }) };
  },
});

async function showProduct({ expand: wanted, reads }: PublicRequest, product: Product) {
  const price = wanted.has("default_price") ? await reads.price(product.defaultPriceId) : undefined;
  return productView(product, { default_price: price });
}

/** The routes of products. */
export const productRoutes = [createRoute, retrieveRoute, updateRoute, listRoute];
