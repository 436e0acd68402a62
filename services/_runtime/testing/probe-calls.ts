import { type MayCall, rpcsOf } from "../topology.ts";

/** Whether a caller may call a probe that runs under the name of a service: when it may call any rpc of that service. */
export const mayCallProbe: MayCall = (caller, callee) => rpcsOf(caller, callee).length > 0;
