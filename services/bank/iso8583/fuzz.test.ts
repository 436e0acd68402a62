import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { systemClock } from "../../_runtime/clock.ts";
import { createRandom } from "../random.ts";
import { CHARACTERS, createValue, normalizeMessage, renderMessage } from "../testing/render-message.ts";
import { CodecError, decode, encode, type Message } from "./codec.ts";
import { FIELD_NUMBERS, FIELDS, type Field, type FieldNumber } from "./fields.ts";
import { createFrameReader, FrameError, frame, MESSAGE_BYTES_MAX } from "./frames.ts";

const FRAMES = 50_000;
/** Good messages to change: enough that each element is in many, few enough that making them takes less than changing them. */
const MESSAGES = 500;
/** Of the elements, how many a message has: some twenty, as real ones. */
const SHARE = 0.15;
/** Ten times what they take on two busy cores: a codec that takes more is one that a bank can stop us with. */
const TIME_MAX_MS = 20_000;

/** Of an element of variable length: longer ones are read no differently, and a message must fit into a frame. */
const LENGTH_MAX = 60;

function setup(seed: number) {
  const random = createRandom(seed);
  const below = (end: number) => Math.floor(random() * end);
  const value = (number: FieldNumber) => {
    const { alphabet, form, lengthMax } = FIELDS[number];
    const characters = CHARACTERS[alphabet];
    const length = form === "fixed" ? lengthMax : 1 + below(Math.min(lengthMax, LENGTH_MAX));
    return createValue(
      FIELDS[number],
      Array.from({ length }, () => characters.charAt(below(characters.length))).join(""),
    );
  };
  const message = (): Message => ({
    type: `0${1 + below(8)}${below(6)}${below(6)}`,
    fields: Object.fromEntries(FIELD_NUMBERS.filter(() => random() < SHARE).map((number) => [number, value(number)])),
  });
  const bytes = Buffer.from(Array.from({ length: 1 << 16 }, () => below(256)));
  const noise = () => {
    const at = below(bytes.length - 200);
    return bytes.subarray(at, at + below(200));
  };
  const mutate = (bytes: Buffer): Buffer => {
    const at = below(bytes.length);
    const rest = bytes.subarray(at + 1);
    const changes = [
      () => Buffer.concat([bytes.subarray(0, at), Buffer.from([below(256)]), rest]),
      () => Buffer.concat([bytes.subarray(0, at), rest]),
      () => Buffer.concat([bytes.subarray(0, at), Buffer.from("0123456789F"[below(11)] ?? ""), bytes.subarray(at)]),
      () => bytes.subarray(0, at),
      () => Buffer.concat([bytes, noise()]),
      noise,
    ];
    return (changes[below(changes.length)] ?? noise)();
  };
  const wholes = Array.from({ length: MESSAGES }, () => encode(message()));
  const whole = () => wholes[below(MESSAGES)] ?? noise();
  return { whole, mutate, noise, below };
}

/** What decoding gives, or the error it is refused with; anything else is thrown on. */
function tryDecode(bytes: Buffer): Message | CodecError {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
}

test("50,000 random and mutated messages are refused with a typed error, or read to the last byte", () => {
  const seed = randomInt(2 ** 31);
  const { whole, mutate } = setup(seed);
  const startMs = systemClock.preciseMs();
  let refused = 0;
  for (let count = 0; count < FRAMES; count++) {
    const bytes = mutate(whole());
    const result = tryDecode(bytes);
    if (result instanceof CodecError) refused += 1;
    else if (renderMessage(result) !== normalizeMessage(bytes.toString("latin1")))
      throw new Error(`seed ${seed}: read otherwise than written: ${bytes.toString("hex")}`);
  }
  const took = `seed ${seed}`;
  expect(systemClock.preciseMs() - startMs, took).toBeLessThan(TIME_MAX_MS);
  // Both ends are reached: most changes spoil a message, and some make another good one.
  expect([refused > FRAMES / 2, refused < FRAMES], took).toEqual([true, true]);
}, 60_000);

test("5,000 spoiled streams give messages or a typed error, and never more than they hold", () => {
  const seed = randomInt(2 ** 31);
  const { whole, mutate, noise, below } = setup(seed);
  for (let count = 0; count < 5_000; count++) {
    const frames = [frame(whole()), frame(whole()), noise()];
    const stream = mutate(Buffer.concat(frames));
    const reader = createFrameReader();
    let bytes = 0;
    try {
      for (let at = 0, step = 1 + below(64); at < stream.length; at += step) {
        for (const part of reader.push(stream.subarray(at, at + step))) {
          bytes += part.length;
          if (part.length > MESSAGE_BYTES_MAX) throw new Error(`seed ${seed}: a message of ${part.length} bytes`);
          tryDecode(part);
        }
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
    }
    expect(bytes, `seed ${seed}`).toBeLessThanOrEqual(stream.length);
  }
}, 60_000);

const numbered = FIELD_NUMBERS.map((number): [FieldNumber, Field] => [number, FIELDS[number]]);

/** Every length of short elements; of long ones those around which the digits of the length change. */
function lengthsOf({ form, lengthMax }: Field): number[] {
  if (form === "fixed") return [lengthMax];
  const all = Array.from({ length: lengthMax }, (_, index) => index + 1);
  return all.filter((length) => length <= 20 || [99, 100, 101, lengthMax - 1, lengthMax].includes(length));
}

test.each(numbered)(
  "element %s is read as it was written, at every length, and not written outside it",
  (number, field) => {
    for (const character of CHARACTERS[field.alphabet]) {
      for (const length of lengthsOf(field)) {
        const message = { type: "0200", fields: { [number]: createValue(field, character.repeat(length)) } };
        expect(decode(encode(message))).toEqual(message);
      }
    }
    const refused = (value: string) => () => encode({ type: "0200", fields: { [number]: value } });
    expect(refused("")).toThrow(CodecError);
    expect(refused(createValue(field, "0".repeat(field.lengthMax + 1)))).toThrow(CodecError);
    if (field.form === "fixed" && field.lengthMax > 1) {
      expect(refused(createValue(field, "0".repeat(field.lengthMax - 1)))).toThrow(CodecError);
    }
    for (const outside of [
      "\n",
      "\u007f",
      "\u00e9",
      ...(["n", "x+n", "z"].includes(field.alphabet) ? ["A"] : []),
      ...(field.alphabet === "b" ? ["G", "a"] : []),
      ...(field.alphabet === "ans" ? [] : [" "]),
    ]) {
      expect(refused(outside.repeat(field.lengthMax))).toThrow(CodecError);
    }
  },
);
