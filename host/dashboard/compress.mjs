// Puts each file of dist beside itself, compressed as small as it gets, and says how much a browser loads.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** The most that a browser may have to load, in bytes, gzipped. */
const MOST = 150_000;

const dist = new URL("dist", import.meta.url).pathname;
const files = readdirSync(dist, { recursive: true })
  .map((name) => join(dist, String(name)))
  .filter((path) => statSync(path).isFile());
let total = 0;
for (const path of files) {
  const plain = readFileSync(path);
  const gzip = gzipSync(plain, { level: 9 });
  const brotli = brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  total += Math.min(gzip.length, plain.length);
  if (gzip.length < plain.length) writeFileSync(`${path}.gz`, gzip);
  if (brotli.length < plain.length) writeFileSync(`${path}.br`, brotli);
}
console.log(`the page has ${files.length} files, ${total} bytes compressed`);
if (total > MOST) {
  console.error(`that is more than ${MOST}: leave something out`);
  process.exit(1);
}
