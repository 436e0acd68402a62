/** One row of the table: how a data element looks on the wire. */
export interface Field {
  readonly name: string;
  /**
   * n: digits. an: letters and digits. ans: any printable ASCII character, space included. x+n: C or D, then digits. z: digits, = and D, as
   * on a magnetic stripe. b: binary, two hexadecimal digits a byte.
   */
  readonly alphabet: "n" | "an" | "ans" | "x+n" | "z" | "b";
  /** fixed: always `lengthMax` characters. LL, LLL: a length of two or three digits goes before at most `lengthMax` characters. */
  readonly form: "fixed" | "LL" | "LLL";
  /** In characters. */
  readonly lengthMax: number;
}

/**
 * Every data element of ISO 8583:1987 by its number; element 1 is the second bitmap. The form of each (ASCII digits, lengths in ASCII, binary
 * in hexadecimal digits) is that of jPOS's ISO87APackager, the most used open description of it. Alphabets are the standard's, but for
 * element 38, which banks fill with spaces where they give no code. Without the form of an element nothing behind it can be read:
 * that is why those are here, too, which Tripe never asks for.
 */
export const FIELDS = {
  2: LL("n", 19, "primary account number"),
  3: fixed("n", 6, "processing code"),
  4: fixed("n", 12, "amount, transaction"),
  5: fixed("n", 12, "amount, settlement"),
  6: fixed("n", 12, "amount, cardholder billing"),
  7: fixed("n", 10, "transmission date and time"),
  8: fixed("n", 8, "amount, cardholder billing fee"),
  9: fixed("n", 8, "conversion rate, settlement"),
  10: fixed("n", 8, "conversion rate, cardholder billing"),
  11: fixed("n", 6, "system trace audit number"),
  12: fixed("n", 6, "time, local transaction"),
  13: fixed("n", 4, "date, local transaction"),
  14: fixed("n", 4, "date, expiration"),
  15: fixed("n", 4, "date, settlement"),
  16: fixed("n", 4, "date, conversion"),
  17: fixed("n", 4, "date, capture"),
  18: fixed("n", 4, "merchant type"),
  19: fixed("n", 3, "acquiring institution country code"),
  20: fixed("n", 3, "primary account number extended, country code"),
  21: fixed("n", 3, "forwarding institution country code"),
  22: fixed("n", 3, "point of service entry mode"),
  23: fixed("n", 3, "card sequence number"),
  24: fixed("n", 3, "network international identifier"),
  25: fixed("n", 2, "point of service condition code"),
  26: fixed("n", 2, "point of service PIN capture code"),
  27: fixed("n", 1, "authorization identification response length"),
  28: fixed("x+n", 9, "amount, transaction fee"),
  29: fixed("x+n", 9, "amount, settlement fee"),
  30: fixed("x+n", 9, "amount, transaction processing fee"),
  31: fixed("x+n", 9, "amount, settlement processing fee"),
  32: LL("n", 11, "acquiring institution identification code"),
  33: LL("n", 11, "forwarding institution identification code"),
  34: LL("ans", 28, "primary account number, extended"),
  35: LL("z", 37, "track 2 data"),
  36: LLL("z", 104, "track 3 data"),
  37: fixed("an", 12, "retrieval reference number"),
  38: fixed("ans", 6, "authorization identification response"),
  39: fixed("an", 2, "response code"),
  40: fixed("an", 3, "service restriction code"),
  41: fixed("ans", 8, "card acceptor terminal identification"),
  42: fixed("ans", 15, "card acceptor identification code"),
  43: fixed("ans", 40, "card acceptor name and location"),
  44: LL("ans", 25, "additional response data"),
  45: LL("ans", 76, "track 1 data"),
  46: LLL("ans", 999, "additional data, ISO"),
  47: LLL("ans", 999, "additional data, national"),
  48: LLL("ans", 999, "additional data, private"),
  49: fixed("n", 3, "currency code, transaction"),
  50: fixed("an", 3, "currency code, settlement"),
  51: fixed("an", 3, "currency code, cardholder billing"),
  52: fixed("b", 16, "personal identification number data"),
  53: fixed("n", 16, "security related control information"),
  54: LLL("an", 120, "additional amounts"),
  55: LLL("ans", 999, "reserved ISO"),
  56: LLL("ans", 999, "reserved ISO"),
  57: LLL("ans", 999, "reserved national"),
  58: LLL("ans", 999, "reserved national"),
  59: LLL("ans", 999, "reserved national"),
  60: LLL("ans", 999, "reserved private"),
  61: LLL("ans", 999, "reserved private: bank reference of the original"),
  62: LLL("ans", 999, "reserved private: the bank's own reference"),
  63: LLL("ans", 999, "reserved private: bank reference"),
  64: fixed("b", 16, "message authentication code"),
  65: fixed("b", 2, "bitmap, extended"),
  66: fixed("n", 1, "settlement code"),
  67: fixed("n", 2, "extended payment code"),
  68: fixed("n", 3, "receiving institution country code"),
  69: fixed("n", 3, "settlement institution country code"),
  70: fixed("n", 3, "network management information code"),
  71: fixed("n", 4, "message number"),
  72: fixed("n", 4, "message number, last"),
  73: fixed("n", 6, "date, action"),
  74: fixed("n", 10, "credits, number"),
  75: fixed("n", 10, "credits, reversal number"),
  76: fixed("n", 10, "debits, number"),
  77: fixed("n", 10, "debits, reversal number"),
  78: fixed("n", 10, "transfer, number"),
  79: fixed("n", 10, "transfer, reversal number"),
  80: fixed("n", 10, "inquiries, number"),
  81: fixed("n", 10, "authorizations, number"),
  82: fixed("n", 12, "credits, processing fee amount"),
  83: fixed("n", 12, "credits, transaction fee amount"),
  84: fixed("n", 12, "debits, processing fee amount"),
  85: fixed("n", 12, "debits, transaction fee amount"),
  86: fixed("n", 16, "credits, amount"),
  87: fixed("n", 16, "credits, reversal amount"),
  88: fixed("n", 16, "debits, amount"),
  89: fixed("n", 16, "debits, reversal amount"),
  90: fixed("n", 42, "original data elements"),
  91: fixed("an", 1, "file update code"),
  92: fixed("an", 2, "file security code"),
  93: fixed("an", 6, "response indicator"),
  94: fixed("an", 7, "service indicator"),
  95: fixed("an", 42, "replacement amounts"),
  96: fixed("b", 32, "message security code"),
  97: fixed("x+n", 17, "amount, net settlement"),
  98: fixed("ans", 25, "payee"),
  99: LL("n", 11, "settlement institution identification code"),
  100: LL("n", 11, "receiving institution identification code"),
  101: LL("ans", 17, "file name"),
  102: LL("ans", 28, "account identification 1"),
  103: LL("ans", 28, "account identification 2"),
  104: LLL("ans", 100, "transaction description"),
  105: LLL("ans", 999, "reserved ISO"),
  106: LLL("ans", 999, "reserved ISO"),
  107: LLL("ans", 999, "reserved ISO"),
  108: LLL("ans", 999, "reserved ISO"),
  109: LLL("ans", 999, "reserved ISO"),
  110: LLL("ans", 999, "reserved ISO"),
  111: LLL("ans", 999, "reserved ISO"),
  112: LLL("ans", 999, "reserved national"),
  113: LLL("ans", 999, "reserved national"),
  114: LLL("ans", 999, "reserved national"),
  115: LLL("ans", 999, "reserved national"),
  116: LLL("ans", 999, "reserved national"),
  117: LLL("ans", 999, "reserved national"),
  118: LLL("ans", 999, "reserved national"),
  119: LLL("ans", 999, "reserved national"),
  120: LLL("ans", 999, "reserved private"),
  121: LLL("ans", 999, "reserved private"),
  122: LLL("ans", 999, "reserved private"),
  123: LLL("ans", 999, "reserved private"),
  124: LLL("ans", 999, "reserved private"),
  125: LLL("ans", 999, "reserved private"),
  126: LLL("ans", 999, "reserved private"),
  127: LLL("ans", 999, "reserved private"),
  128: fixed("b", 16, "message authentication code"),
};

