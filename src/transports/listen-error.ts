import { ScreeningError } from '../domain/errors.ts'

/** What is to be listened on, and the middle of the names of its settings: `ZASLON_{name}_HOST`. */
export type Listening = { readonly host: string; readonly port: number; readonly name: 'VERDICT' | 'ADMIN' }

const SHARING =
  ' Are several nodes to share the port (with uWebSockets.js only), set ZASLON_VERDICT_SHARE_PORT=true on each (verdict.sharePort).'

/**
 * A failed listen as an operating error, with what to do next: PORT_IN_USE when somebody has the port, CONFIG_INVALID when
 * this machine has no such address or this user may not have such a port.
 */
export function listenError(
  cause: Error & { readonly code?: unknown },
  { host, port, name }: Listening,
): ScreeningError {
  const what = name === 'ADMIN' ? 'control' : 'verdict'
  const failed = (message: string, hint: string) =>
    new ScreeningError('CONFIG_INVALID', message, { host, port, hint }, { cause })
  switch (cause.code) {
    case 'EADDRINUSE': {
      const hint = `Stop the other program (ss -ltnp shows it) or choose another port with ZASLON_${name}_PORT.${name === 'VERDICT' ? SHARING : ''}`
      const message = `The ${what} port ${port} on ${host} is in use by another program.`
      return new ScreeningError('PORT_IN_USE', message, { host, port, hint }, { cause })
    }
    case 'EACCES':
      return failed(
        `This user may not listen on the ${what} port ${port} on ${host} (EACCES).`,
        `Choose a port from 1024 on with ZASLON_${name}_PORT, or allow the service lower ones (AmbientCapabilities=CAP_NET_BIND_SERVICE in its systemd unit).`,
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return failed(
        `The ${what} plane cannot listen on ${host}: this machine has no such address (${cause.code}).`,
        `Set ZASLON_${name}_HOST to one of its addresses ("ip addr" lists them), or to 0.0.0.0 for all of them.`,
      )
    case 'EAI_AGAIN':
      return failed(
        `The ${what} plane cannot listen on ${host}: the name cannot be resolved now (EAI_AGAIN).`,
        `Try again when the name server answers, or set ZASLON_${name}_HOST to an address.`,
      )
    default:
      return failed(
        `Cannot listen on the ${what} port ${port} on ${host} (${cause.code}).`,
        `Choose another ZASLON_${name}_HOST or ZASLON_${name}_PORT; "zaslon doctor" tries both.`,
      )
  }
}
