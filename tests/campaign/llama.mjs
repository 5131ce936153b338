// Tokens a second of llama.cpp over a GGUF file, on some threads, greedily: node llama.mjs NODE_MODULES FILE THREADS SEQUENCES PROMPT STEPS
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, file, ...numbers] = process.argv.slice(2);
const [threads, sequences, prompt, steps] = numbers.map(Number);
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(createRequire(`${modules}/`).resolve("node-llama-cpp")).href);

const llama = await getLlama({ gpu: false, build: "never", progressLogs: false, maxThreads: threads, logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
const context = await model.createContext({ sequences, contextSize: prompt + steps + 8, batchSize: Math.max(512, sequences * prompt), threads });

// A stream says that its prompt has been read, then waits for the others: what is timed is answers alone.
async function answer(index, ready, started) {
  const tokens = Array.from({ length: prompt }, (_, i) => 300 + ((index * 31 + i * 17) % 4000));
  let count = 0;
  for await (const _ of context.getSequence().evaluate(tokens, { temperature: 0, yieldEogToken: true })) {
    if (count === 0) {
      ready();
      await started;
    }
    if (count++ === steps) return;
  }
  throw new Error(`the sequence ended after ${count} tokens`);
}

let waiting = sequences;
let start;
const started = new Promise((resolve) => (start = resolve));
let began = 0;
const ready = () => {
  if (--waiting > 0) return;
  began = performance.now();
  start();
};
await Promise.all(Array.from({ length: sequences }, (_, i) => answer(i, ready, started)));
console.log(JSON.stringify({ tokensPerSecond: (sequences * steps * 1000) / (performance.now() - began) }));
process.exit(0);
