import type { Socket } from 'node:net';

/** Whose requests these are when clients take turns: their connection. */
export function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
