import { describe, expect, it } from 'vitest'
import { ScreeningError } from '../../../src/domain/errors.ts'
import { parseRedisUrl } from '../../../src/stores/redis/redis-url.ts'

describe('parseRedisUrl', () => {
  it.each([
    ['redis://h', { nodes: [{ host: 'h', port: 6379 }], isTls: false, database: 0, shown: 'h:6379' }],
    ['rediss://u:p%40@h:1/15', { isTls: true, username: 'u', password: 'p@', database: 15, shown: 'h:1' }],
    ['redis://:p@[::1]:7000', { nodes: [{ host: '::1', port: 7000 }], password: 'p', shown: '[::1]:7000' }],
    ['redis://:p@a, redis://b:2,redis://:p@c', { password: 'p', shown: 'a:6379, b:2, c:6379' }],
    ['redis://h:65535', { nodes: [{ host: 'h', port: 65_535 }] }],
  ])('reads %s', (text, expected) => {
    expect(parseRedisUrl(text)).toMatchObject(expected)
  })

  it.each([
    '',
    'h:6379',
    'http://:hidden@h',
    'redis://:hidden@',
    'redis://:hidden@h:65536',
    'redis://:hidden@h:0',
    'redis://:hidden@h/x',
    'redis://:hidden@h?db=1',
    'redis://:hid%den@h',
    'redis://a,rediss://:hidden@b',
    'redis://a,redis://:hidden@b',
    'redis://a/1,redis://b/2',
    'redis://a,',
  ])('refuses %s without quoting it', (text) => {
    try {
      parseRedisUrl(text)
      expect.unreachable()
    } catch (error) {
      if (!(error instanceof ScreeningError)) throw error
      expect(error.code).toBe('CONFIG_INVALID')
      expect(error.message).not.toContain('hid')
      expect(error.details.hint).toContain('ZASLON_REDIS_URL')
    }
  })
})
