import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Answers who asks for another protocol than WebSocket as if they had not asked (RFC 9110, 7.8): Java's HTTP client asks for
 * HTTP/2 with its first request, and so does `curl --http2`. Once a server has listeners of `upgrade`, Node hands them
 * every such request without reading its body. So the request goes back into its connection, less the wish, and is
 * read anew. To be called when the listeners of WebSockets are there.
 */
export function ignoreOtherUpgrades(server: Server): void {
  const listeners = server.listeners('upgrade') as UpgradeListener[];
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request, socket, head) => {
    if (/\bwebsocket\b/i.test(request.headers.upgrade ?? '')) {
      for (const listener of listeners) listener(request, socket, head);
    } else {
      socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]));
      server.emit('connection', socket);
    }
  });
}

// --- helpers ---

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let k = 0; k < rawHeaders.length; k += 2) {
    const name = rawHeaders[k]!;
    if (!/^(connection|upgrade|http2-settings)$/i.test(name)) lines.push(`${name}: ${rawHeaders[k + 1]}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
