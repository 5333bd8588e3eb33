import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, Frame, holes, type Answer } from "../../src/frame.ts";

function answer(more: Partial<Answer> = {}): Answer {
  return {
    interval_ms: 1000,
    from: 10_000,
    to: 15_000,
    series: [
      { of: "messages", points: [[11_000, 3, 2], [13_000, 5, 1]] },
      { of: "output:heat", points: [[12_000, 7]], before: 4 },
    ],
    ...more,
  };
}

test("nothing counted is zero, and a level stays until it changes", () => {
  const frame = new Frame([answer()], 99_000);
  assert.deepEqual(frame.times, [10_000, 11_000, 12_000, 13_000, 14_000]);
  assert.deepEqual(frame.values, [[0, 3, 0, 5, 0], [4, 4, 7, 7, 7]]);
  assert.deepEqual(frame.people[0], [0, 2, 0, 1, 0]);
  assert.equal(frame.total(0), 8);
});

test("what nobody knows is a gap and not zero", () => {
  const future = new Frame([answer()], 12_000);
  assert.deepEqual(future.values, [[0, 3, 0, null, null], [4, 4, 7, null, null]]);
  const gap = new Frame([answer({ gaps: [[11_500, 14_000]] })], 99_000);
  assert.deepEqual(gap.values[0], [0, 3, null, 5, 0], "a bin of the gap that has a count all the same shows it");
});

test("the time before heatd knew a channel is neither drawn nor exported as zero", () => {
  const frame = new Frame([answer({ known_since: 12_500 })], 99_000);
  assert.deepEqual(frame.values[0], [null, 3, 0, 5, 0], "what was counted counts, and the bin in which it began is known");
  assert.equal(csv(frame, { from: 10_000, to: 13_000 }).split("\r\n")[1], "1970-01-01T00:00:10.000Z,10000,,4");
  const never = new Frame([answer({ series: [{ of: "messages", points: [] }], known_since: null })], 99_000);
  assert.deepEqual(never.values[0], [null, null, null, null, null]);
});

test("channels stand beside each other, each with its own gaps, and grow one by one", () => {
  const harbour = { of: "harbour/messages", points: [[10_000, 1, 1]] };
  const frame = new Frame([answer(), answer({ series: [harbour], known_since: 10_000, gaps: [[12_000, 13_000]] })], 14_000);
  assert.deepEqual(frame.of, ["messages", "output:heat", "harbour/messages"]);
  assert.deepEqual([frame.values[0], frame.values[2]], [[0, 3, 0, 5, 0], [1, 0, null, 0, 0]]);
  const newer = new Frame([{ interval_ms: 1000, from: 14_000, to: 16_000, series: [{ of: "harbour/messages", points: [[15_000, 7, 2]] }] }], 15_000);
  frame.merge(newer);
  assert.deepEqual(frame.times.slice(-2), [14_000, 15_000]);
  assert.deepEqual(frame.values[2], [1, 0, null, 0, 0, 7]);
  assert.deepEqual(frame.people[2]?.slice(-1), [2]);
  assert.deepEqual(frame.values[0], [0, 3, 0, 5, 0, null], "the other channel is told of by its own stream");
});

test("live bins replace those before, make the graph longer, and leave out what was missed", () => {
  const frame = new Frame([answer()], 14_000);
  frame.take({ of: ["output:heat", "messages"], bins: [{ at: 13_000, values: [null, [6, 2]] }, { at: 17_000, values: [[9], [1, 1]] }] }, 11_000);
  assert.deepEqual(frame.times, [11_000, 12_000, 13_000, 14_000, 15_000, 16_000, 17_000]);
  assert.deepEqual(frame.values, [[3, 0, 6, 0, null, null, 1], [4, 7, 7, 7, null, null, 9]]);
});

test("a level that is not set in a bin is what it was", () => {
  const frame = new Frame([answer()], 14_000);
  frame.take({ of: ["output:heat"], bins: [{ at: 15_000, values: [null] }] }, 0);
  assert.deepEqual(frame.values[1], [4, 4, 7, 7, 7, 7]);
});

test("stretches that nobody knows are told where something is known after them", () => {
  assert.deepEqual(holes([10, 11, 12, 13, 14], [[1, null, null, 2, null], [null, null, null, 3, null]]), [[11, 13]]);
  assert.deepEqual(holes([10, 11, 12], [[null, 0, 1]]), [[10, 11]]);
  assert.deepEqual(holes([10, 11], [[0, 0]]), []);
  assert.deepEqual(holes([10, 11], []), []);
});

test("the table has a row for each bin that is shown, and runs nothing", () => {
  const frame = new Frame([answer({ series: [{ of: '=cmd|"x",', points: [[11_000, 3, 2]] }] })], 12_000);
  const lines = csv(frame, { from: 11_000, to: 14_000 }).split("\r\n");
  assert.deepEqual(lines, [
    `time,at_ms,"'=cmd|""x"","`,
    "1970-01-01T00:00:11.000Z,11000,3",
    "1970-01-01T00:00:12.000Z,12000,0",
    "1970-01-01T00:00:13.000Z,13000,",
    "",
  ]);
});
