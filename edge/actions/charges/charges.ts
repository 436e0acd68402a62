import { listView } from "../../../services/_views/list.ts";
import { created, expand, group, id, optional, paging, text } from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { cursorMention, pageRequestOf } from "../../paging.ts";
import { found } from "../../reads.ts";
import { defineRoute } from "../../route.ts";
import { captureChargeRoute } from "./capture-charge.ts";
import { createChargeRoute } from "./create-charge.ts";
import { chargeExpandable, listRefunds, showCharge } from "./show-charge.ts";
import { updateChargeRoute } from "./update-charge.ts";

const retrieveRoute = defineRoute({
  method: "GET",
  path: "/v1/charges/:id",
  operationId: "retrieveCharge",
  answers: "Charge",
  summary: "Retrieve a charge.",
  params: group({ expand }),
  expandable: chargeExpandable,
  mentions: (given) => ({ charge: { id: given, param: "id" } }),
  async run(request) {
    const { accountId, clients, id: chargeId } = request;
    // Its returns are found by the id in the path, so they need not wait for the charge.
    const [{ charge }, refunds] = await Promise.all([
      clients.reader.getCharge({ accountId, chargeId }),
      request.expand.has("refunds") ? listRefunds(request, chargeId) : undefined,
    ]);
    return { body: await showCharge(request, found(charge), refunds) };
  },
});

const listRoute = defineRoute({
  method: "GET",
  path: "/v1/charges",
  operationId: "listCharges",
  answers: "Charge",
  summary: "List charges, newest first.",
  params: group({ customer: optional(id), transfer_group: optional(text(500)), created, ...paging }),
  expandable: chargeExpandable,
  isList: true,
  mentions: (_, given) => mentions({ customer: mention(given.customer, "customer"), charge: cursorMention(given) }),
  async run(request, given) {
    const { accountId, clients, reads } = request;
    const { customer: customerId = "", transfer_group: transferGroup = "" } = given;
    // The customer is read beside: no charges and no such customer are different answers.
    const [page] = await Promise.all([
      clients.reader.listCharges({ accountId, customerId, transferGroup, ...pageRequestOf(given) }),
      reads.customer(customerId),
    ]);
    const data = await Promise.all(page.charges.map((charge) => showCharge(request, charge)));
    return { body: listView({ url: "/v1/charges", data, hasMore: page.nextPageToken !== "" }) };
  },
});

/** The routes of charges. */
export const chargeRoutes = [createChargeRoute, retrieveRoute, updateChargeRoute, captureChargeRoute, listRoute];
