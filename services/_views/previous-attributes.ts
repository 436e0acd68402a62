type Json = Readonly<Record<string, unknown>>;

/**
 * What of an object has changed, as it was before (docs.stripe.com/api/events/object, `data.previous_attributes`): only the
 * keys that changed; of nested objects, such as metadata, only their keys that changed; lists whole. What was not there is null.
 * Keys stand in the order of the object as it is.
 */
export function previousAttributes(before: Json, after: Json): Record<string, unknown> {
  const keys = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return Object.fromEntries(
    keys
      .map((key) => ({ key, was: own(before, key), is: own(after, key) }))
      .filter(({ was, is }) => !isEqual(was, is))
      .map(({ key, was, is }) => [key, previousOf(was, is)]),
  );
}

function previousOf(before: unknown, after: unknown): unknown {
  return isObject(before) && isObject(after) ? previousAttributes(before, after) : (before ?? null);
}

/** Whether two values are the same JSON, whatever the order of their keys. */
function isEqual(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isEqual(item, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return one === other;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => isEqual(own(one, key), own(other, key)));
}

/** What an object itself holds: metadata may have a key such as "toString". */
function own(object: Json, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
