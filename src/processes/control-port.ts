import { ScreeningError } from '../domain/errors.ts'

/** PORT_IN_USE for the port of the control plane. */
export function controlPortInUse(host: string, port: number, cause: unknown): ScreeningError {
  const hint = 'Stop the other program (ss -ltnp shows it) or choose another port with ZASLON_ADMIN_PORT.'
  return new ScreeningError('PORT_IN_USE', `The control port ${port} on ${host} is in use.`, { hint }, { cause })
}
