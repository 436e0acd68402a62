import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, expect, test } from "vitest";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { CheckResult } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { declineView, refundFailureReasonOf } from "../_views/decline.ts";
import { createAuthority } from "../bank/testing/certificates.ts";
import { createForeignBooks, type ForeignMessage, serveForeign } from "../bank/testing/foreign-bank.ts";
import { startTestTripe } from "../testing.ts";
import { createSteps, makeDue, selectRows } from "./testing.ts";

/** A bank that shares no code with Tripe, at one port for good; `restart` cuts it and begins anew over the same books. */
async function startForeign(open: (serve: (socket: Socket) => void) => Server) {
  const books = createForeignBooks();
  const sockets = new Set<Socket>();
  let muteNext = (_request: ForeignMessage) => false;
  const serve = (socket: Socket) => {
    sockets.add(socket);
    serveForeign(socket, books, (request) => muteNext(request));
  };
  const listen = async (port: number) => {
    const server = open(serve);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
  };
  let current = await listen(0);
  const stop = async () => {
    const closed = once(current.server, "close");
    current.server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    books,
    port: current.port,
    stop,
    restart: async () => {
      await stop();
      current = await listen(current.port);
    },
    /** Answers no purchase until it is told to. */
    mute: (isMute: boolean) => {
      muteNext = (request) => isMute && request[0] === "0200";
    },
  };
}

