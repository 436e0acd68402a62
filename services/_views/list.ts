/** A page of a list as the public API shows it; the same shape as the SDK's `ApiList`. */
export interface ListView<Item> {
  object: "list";
  data: Item[];
  /** Whether more items follow in the direction of the page. */
  has_more: boolean;
  /** The path the list was, or can be, asked for at, such as "/v1/charges". */
  url: string;
}

/** Shows a page of items that have been viewed already. */
export function listView<Item>({
  url,
  data,
  hasMore,
}: {
  url: string;
  data: Item[];
  hasMore: boolean;
}): ListView<Item> {
  return { object: "list", data, has_more: hasMore, url };
}
