import { createServer } from 'node:net'
import { ScreeningError } from '../../domain/errors.ts'

/**
 * Rejects with PORT_IN_USE when anybody listens on the port, also those who would share it (SO_REUSEPORT): ask once
 * before the first verdict thread starts, or two services on one machine split the calls between them unnoticed.
 * Rejects with CONFIG_INVALID when the address is not ours to listen on. Port 0 is always free.
 */
export async function ensurePortFree(host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => reject(listenError(error, host, port)))
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()))
  })
}

/** A failed listen as an operating error. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): ScreeningError {
  if (error.code !== 'EADDRINUSE') {
    const hint = 'Choose another ZASLON_VERDICT_HOST or ZASLON_VERDICT_PORT.'
    const message = `Cannot listen on ${host}:${port} (${error.code}).`
    return new ScreeningError('CONFIG_INVALID', message, { host, port, hint }, { cause: error })
  }
  const hint =
    'Stop the other service or set another ZASLON_VERDICT_PORT. Are several nodes to share the port (with uWebSockets.js only), set ZASLON_VERDICT_SHARE_PORT=true on each (verdict.sharePort).'
  const message = `Port ${port} on ${host} is in use by another service.`
  return new ScreeningError('PORT_IN_USE', message, { host, port, hint }, { cause: error })
}
