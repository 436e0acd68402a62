/** One row of the table: how a data element looks on the wire. */
export interface Field {
  readonly name: string;
  /** n: digits. an: letters and digits. ans: any printable ASCII character, space included. */
  readonly alphabet: "n" | "an" | "ans";
  /** fixed: always `lengthMax` characters. LL, LLL: a length of two or three digits goes before 1 to `lengthMax` characters. */
  readonly form: "fixed" | "LL" | "LLL";
  readonly lengthMax: number;
}

/**
 * The data elements of ISO 8583:1987 that Tripe speaks, by their number in the standard; names, alphabets and lengths are the standard's.
 * The wire form of each (ASCII digits, LLVAR and LLLVAR lengths in ASCII) is that of jPOS's ISO87APackager, the most used open description of it.
 * Binary elements (PIN block 52, message authentication 64 and 128) are left out: no bank we speak to asks for them yet.
 */
export const FIELDS = {
  2: { name: "primary account number", alphabet: "n", form: "LL", lengthMax: 19 },
  3: { name: "processing code", alphabet: "n", form: "fixed", lengthMax: 6 },
  4: { name: "amount, transaction", alphabet: "n", form: "fixed", lengthMax: 12 },
  7: { name: "transmission date and time", alphabet: "n", form: "fixed", lengthMax: 10 },
  11: { name: "system trace audit number", alphabet: "n", form: "fixed", lengthMax: 6 },
  12: { name: "time, local transaction", alphabet: "n", form: "fixed", lengthMax: 6 },
  13: { name: "date, local transaction", alphabet: "n", form: "fixed", lengthMax: 4 },
  14: { name: "date, expiration", alphabet: "n", form: "fixed", lengthMax: 4 },
  22: { name: "point of service entry mode", alphabet: "n", form: "fixed", lengthMax: 3 },
  32: { name: "acquiring institution identification code", alphabet: "n", form: "LL", lengthMax: 11 },
  37: { name: "retrieval reference number", alphabet: "an", form: "fixed", lengthMax: 12 },
  38: { name: "authorization identification response", alphabet: "an", form: "fixed", lengthMax: 6 },
  39: { name: "response code", alphabet: "an", form: "fixed", lengthMax: 2 },
  41: { name: "card acceptor terminal identification", alphabet: "ans", form: "fixed", lengthMax: 8 },
  42: { name: "card acceptor identification code", alphabet: "ans", form: "fixed", lengthMax: 15 },
  48: { name: "additional data, private", alphabet: "ans", form: "LLL", lengthMax: 99 },
  49: { name: "currency code, transaction", alphabet: "n", form: "fixed", lengthMax: 3 },
  61: { name: "reserved private: bank reference of the original", alphabet: "ans", form: "LLL", lengthMax: 40 },
  62: { name: "reserved private: network reference", alphabet: "an", form: "LLL", lengthMax: 20 },
  63: { name: "reserved private: bank reference", alphabet: "ans", form: "LLL", lengthMax: 40 },
  70: { name: "network management information code", alphabet: "n", form: "fixed", lengthMax: 3 },
  90: { name: "original data elements", alphabet: "n", form: "fixed", lengthMax: 42 },
} as const satisfies Record<number, Field>;

/** The number of a data element in the table. */
export type FieldNumber = keyof typeof FIELDS;

/** The values of a message by the number of their data element, each exactly as on the wire, without its length. */
export type FieldValues = { readonly [key in FieldNumber]?: string };

/** The numbers of the table in rising order, the order on the wire. */
export const FIELD_NUMBERS: readonly FieldNumber[] = Object.keys(FIELDS)
  .map(Number)
  .filter(isFieldNumber)
  .sort((left, right) => left - right);

/** Says whether the table has a data element of this number. */
export function isFieldNumber(value: number): value is FieldNumber {
  return Object.hasOwn(FIELDS, value);
}
