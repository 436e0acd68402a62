import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import {
  type Account,
  AccountSchema,
  type ApiKey,
  ApiKeySchema,
  type CardAcceptor,
  type CardAcceptorSchema,
} from "../../../gen/tripe/billing/v1/account_pb.ts";
import { timestampOf } from "./fields.ts";
import { apiKeyKinds } from "./words.ts";

const ACCEPTOR_COLUMNS = {
  name: "name",
  city: "city",
  countryCode: "country_code",
  merchantCategory: "merchant_category",
  merchantId: "merchant_id",
  terminalId: "terminal_id",
  timeZone: "time_zone",
  isLive: "is_live",
} as const satisfies Partial<Record<keyof CardAcceptor, string>>;

/** The columns of an account, from `account a`. */
export const accountColumns = `a.account_id, a.is_live, a.name as account_name, a.email, a.address,
  a.default_currency_code, a.create_time as account_create_time, a.fee_basis_points, a.fee_fixed_minor,
  ${acceptorColumn("a")}`;

/** A row of `accountColumns`. */
export interface AccountRow {
  readonly account_id: string;
  readonly is_live: boolean;
  readonly account_name: string;
  readonly email: string;
  readonly address: string;
  readonly default_currency_code: string;
  readonly account_create_time: Date;
  readonly fee_basis_points: number;
  readonly fee_fixed_minor: number;
  readonly acceptor: Acceptor;
}

/** What banks want to know of a merchant, as `acceptorColumn` gives it. */
export type Acceptor = MessageInitShape<typeof CardAcceptorSchema>;

/** The column of what banks want to know of a merchant, from `account` under an alias: an object in the contract's own names. */
export function acceptorColumn(alias: string): string {
  const fields = Object.entries(ACCEPTOR_COLUMNS).map(([name, column]) => `'${name}', ${alias}.${column}`);
  return `jsonb_build_object(${fields.join(", ")}) as acceptor`;
}

/** The account of a row. */
export function accountOf(row: AccountRow): Account {
  return create(AccountSchema, {
    accountId: row.account_id,
    isLive: row.is_live,
    name: row.account_name,
    email: row.email,
    address: row.address,
    defaultCurrencyCode: row.default_currency_code,
    createTime: timestampOf(row.account_create_time),
    acceptor: row.acceptor,
    fee: { basisPoints: row.fee_basis_points, fixedMinor: row.fee_fixed_minor },
  });
}

/** The columns of an API key, from `api_key k`. */
export const apiKeyColumns =
  "k.api_key_id, k.kind, k.last4, k.name, k.scopes, k.create_time, k.expire_time, k.revoke_time";

/** A row of `apiKeyColumns`. */
export interface ApiKeyRow {
  readonly api_key_id: string;
  readonly kind: string;
  readonly last4: string;
  readonly name: string;
  readonly scopes: string[];
  readonly create_time: Date;
  readonly expire_time: Date | null;
  readonly revoke_time: Date | null;
}

/** The API key of a row. */
export function apiKeyOf(row: ApiKeyRow): ApiKey {
  return create(ApiKeySchema, {
    apiKeyId: row.api_key_id,
    kind: apiKeyKinds.of(row.kind),
    last4: row.last4,
    name: row.name,
    scopes: row.scopes,
    createTime: timestampOf(row.create_time),
    expireTime: timestampOf(row.expire_time),
    revokeTime: timestampOf(row.revoke_time),
  });
}
