import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Static } from "typebox";
import { type CreateTimeRange, CreateTimeRangeSchema } from "../gen/tripe/reader/v1/create_time_range_pb.ts";
import type { created } from "./decode/fields.ts";
import { type Mention, mention } from "./mentions.ts";
import { parametersExclusive } from "./parameter-problems.ts";

/** What every list may be asked. */
export interface PagingParams {
  readonly limit?: number;
  readonly starting_after?: string;
  readonly ending_before?: string;
  readonly created?: Static<typeof created>;
}

/** What every list of the reader is asked. */
export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly isBackward: boolean;
  readonly createTimeRange?: CreateTimeRange;
}

// Stripe's default.
const PAGE_SIZE = 10;

/** Makes a public list's parameters into the reader's. Both cursors at once are refused. */
export function pageRequestOf(params: PagingParams): PageRequest {
  const { limit, starting_after: after, ending_before: before } = params;
  if (after !== undefined && before !== undefined) throw parametersExclusive("starting_after", "ending_before");
  return {
    pageSize: limit ?? PAGE_SIZE,
    pageToken: after ?? before ?? "",
    isBackward: before !== undefined,
    ...(params.created === undefined ? {} : { createTimeRange: rangeOf(params.created) }),
  };
}

/** Where a list's cursor stood, for an id that names nothing. */
export function cursorMention({ starting_after: after, ending_before: before }: PagingParams): Mention | undefined {
  return mention(after, "starting_after") ?? mention(before, "ending_before");
}

// The reader's ranges hold their first moment and end before their last; seconds are whole.
function rangeOf(created: NonNullable<PagingParams["created"]>): CreateTimeRange {
  const { gt, gte, lt, lte } =
    typeof created === "number" ? { gte: created, lte: created } : { ...emptyRange, ...created };
  const starts = [gte, gt === undefined ? undefined : gt + 1].filter((second) => second !== undefined);
  const ends = [lt, lte === undefined ? undefined : lte + 1].filter((second) => second !== undefined);
  return create(CreateTimeRangeSchema, {
    ...(starts.length === 0 ? {} : { startTime: atSecond(Math.max(...starts)) }),
    ...(ends.length === 0 ? {} : { endTime: atSecond(Math.min(...ends)) }),
  });
}

const emptyRange: { gt?: number; gte?: number; lt?: number; lte?: number } = {};

// The last second protobuf's Timestamp can hold is that of the year 9999; later ones mean the same: everything.
const SECOND_MAX = 253_402_300_799;

function atSecond(second: number): Timestamp {
  return timestampFromMs(Math.min(second, SECOND_MAX) * 1_000);
}
