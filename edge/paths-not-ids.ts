/**
 * Words that stand in a path where another route has an id: routes of Stripe's that Tripe does not have, and those two that a
 * client takes out of a URL. They are unknown routes, not unknown ids, and no object may be made under such an id.
 */
export const pathsNotIds: ReadonlySet<string> = new Set(["search", "create_preview", "upcoming", ".", ".."]);