/** The number of a data element in the table. */
export type FieldNumber = keyof typeof FIELDS;

/** The values of a message by the number of their data element, each exactly as on the wire, without its length. */
export type FieldValues = { readonly [key in FieldNumber]?: string };

/** The numbers of the table in rising order, the order on the wire. */
export const FIELD_NUMBERS: readonly FieldNumber[] = numbersOf(FIELDS);

/** Says whether the table has a data element of this number. */
export function isFieldNumber(value: number): value is FieldNumber {
  return Object.hasOwn(FIELDS, value);
}

/** The numbers of the elements that are there, in rising order: objects list keys that are whole numbers so (ECMA-262, OrdinaryOwnPropertyKeys). */
export function numbersOf(values: FieldValues | typeof FIELDS): FieldNumber[] {
  return Object.keys(values).map(Number).filter(isFieldNumber);
}

function fixed(alphabet: Field["alphabet"], lengthMax: number, name: string): Field {
  return { name, alphabet, form: "fixed", lengthMax };
}

function LL(alphabet: Field["alphabet"], lengthMax: number, name: string): Field {
  return { name, alphabet, form: "LL", lengthMax };
}

function LLL(alphabet: Field["alphabet"], lengthMax: number, name: string): Field {
  return { name, alphabet, form: "LLL", lengthMax };
}
