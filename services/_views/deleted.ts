/** What is left to show of a deleted object; the same shape as the SDK's `DeletedCustomer` and its like. */
export interface DeletedView<Name extends string> {
  id: string;
  object: Name;
  deleted: true;
}

/** Shows that an object is gone. `object` is its public name, such as "customer". */
export function deletedView<Name extends string>(id: string, object: Name): DeletedView<Name> {
  return { id, object, deleted: true };
}
