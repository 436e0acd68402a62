import fc from "fast-check";
import { types } from "pg";
import { expect, test } from "vitest";
import { parseTime } from "./parse-time.ts";

const parseByPg: (text: string) => unknown = types.getTypeParser(1184 as number);

test.each([
  "2026-11-30 10:01:22+00",
  "2026-11-30 10:01:22.1+00",
  "2026-11-30 10:01:22.123456+00",
  "2026-11-30 10:01:22.999999+00",
  "1000-01-01 00:00:00.001+00",
  "9999-12-31 23:59:59.999+00",
  "0001-01-01 00:00:00+00",
  "12026-11-30 10:01:22+00",
  "2026-11-30 10:01:22+05:45",
  "2026-11-30 10:01:22.5-03",
  "0044-03-15 12:00:00+00 BC",
  "infinity",
  "-infinity",
])("%s is read as pg reads it", (text) => {
  expect(parseTime(text)).toEqual(parseByPg(text));
});

test("any time of the years 1000 to 9999 is read as pg reads it", () => {
  const moments = fc.date({
    min: new Date("1000-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59Z"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(moments, fc.nat(999), (moment, micros) => {
      const [day = "", clock = ""] = moment.toISOString().split(/[TZ]/);
      const fraction = `${clock}${String(micros).padStart(3, "0")}`.replace(/\.?0+$/, "");
      const text = `${day} ${fraction.length < 8 ? clock.slice(0, 8) : fraction}+00`;
      expect(parseTime(text)).toEqual(parseByPg(text));
    }),
  );
});
