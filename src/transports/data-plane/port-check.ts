import { createServer } from 'node:net'
import { type Listening, listenError } from '../listen-error.ts'

/**
 * Rejects with PORT_IN_USE when anybody listens on the port, also those who would share it (SO_REUSEPORT): ask once
 * before the first verdict thread starts, or two services on one machine split the calls between them unnoticed.
 * Rejects with CONFIG_INVALID when the address or the port is not ours to listen on. Port 0 is always free.
 */
export async function ensurePortFree(host: string, port: number, name: Listening['name'] = 'VERDICT'): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => reject(listenError(error, { host, port, name })))
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()))
  })
}
