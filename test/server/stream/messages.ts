import type { WebSocket } from 'ws';
import type { ServerMessage } from '../../../src/server/stream/messages.ts';

/** The messages of a socket, one after the other, from the moment of this call. */
export function messagesOf(socket: WebSocket): { next(): Promise<ServerMessage> } {
  const received: ServerMessage[] = [];
  const waiting: ((message: ServerMessage) => void)[] = [];
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as ServerMessage;
    const waiter = waiting.shift();
    if (waiter) waiter(message);
    else received.push(message);
  });
  return {
    next: () =>
      new Promise((resolve) => {
        const message = received.shift();
        if (message) resolve(message);
        else waiting.push(resolve);
      }),
  };
}
