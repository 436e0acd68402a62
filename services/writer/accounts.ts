import { Code, type ServiceImpl } from "@connectrpc/connect";
import type { Account, CardAcceptor, FeeSchedule } from "../../gen/tripe/billing/v1/account_pb.ts";
import type { CreateAccountRequest, UpdateAccountRequest } from "../../gen/tripe/writer/v1/accounts_pb.ts";
import type { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import type { Query } from "../_database/connect.ts";
import { type AccountRow, accountColumns, accountOf } from "../_database/rows/account.ts";
import { findCurrency } from "../_runtime/currency.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { createApiKey, revokeApiKey, rollApiKey } from "./api-keys.ts";
import { applyMask } from "./masks.ts";

const INSERT = {
  name: "insert_account",
  text: `insert into account (account_id, is_live, name, email, address, default_currency_code, city, country_code,
      merchant_category, merchant_id, terminal_id, time_zone, fee_basis_points, fee_fixed_minor, create_time)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, business_now($1)) on conflict (account_id) do nothing`,
};

const LOCK = {
  name: "lock_account_to_update",
  text: `select ${accountColumns} from account a where a.account_id = $1 for no key update`,
};

const UPDATE = {
  name: "update_account",
  text: `update account a set name = $2, email = $3, address = $4, default_currency_code = $5, city = $6,
      country_code = $7, merchant_category = $8, merchant_id = $9, terminal_id = $10, time_zone = $11,
      fee_basis_points = $12, fee_fixed_minor = $13
    where a.account_id = $1 returning ${accountColumns}`,
};

const UPDATABLE = ["name", "email", "address", "default_currency_code", "acceptor", "fee"];

/** The rpcs of accounts and their API keys, which only an operator calls. */
export function writeAccounts(dependencies: WriterDependencies) {
  return {
    createAccount: (request) => createAccount(dependencies, request),
    updateAccount: (request) => updateAccount(dependencies, request),
    createApiKey: (request) => createApiKey(dependencies, request),
    rollApiKey: (request) => rollApiKey(dependencies, request),
    revokeApiKey: (request) => revokeApiKey(dependencies, request),
  } satisfies Partial<ServiceImpl<typeof WriterService>>;
}

/** Makes an account. Refuses ACCOUNT_EXISTS an id that is in use for another, CURRENCY_UNKNOWN and TIME_ZONE_UNKNOWN. */
async function createAccount({ database }: WriterDependencies, { account }: CreateAccountRequest) {
  assert(account !== undefined, "validation requires the account");
  const { accountId, isLive, name, email, address, defaultCurrencyCode } = account;
  refuseUnknownCurrency(defaultCurrencyCode);
  return database.transaction(async (query) => {
    const details = [...acceptorValues(account.acceptor), ...feeValues(account.fee)];
    await query(INSERT, [accountId, isLive, name, email, address, defaultCurrencyCode, ...details]);
    const made = await lockAccount(query, accountId);
    const isSame = made.isLive === isLive && made.name === name && made.email === email && made.address === address;
    if (!isSame) refuse(Code.AlreadyExists, "ACCOUNT_EXISTS", `the account ${accountId} is there already`, "account");
    return { account: made };
  });
}

/** Changes an account. Refuses ACCOUNT_NOT_FOUND, CURRENCY_UNKNOWN, TIME_ZONE_UNKNOWN and an unknown field of the mask. */
async function updateAccount({ database }: WriterDependencies, { account, updateMask }: UpdateAccountRequest) {
  assert(account !== undefined, "validation requires the account");
  const { accountId } = account;
  return database.transaction(async (query) => {
    const current = await lockAccount(query, accountId);
    const next = applyMask(current, account, updateMask?.paths ?? [], UPDATABLE);
    refuseUnknownCurrency(next.defaultCurrencyCode);
    const { name, email, address, defaultCurrencyCode } = next;
    const details = [...acceptorValues(next.acceptor), ...feeValues(next.fee)];
    const values = [accountId, name, email, address, defaultCurrencyCode, ...details];
    const [row] = await query<AccountRow>(UPDATE, values);
    assert(row !== undefined, "a locked account is there");
    return { account: accountOf(row) };
  });
}

async function lockAccount(query: Query, accountId: string): Promise<Account> {
  const [row] = await query<AccountRow>(LOCK, [accountId]);
  return row === undefined
    ? refuse(Code.NotFound, "ACCOUNT_NOT_FOUND", `no account ${accountId}`, "account_id")
    : accountOf(row);
}

/** The columns of what banks want to know, in the order of the statements; what is empty has its stand-in. */
function acceptorValues(acceptor: CardAcceptor | undefined): string[] {
  const { city = "", countryCode = "", merchantCategory = "", merchantId = "", terminalId = "" } = acceptor ?? {};
  const timeZone = acceptor?.timeZone || "UTC";
  if (!isTimeZone(timeZone)) {
    refuse(Code.InvalidArgument, "TIME_ZONE_UNKNOWN", "IANA has no such time zone", "account.acceptor.time_zone");
  }
  return [city, countryCode || "US", merchantCategory || "5999", merchantId, terminalId, timeZone];
}

function feeValues({ basisPoints = 0, fixedMinor = 0 }: Partial<FeeSchedule> = {}): number[] {
  return [basisPoints, fixedMinor];
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

function refuseUnknownCurrency(code: string): void {
  if (findCurrency(code) !== undefined) return;
  refuse(Code.InvalidArgument, "CURRENCY_UNKNOWN", `Tripe has no currency ${code}`, "account.default_currency_code");
}