async function startTls() {
  const folder = await mkdtemp(join(tmpdir(), "tripe-foreign-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const authority = createAuthority("an acquirer");
  const own = authority.issue("tripe");
  const files = { TRIPE_ACQUIRER_CA: authority.cert, TRIPE_ACQUIRER_CERT: own.cert, TRIPE_ACQUIRER_KEY: own.key };
  const env: Record<string, string> = {};
  for (const [name, text] of Object.entries(files)) {
    env[name] = join(folder, `${name}.pem`);
    await writeFile(env[name], text, { mode: 0o600 });
  }
  const options = { ...authority.issue("127.0.0.1"), ca: authority.cert, requestCert: true, rejectUnauthorized: true };
  const bank = await startForeign((serve) => createTlsServer(options, serve));
  return {
    bank,
    acquirer: { ...env, TRIPE_ACQUIRER_ID: "4711", TRIPE_ACQUIRER_ADDRESS: `tls://127.0.0.1:${bank.port}` },
  };
}

async function startPlain() {
  const bank = await startForeign((serve) => createServer(serve));
  return { bank, acquirer: { TRIPE_ACQUIRER_ADDRESS: `127.0.0.1:${bank.port}`, TRIPE_ACQUIRER_ID: "4711" } };
}

const lines = { plain: await startPlain(), "mutual TLS": await startTls() };
const tripes = {
  plain: await startTestTripe({ acquirer: lines.plain.acquirer }),
  "mutual TLS": await startTestTripe({ acquirer: lines["mutual TLS"].acquirer }),
};
afterAll(() => Promise.all(Object.values(lines).map(({ bank }) => bank.stop())));

const ACCEPTOR = {
  name: "Caf\u00e9 Tripe",
  city: "Z\u00fcrich",
  countryCode: "CH",
  merchantCategory: "5812",
  merchantId: "MERCHANT-000001",
  terminalId: "TERM0001",
  timeZone: "Asia/Kolkata",
};
const SET_ACCEPTOR = `update account set name = $1, city = $2, country_code = $3, merchant_category = $4,
  merchant_id = $5, terminal_id = $6, time_zone = $7`;

function setup(wire: keyof typeof tripes) {
  const [{ bank }, tripe] = [lines[wire], tripes[wire]];
  const { accountId } = tripe;
  const steps = createSteps(tripe);
  const { edge, key } = steps;
  const giveBack = async (chargeId: string, amountMinor: bigint) => {
    const answer = await edge.transactions.createReturn({ ...key(), chargeId, amountMinor });
    return answer.return?.state;
  };
  const verify = async (cvc: string) => {
    const card = { number: "4242424242424242", expMonth: 12, expYear: 2040, cvc };
    const request = { accountId, paymentMethodId: createId("card_"), card, acceptor: ACCEPTOR };
    const { card: sealed, verificationDecline } = await edge.bank.sealCard(request);
    return [sealed?.cvcCheck, verificationDecline?.reason];
  };
  /** Ends both, the bank and the bank service, and starts them anew. */
  const restart = async () => {
    await tripe.stopService("bank");
    await bank.restart();
    await tripe.startService("bank");
  };
  /** Sweeps until a charge is pending no more. */
  const resolve = async (chargeId: string) => {
    const { transactions } = tripe.clientsOf("scheduler");
    const look = async () => {
      await makeDue(tripe, chargeId);
      await transactions.resolveAttempts({ limit: 500 });
      return (await edge.reader.getCharge({ accountId, chargeId })).charge?.state;
    };
    await expect.poll(look, { timeout: 10_000 }).toBe(ChargeState.SUCCEEDED);
  };
  return { ...steps, bank, tripe, giveBack, verify, restart, resolve };
}

test.each(["plain", "mutual TLS"] as const)(
  "over %s, a bank written from the page alone verifies, buys, holds, captures, returns and lets go, through restarts",
  async (wire) => {
    const { edge, key, createPayer, chargeRequest, charge, bank, tripe, ...does } = setup(wire);
    await selectRows(tripe, SET_ACCEPTOR, ...Object.values(ACCEPTOR));
    expect(await does.verify("123")).toEqual([CheckResult.PASS, undefined]);
    expect(await does.verify("124")).toEqual([CheckResult.FAIL, "incorrect_cvc"]);
    const payer = await createPayer();
    const bought = (await charge(chargeRequest(payer))).charge;
    expect(bought).toMatchObject({
      state: ChargeState.SUCCEEDED,
      authorizationCode: expect.stringMatching(/^P\d{5}$/),
    });
    const poor = (await charge(chargeRequest(await createPayer("4000000000009995")))).charge;
    expect(poor).toMatchObject({ state: ChargeState.FAILED, decline: { reason: "insufficient_funds" } });

    const request = chargeRequest(payer, 3_000n);
    const hold = { ...request, charge: { ...request.charge, isHeld: true } };
    const held = (await charge(hold)).charge;
    await does.restart();
    const captured = await edge.transactions.captureCharge({ ...key(), chargeId: held.chargeId, amountMinor: 1_500n });
    expect(captured.charge?.capturedMinor).toBe(1_500n);
    expect(await does.giveBack(bought.chargeId, 500n)).toBe(ReturnState.SUCCEEDED);
    expect(await does.giveBack(held.chargeId, 1_500n)).toBe(ReturnState.SUCCEEDED);
    const other = (await charge({ ...hold, ...key() })).charge;
    expect(await does.giveBack(other.chargeId, 0n)).toBe(ReturnState.SUCCEEDED);

    bank.mute(true);
    const lost = (await edge.transactions.createCharge(chargeRequest(payer), { timeoutMs: 800 })).charge;
    expect(lost?.state).toBe(ChargeState.PENDING);
    bank.mute(false);
    await does.restart();
    await does.resolve(lost?.chargeId ?? "");
    expect(await does.giveBack(lost?.chargeId ?? "", 2_000n)).toBe(ReturnState.SUCCEEDED);

    const done = [...bank.books.entries.values()].filter(({ code }) => code === "00");
    expect(done.map(({ kind, amount }) => `${kind} ${amount}`)).toEqual([
      "purchase 2000",
      "hold 3000",
      "capture 1500",
      "refund 500",
      "refund 1500",
      "hold 3000",
      "reversal 3000",
      "purchase 2000",
      "refund 2000",
    ]);
  },
);

test.each([
  ["12", "generic_decline", "Your card was declined."],
  ["13", "invalid_amount", "Invalid amount."],
  ["25", "processing_error", "An error occurred while processing your card. Try again in a little bit."],
])(
  "a capture, a refund and a release that the bank refuses with %s are declined, and may be asked for again",
  async (code, reason, words) => {
    const { edge, key, createPayer, chargeRequest, charge, bank, giveBack } = setup("plain");
    const { refusals } = bank.books;
    const request = chargeRequest(await createPayer());
    const { chargeId } = (await charge({ ...request, charge: { ...request.charge, isHeld: true } })).charge;
    const capture = () => edge.transactions.captureCharge({ ...key(), chargeId, amountMinor: 500n });

    refusals.push(code);
    const refused = await capture();
    expect(refused).toMatchObject({ charge: { capturedMinor: 0n }, decline: { reason, responseCode: code } });
    expect(declineView({ reason, responseCode: code }).message).toBe(words);
    refusals.push(code);
    expect(await giveBack(chargeId, 0n)).toBe(ReturnState.FAILED);
    expect((await capture()).charge?.capturedMinor).toBe(500n);
    refusals.push(code);
    const back = (await edge.transactions.createReturn({ ...key(), chargeId, amountMinor: 500n })).return;
    expect(back).toMatchObject({ state: ReturnState.FAILED, decline: { reason, responseCode: code } });
    expect(refundFailureReasonOf(reason)).toBe("declined");
    expect(await giveBack(chargeId, 500n)).toBe(ReturnState.SUCCEEDED);
  },
);

test("what it was asked says when, where, and for which merchant", () => {
  for (const { bank } of Object.values(lines)) {
    const { requests } = bank.books;
    const money = requests.filter((asked) => !asked[0]?.startsWith("06"));
    const said = money.map((asked) => [18, 25, 32, 41, 42, 43].map((element) => asked[element]).join("|"));
    const place = `${"Cafe Tripe".padEnd(25)}${"Zurich".padEnd(13)}CH`;
    expect(new Set(said)).toEqual(new Set([`5812|59|4711|TERM0001|MERCHANT-000001|${place}`]));
    const minutes = (text: string) => 60 * Number(text.slice(0, 2)) + Number(text.slice(2, 4));
    for (const { 7: utc = "", 11: traceNumber = "", 12: time = "", 37: reference } of money) {
      // Kolkata is five and a half hours ahead, the whole year.
      expect((minutes(time) - minutes(utc.slice(4)) + 1_440) % 1_440).toBe(330);
      expect(reference).toMatch(new RegExp(`^[0-9]{4}${utc.slice(4, 6)}${traceNumber}$`));
    }
    const [asked] = requests.filter(({ 0: type }) => type === "0600");
    const about = money.find(({ 63: ref }) => ref === asked?.[63]);
    expect([asked?.[37], asked?.[90]?.slice(0, 20)]).toEqual([about?.[37], `0200${about?.[11]}${about?.[7]}`]);
  }
});
