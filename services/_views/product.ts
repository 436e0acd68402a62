import type Stripe from "stripe";
import type { Price, Product } from "../../gen/tripe/billing/v1/product_pb.ts";
import { expandable } from "./expandable.ts";
import { priceView } from "./price.ts";
import { metadataOf, secondsOf, textOrNull } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** What of a product was asked to be shown whole. */
export interface ProductExpansions {
  readonly default_price?: Price | undefined;
}

/** Shows a product. Tripe ships nothing and keeps no pictures: what is about goods and shop windows is null or empty. */
export function productView(product: Product, expansions: ProductExpansions = {}): Wire<Stripe.Product> {
  return {
    id: product.productId,
    object: "product",
    active: product.isActive,
    created: secondsOf(product.createTime),
    default_price: expandable(product.defaultPriceId, expansions.default_price, priceView),
    description: textOrNull(product.description),
    images: [],
    livemode: product.isLive,
    marketing_features: [],
    metadata: metadataOf(product.metadata),
    name: product.name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: "service",
    unit_label: null,
    updated: secondsOf(product.updateTime ?? product.createTime),
    url: null,
  };
}
