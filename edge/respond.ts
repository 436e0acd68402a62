import type { FastifyReply } from "fastify";
import type { Problem, PublicError } from "./problem.ts";

/** Answers with the error envelope. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).headers(problem.headers).send(envelopeOf(problem));
}

/** The error envelope, in which every failure is told. */
export function envelopeOf({ error }: Problem): { error: PublicError } {
  return { error };
}
