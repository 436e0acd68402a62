import { tokenView } from "../../../services/_views/token.ts";
import { createToken, rawCardOf, tokenCard } from "../../cards.ts";
import { expand, group } from "../../decode/fields.ts";
import { found } from "../../reads.ts";
import { defineRoute } from "../../route.ts";

const createTokenRoute = defineRoute({
  method: "POST",
  path: "/v1/tokens",
  operationId: "createToken",
  answers: "Token",
  mayDecline: true,
  needsBank: true,
  summary: "Make a token of a card: bank.SealCard → writer.CreateToken.",
  params: group({ card: tokenCard, expand }),
  expandable: [],
  scope: "publishable",
  async run(request, { card }) {
    const { requestId } = request.identity;
    const { token, isReplayed } = await createToken(request, { card: rawCardOf(card), requestId });
    return { body: tokenView(token), isReplayed };
  },
});

const retrieveTokenRoute = defineRoute({
  method: "GET",
  path: "/v1/tokens/:id",
  operationId: "retrieveToken",
  answers: "Token",
  summary: "Retrieve a token.",
  params: group({ expand }),
  expandable: [],
  mentions: (id) => ({ token: { id, param: "id" } }),
  async run({ accountId, clients, id }) {
    const { token } = await clients.reader.getToken({ accountId, tokenId: id });
    return { body: tokenView(found(token)) };
  },
});

/** The routes of tokens. */
export const tokenRoutes = [createTokenRoute, retrieveTokenRoute];
