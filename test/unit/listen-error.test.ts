import { describe, expect, it } from 'vitest'
import { listenError } from '../../src/transports/listen-error.ts'

const failure = (code: string) => Object.assign(new Error(`listen ${code}`), { code, syscall: 'listen' })

describe('a listen that failed', () => {
  it.each([
    ['EADDRINUSE', 'PORT_IN_USE', 'is in use', 'ZASLON_ADMIN_PORT'],
    [
      'EACCES',
      'CONFIG_INVALID',
      'This user may not listen on the control port 80 ',
      'from 1024 on with ZASLON_ADMIN_PORT',
    ],
    ['EADDRNOTAVAIL', 'CONFIG_INVALID', 'no such address', 'Set ZASLON_ADMIN_HOST'],
    ['ENOTFOUND', 'CONFIG_INVALID', 'no such address', 'Set ZASLON_ADMIN_HOST'],
    ['EMFILE', 'CONFIG_INVALID', 'Cannot listen on the control port 80 on sbc.example (EMFILE)', 'zaslon doctor'],
  ])('with %s is told with the next step', (errno, code, message, hint) => {
    const error = listenError(failure(errno), { host: 'sbc.example', port: 80, name: 'ADMIN' })
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
    expect(error.details.hint).toContain(hint)
  })

  it('speaks of sharing where the port can be shared', () => {
    const hint = (name: 'VERDICT' | 'ADMIN') =>
      listenError(failure('EADDRINUSE'), { host: '::1', port: 8090, name }).details.hint
    expect(hint('VERDICT')).toContain('ZASLON_VERDICT_SHARE_PORT')
    expect(hint('ADMIN')).not.toContain('SHARE')
  })
})
