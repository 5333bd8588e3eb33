import assert from "node:assert/strict";
import { test } from "node:test";
import { shareOf, StepLines, wordsOf } from "../../src/steps.ts";

test("steps are whole however they were cut on their way, and the last one may be missing", () => {
  const text = '{"step":"compile"}\n\n{"step":"check","done":1,"total":2}\n{"message":"it is live"}\n{"refu';
  for (let size = 1; size <= text.length; size += 1) {
    const lines = new StepLines();
    const found = [];
    for (let at = 0; at < text.length; at += size) found.push(...lines.feed(text.slice(at, at + size)));
    assert.deepEqual(found, [{ step: "compile" }, { step: "check", done: 1, total: 2 }, { message: "it is live" }], `cut every ${size}`);
  }
});

test("steps are said as people do, and how long one takes where that is worth it", () => {
  assert.equal(wordsOf({ step: "compile", expected_ms: 31_000, elapsed_ms: 400 }), "Compiling, which takes about 31 s …");
  assert.equal(wordsOf({ step: "compile", expected_ms: 90 }), "Compiling …");
  assert.equal(wordsOf({ step: "check", done: 812, total: 1000 }), "Trying it on what happened before …");
  assert.equal(wordsOf({ step: "tomorrow", expected_ms: null }), "tomorrow …");
});

test("how much of a step is done is known by its events, by its time, or not at all", () => {
  assert.equal(shareOf({ step: "check", done: 250, total: 1000 }), 0.25);
  assert.equal(shareOf({ step: "compile", expected_ms: 2000, elapsed_ms: 500 }), 0.25);
  assert.equal(shareOf({ step: "compile", expected_ms: 2000, elapsed_ms: 9000 }), 1);
  assert.equal(shareOf({ step: "compile", expected_ms: 2000 }), 0);
  assert.equal(shareOf({ step: "check", done: 0, total: 0 }), null);
  assert.equal(shareOf({ step: "compile", expected_ms: null }), null);
  assert.equal(shareOf({}), null);
});
