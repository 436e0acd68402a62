import type { Customer } from "../../../gen/tripe/billing/v1/customer_pb.ts";
import { customerOrDeletedView } from "../../../services/_views/customer.ts";
import { deletedView } from "../../../services/_views/deleted.ts";
import { listView } from "../../../services/_views/list.ts";
import { created, expand, group, optional, paging, soughtText } from "../../decode/fields.ts";
import { isFindable } from "../../decode/text.ts";
import { mentions } from "../../mentions.ts";
import { cursorMention, pageRequestOf } from "../../paging.ts";
import { found } from "../../reads.ts";
import { defineRoute } from "../../route.ts";
import { createCustomerRoute } from "./create-customer.ts";
import { customerExpandable, listSources, showCustomer } from "./show-customer.ts";
import { updateCustomerRoute } from "./update-customer.ts";

const retrieveRoute = defineRoute({
  method: "GET",
  path: "/v1/customers/:id",
  operationId: "retrieveCustomer",
  answers: ["Customer", "DeletedCustomer"],
  summary: "Retrieve a customer; of a deleted one only that it is gone.",
  params: group({ expand }),
  expandable: customerExpandable,
  mentions: (id) => ({ customer: { id, param: "id" } }),
  async run(request) {
    const { accountId, clients, id: customerId } = request;
    const [{ customer }, sources] = await Promise.all([
      clients.reader.getCustomer({ accountId, customerId }),
      request.expand.has("sources") ? listSources(request, customerId) : undefined,
    ]);
    return { body: await showUnlessDeleted(found(customer), (alive) => showCustomer(request, alive, sources)) };
  },
});

const deleteRoute = defineRoute({
  method: "DELETE",
  path: "/v1/customers/:id",
  operationId: "deleteCustomer",
  answers: "DeletedCustomer",
  summary: "Delete a customer, detach its cards and end its subscriptions.",
  params: group({}),
  expandable: [],
  mentions: (id) => ({ customer: { id, param: "id" } }),
  async run({ accountId, clients, id, identity }) {
    const { isReplayed } = await clients.writer.deleteCustomer({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      customerId: id,
    });
    return { body: deletedView(id, "customer"), isReplayed };
  },
});

/** What a customer's address may have had at some time; the contracts carry it. */
const EMAIL_MAX = 512;

const listRoute = defineRoute({
  method: "GET",
  path: "/v1/customers",
  operationId: "listCustomers",
  answers: "Customer",
  summary: "List customers, newest first.",
  params: group({ email: optional(soughtText), created, ...paging }),
  expandable: customerExpandable,
  isList: true,
  mentions: (_, given) => mentions({ customer: cursorMention(given) }),
  async run(request, given) {
    const { accountId, clients } = request;
    const { email } = given;
    if (email !== undefined && !isFindable(email, EMAIL_MAX)) {
      return { body: listView({ url: "/v1/customers", data: [], hasMore: false }) };
    }
    const page = await clients.reader.listCustomers({ accountId, email: email ?? "", ...pageRequestOf(given) });
    const data = await Promise.all(page.customers.map((customer) => showCustomer(request, customer)));
    return { body: listView({ url: "/v1/customers", data, hasMore: page.nextPageToken !== "" }) };
  },
});

async function showUnlessDeleted(customer: Customer, show: (customer: Customer) => Promise<object>): Promise<object> {
  return customer.deleteTime === undefined ? show(customer) : customerOrDeletedView(customer);
}

/** The routes of customers themselves. */
export const customerRoutes = [createCustomerRoute, retrieveRoute, updateCustomerRoute, deleteRoute, listRoute];
