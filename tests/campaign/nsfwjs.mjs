// What the published network says of a few drawn pictures: node nsfwjs.mjs NPM_FOLDER, with nsfwjs@4.4.0 and its peers installed there.
// A line for each picture: the probabilities in the network's order. The pictures are those of tests/planted/DrawnPictures.cs.
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.resolve(process.argv[2], 'package.json'));
console.info = console.warn = () => {};
const tf = require('@tensorflow/tfjs');
const nsfwjs = require('nsfwjs');

const pictures = [
  [224, 224, (x, y, c) => (x + 2 * y + 40 * c) & 255],
  [224, 224, (x, y, c) => ((x * x + y * y) >> (4 + c)) & 255],
  [224, 224, (x, y, c) => (Math.imul(x, 73856093) ^ Math.imul(y, 19349663) ^ Math.imul(c, 83492791)) & 255],
  [200, 120, (x, y, c) => (x - 100) ** 2 + 3 * (y - 60) ** 2 < 6400 ? [224, 172, 105][c] - ((x + y) >> 3) : [60, 80, 120][c]],
  [97, 301, (x, y, c) => ((x >> 3) ^ (y >> 4)) & 1 ? 250 - 30 * c : 20 + 60 * c],
];

await tf.setBackend('cpu');
const network = await nsfwjs.load('MobileNetV2');
for (const [width, height, value] of pictures) {
  const pixels = new Int32Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) pixels[at++] = value(x, y, c);
  const scores = network.infer(tf.tensor3d(pixels, [height, width, 3], 'int32'));
  console.log(Array.from(await scores.data()).join(' '));
}
