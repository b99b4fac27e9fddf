/** Character codes. */
const C = 0x63
const F = 0x66
const T = 0x74
const V = 0x76
const X = 0x78

/**
 * True for a header by which a proxy says that somebody else is asking (RFC 7239, RFC 9110 section 7.6.3, and what
 * proxies and networks for content add of their own). Asked for every header of every verdict request: the first letter
 * settles it for nearly all of them.
 */
export function isForwardedHeader(lowerCaseName: string): boolean {
  switch (lowerCaseName.charCodeAt(0)) {
    case X:
      return (
        lowerCaseName.startsWith('x-forwarded-') ||
        lowerCaseName.startsWith('x-original-') ||
        lowerCaseName === 'x-real-ip' ||
        lowerCaseName === 'x-client-ip'
      )
    case F:
      return lowerCaseName === 'forwarded'
    case V:
      return lowerCaseName === 'via'
    case T:
      return lowerCaseName === 'true-client-ip'
    case C:
      return lowerCaseName === 'cf-connecting-ip'
    default:
      return false
  }
}
