import { connectorConformance } from "../testing/connector-conformance.ts";
import { startSandbox } from "../testing/sandbox.ts";

const capabilities = { idempotentSubmit: true, inquiry: true, reversal: true, lateWindowMs: 120_000 };

connectorConformance("iso8583 over the sandbox bank", capabilities, async () => {
  const { connector, sandbox, statement, failNext } = await startSandbox();
  return {
    connector,
    effects: async () => (await statement()).map(({ bankRef }) => bankRef),
    cards: { good: "4242424242424242", poor: "4000000000009995", wrongCvc: "4000000000000127" },
    loseNextAnswer: () => failNext({ kind: "lose", lateMs: 0 }),
    stopBank: () => sandbox.close(),
  };
});
