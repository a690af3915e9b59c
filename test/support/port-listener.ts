import { createServer } from 'node:net';

// Runs in a network namespace of its own, and gives its parent, which does not, ports that are open in there.
// What the parent listens with stays in this namespace; the namespace ends with the two of them.

process.on('message', (port: number) => {
  const server = createServer();
  // Open in both, it would be this process that gets some of the connections.
  const close = () => server.close();
  server.listen(port, '127.0.0.1', () => process.send?.('listening', server, undefined, close));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
