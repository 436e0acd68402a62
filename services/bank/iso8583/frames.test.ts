import fc from "fast-check";
import { expect, test } from "vitest";
import { createFrameReader, FrameError, frame, KEEP_ALIVES_MAX, MESSAGE_BYTES_MAX } from "./frames.ts";

const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { maxLength: 8 });

test("a reader gives back the messages of a stream, however it was cut", () => {
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 97 }), (sent, step) => {
      const stream = Buffer.concat(sent.map((message) => frame(Buffer.from(message))));
      const reader = createFrameReader();
      const received: Buffer[] = [];
      for (let at = 0; at < stream.length; at += step) received.push(...reader.push(stream.subarray(at, at + step)));
      expect(received).toEqual(sent.map((message) => Buffer.from(message)));
    }),
  );
});

test("a reader passes over a hundred lengths of nothing in a row, and refuses one more", () => {
  const keepAlives = Buffer.alloc(2 * KEEP_ALIVES_MAX);
  const message = frame(Buffer.from("0800"));
  const reader = createFrameReader();
  expect(reader.push(Buffer.concat([keepAlives, message, keepAlives.subarray(1)]))).toEqual([Buffer.from("0800")]);
  expect(() => reader.push(Buffer.from([0, 0, 0]))).toThrow(FrameError);
});

test("a reader refuses a length above the limit", () => {
  expect(() => createFrameReader().push(Buffer.from([0xff, 0xff]))).toThrow(FrameError);
});

test("text instead of a length is refused at its first two bytes", () => {
  for (const text of ["HTTP/1.1 400 Bad Request", "0187 0210", "  "]) {
    expect(() => createFrameReader().push(Buffer.from(text.slice(0, 2)))).toThrow(FrameError);
  }
});

test("frame refuses an empty and an oversized message", () => {
  expect(() => frame(Buffer.alloc(0))).toThrow(FrameError);
  expect(() => frame(Buffer.alloc(MESSAGE_BYTES_MAX + 1))).toThrow(FrameError);
});
