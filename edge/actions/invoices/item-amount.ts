import type { Invoice, InvoiceItem } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import type { Price } from "../../../gen/tripe/billing/v1/product_pb.ts";
import { lineAmount } from "../../../services/_billing/totals.ts";
import { CHARGE_MAX_MINOR } from "../../../services/_runtime/charge-bounds.ts";
import { type Currency, findCurrency } from "../../../services/_runtime/currency.ts";
import { itemWithoutAmount, priceUnusable } from "../../invoice-problems.ts";
import { parametersExclusive, valueNotCarriedOut } from "../../parameter-problems.ts";
import { amountTooLarge, currencyInvalid } from "../../problems.ts";
import { checkStep } from "../charges/amount.ts";

/** What an item comes to, as a request may say it. */
export interface ItemAmountParams {
  readonly amount?: number;
  readonly currency?: string;
  readonly price?: string;
  readonly pricing?: { readonly price?: string };
  readonly quantity?: number;
  readonly unit_amount_decimal?: string;
}

/** The fields of an item that say what it comes to. */
export interface ItemAmount {
  readonly amountMinor: bigint;
  readonly quantity: bigint;
  /** Absent for a bare amount. */
  readonly unitAmountMinor?: bigint;
}

/** The price a request names, in its newer place or in its older one; empty for none. */
export function priceIdOf({ price, pricing }: ItemAmountParams): string {
  if (price !== undefined && pricing?.price !== undefined) throw parametersExclusive("price", "pricing[price]");
  return pricing?.price ?? price ?? "";
}

/** Finds the currency that an item or an invoice is in, by its public code; throws a Problem on another. */
export function readCurrency(given: string): Currency {
  const found = findCurrency(given.toUpperCase());
  if (found === undefined) throw currencyInvalid(given);
  return found;
}

/** Reads the amount of a new item, once its price is known. Throws a Problem when it says too little, or too much. */
export function readItemAmount(given: ItemAmountParams, price: Price | undefined, currencyCode: string): ItemAmount {
  const { amount, quantity = 1, unit_amount_decimal: unit } = given;
  const said = [amount, price, unit].filter((one) => one !== undefined);
  if (said.length === 0) throw itemWithoutAmount();
  if (said.length > 1)
    throw parametersExclusive("amount", price === undefined ? "unit_amount_decimal" : "pricing[price]");
  if (amount !== undefined) return bareAmount(given, currencyCode);
  const unitAmountMinor = price === undefined ? readUnit(String(unit), currencyCode) : unitOf(price);
  return amountOf(unitAmountMinor, BigInt(quantity), currencyCode);
}

/** Reads how an item's amount changes; undefined when it does not. What is not said stays as it is. */
export function readItemChange(given: ItemAmountParams, current: InvoiceItem): ItemAmount | undefined {
  const { amount, quantity, unit_amount_decimal: unit } = given;
  if (amount !== undefined && unit !== undefined) throw parametersExclusive("amount", "unit_amount_decimal");
  if (amount !== undefined) return bareAmount(given, current.currencyCode);
  if (quantity === undefined && unit === undefined) return undefined;
  const unitAmountMinor =
    unit === undefined ? (current.unitAmountMinor ?? current.amountMinor) : readUnit(unit, current.currencyCode);
  return amountOf(unitAmountMinor, BigInt(quantity ?? current.quantity), current.currencyCode);
}

/** The currency of a new item: its price's, else what was asked, else its invoice's, else the account's. */
export function currencyCodeOf(
  given: ItemAmountParams,
  { price, invoice, fallback }: { price: Price | undefined; invoice: Invoice | undefined; fallback: string },
): string {
  const own = price?.unitAmount?.currencyCode;
  const asked = given.currency === undefined ? undefined : readCurrency(given.currency).code;
  if (own !== undefined && asked !== undefined && own !== asked) throw currencyInvalid(given.currency ?? "");
  return own ?? asked ?? invoice?.currencyCode ?? fallback;
}

function bareAmount({ amount = 0, quantity }: ItemAmountParams, currencyCode: string): ItemAmount {
  if (quantity !== undefined) throw parametersExclusive("amount", "quantity");
  return { amountMinor: checked(BigInt(amount), currencyCode), quantity: 1n };
}

function amountOf(unitAmountMinor: bigint, quantity: bigint, currencyCode: string): ItemAmount {
  checked(unitAmountMinor * quantity, currencyCode);
  return { amountMinor: lineAmount({ unitAmountMinor, quantity }), quantity, unitAmountMinor };
}

// An invoice is paid by one charge; a credit may be as much.
function checked(amountMinor: bigint, currencyCode: string): bigint {
  if (amountMinor > CHARGE_MAX_MINOR || amountMinor < -CHARGE_MAX_MINOR)
    throw amountTooLarge(CHARGE_MAX_MINOR, currencyCode);
  checkStep(amountMinor, currencyCode);
  return amountMinor;
}

// Parts of a minor unit have no place in an item's message.
function readUnit(unit: string, currencyCode: string): bigint {
  if (!/^\d+(\.0+)?$/.test(unit)) throw valueNotCarriedOut("unit_amount_decimal", "whole minor units, 0 or more,");
  return checked(BigInt(unit.replace(/\..*$/, "")), currencyCode);
}

function unitOf({ isActive, priceId, recurrence, unitAmount }: Price): bigint {
  if (recurrence !== undefined) throw priceUnusable(priceId, "recurring");
  if (!isActive) throw priceUnusable(priceId, "inactive");
  return unitAmount?.amountMinor ?? 0n;
}
