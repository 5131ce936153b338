// PostgreSQL with pgvector in WebAssembly, at a free port of this machine, until standard input ends: node pglite.cjs FOLDER-OF-NODE_MODULES. Says the port.
const { createRequire } = require('node:module');
const { join } = require('node:path');

const npm = createRequire(join(process.argv[2], 'node_modules', 'x'));
const { PGlite } = npm('@electric-sql/pglite');
const { vector } = npm('@electric-sql/pglite-pgvector');
const { PGLiteSocketServer } = npm('@electric-sql/pglite-socket');

process.stdin.on('end', () => process.exit(0)).resume();
PGlite.create({ extensions: { vector } }).then(async (db) => {
  const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0, maxConnections: 32 });
  server.addEventListener('listening', (event) => console.log(event.detail.port));
  await server.start();
});
