/**
 * A request's parameters as they came, before any schema: text of a form or query, or the values of JSON. Objects are
 * Maps, so that a key such as `__proto__` is a key and nothing else.
 */
export type Tree = null | boolean | number | string | Tree[] | Branch;

/** The named parts of an object, or of a list whose places a form has numbered (`a[0]`, `a[1]`). */
export type Branch = Map<string, Tree>;

/** How deep parameters may nest. Tripe's deepest schema has 4 levels; 7-reliability.md (T42) wants 33 refused. */
export const DEPTH_MAX = 32;

/** How many parameters a request may have, counting every leaf: as in PHP and qs. 50 metadata keys leave room for 20 lines. */
export const PARAMETERS_MAX = 1_000;

/** Writes a path as Stripe does: `items[0][price]`. */
export function bracketed(path: string, name: string | number): string {
  return path === "" ? String(name) : `${path}[${name}]`;
}
