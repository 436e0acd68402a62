import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

const acquirerOf = (TRIPE_ACQUIRER_ADDRESS: string, env = {}) =>
  readConfig({ TRIPE_ACQUIRER_ADDRESS, ...env }).acquirer;

test.each([
  ["127.0.0.1:9000", { host: "127.0.0.1", port: 9000, tls: false }],
  ["tcp://localhost:9000", { host: "localhost", port: 9000, tls: false }],
  ["tcp://[::1]:9000", { host: "::1", port: 9000, tls: false }],
  ["tls://iso.bank.example:9443", { host: "iso.bank.example", port: 9443, tls: true }],
  ["10.0.0.7:9000?tls=no", { host: "10.0.0.7", port: 9000, tls: false }],
  ["tcp://iso.bank.example:9000?tls=no", { host: "iso.bank.example", port: 9000, tls: false }],
])("%s is a bank of one's own", (address, place) => {
  expect(acquirerOf(address)).toMatchObject({ ...place, isSandbox: false });
});

test.each([
  ["iso.bank.example:9000", "would send card numbers to iso.bank.example in clear: say tls://iso.bank.example:9000"],
  ["tcp://10.0.0.7:9000", "would send card numbers to 10.0.0.7 in clear"],
  ["tls://iso.bank.example:9443?tls=no", "says both tls:// and ?tls=no"],
  ["iso.bank.example", "TRIPE_ACQUIRER_ADDRESS must be"],
  ["http://iso.bank.example:80", "TRIPE_ACQUIRER_ADDRESS must be"],
  ["127.0.0.1:9000?tls=yes", "TRIPE_ACQUIRER_ADDRESS must be"],
  ["127.0.0.1:0", "TRIPE_ACQUIRER_ADDRESS must be"],
  ["127.0.0.1:70000", "TRIPE_ACQUIRER_ADDRESS must be"],
])("%s is refused in words", (address, words) => {
  expect(() => acquirerOf(address)).toThrow(words);
});

test("the bank of live accounts is a setting of its own, and absent when it is not set", () => {
  expect(readConfig({ TRIPE_ACQUIRER_ADDRESS: "127.0.0.1:9000" }).liveAcquirer).toBeUndefined();
  const TRIPE_LIVE_ACQUIRER_ADDRESS = "tls://iso.bank.example:9443";
  const { acquirer, liveAcquirer } = readConfig({ TRIPE_LIVE_ACQUIRER_ADDRESS, TRIPE_LIVE_ACQUIRER_ID: "77" });
  expect(liveAcquirer).toMatchObject({ host: "iso.bank.example", port: 9_443, tls: true, id: "77", isSandbox: false });
  expect(acquirer).toMatchObject({ isSandbox: true, id: "000001" });
  const clear = { TRIPE_LIVE_ACQUIRER_ADDRESS: "iso.bank.example:9000" };
  expect(() => readConfig(clear)).toThrow("TRIPE_LIVE_ACQUIRER_ADDRESS would send card numbers");
  expect(() => readConfig({ TRIPE_LIVE_ACQUIRER_CA: "ca.pem" })).toThrow("need TRIPE_LIVE_ACQUIRER_ADDRESS=tls://");
});

test("a password that signs on is 32 hexadecimal digits, for each bank its own, and absent when it is not set", () => {
  const address = "127.0.0.1:9000";
  const TRIPE_LIVE_ACQUIRER_ADDRESS = address;
  expect(acquirerOf(address).password).toBeUndefined();
  expect(acquirerOf(address, { TRIPE_ACQUIRER_PASSWORD: "ab".repeat(16) }).password?.reveal()).toBe("AB".repeat(16));
  const { acquirer, liveAcquirer } = readConfig({
    TRIPE_LIVE_ACQUIRER_ADDRESS,
    TRIPE_LIVE_ACQUIRER_PASSWORD: "0".repeat(32),
  });
  expect([acquirer.password, liveAcquirer?.password?.reveal()]).toEqual([undefined, "0".repeat(32)]);
  expect(() => acquirerOf(address, { TRIPE_ACQUIRER_PASSWORD: "secret" })).toThrow(
    "TRIPE_ACQUIRER_PASSWORD must be 32 hexadecimal digits",
  );
});

test("certificates go with TLS, and a client's certificate with its key", () => {
  const address = "tls://iso.bank.example:9443";
  const files = { TRIPE_ACQUIRER_CA: "ca.pem", TRIPE_ACQUIRER_CERT: "own.pem", TRIPE_ACQUIRER_KEY: "own.key" };
  expect(acquirerOf(address, files)).toMatchObject({ caFile: "ca.pem", certFile: "own.pem", keyFile: "own.key" });
  expect(() => acquirerOf("127.0.0.1:9000", files)).toThrow("need TRIPE_ACQUIRER_ADDRESS=tls://host:port");
  expect(() => readConfig(files)).toThrow("need TRIPE_ACQUIRER_ADDRESS=tls://host:port");
  expect(() => acquirerOf(address, { TRIPE_ACQUIRER_CERT: "own.pem" })).toThrow("belong together");
});

test("the id that the bank knows us by is digits, as many as its element holds", () => {
  expect(acquirerOf("127.0.0.1:9000").id).toBe("000001");
  expect(acquirerOf("127.0.0.1:9000", { TRIPE_ACQUIRER_ID: "40012345678" }).id).toBe("40012345678");
  for (const id of ["400123456789", "4001-1", "abc"]) {
    expect(() => acquirerOf("127.0.0.1:9000", { TRIPE_ACQUIRER_ID: id })).toThrow(
      "TRIPE_ACQUIRER_ID must be 1 to 11 digits",
    );
  }
});
