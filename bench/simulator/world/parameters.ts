/**
 * What the world assumes and nobody has measured for us, in one place. Shares are 0..1. docs/simulator.md says what each
 * means; a different world is a different figure, so a result names its commit.
 */
export const WORLD = {
  /** Moscow has no summer time: local time is UTC + 3 h. */
  utcOffsetHours: 3,
  /** Calls between people on Saturday and Sunday, of those of a working day. */
  weekendCalls: 0.85,
  /** Calls a day between people, per person. */
  callsPerPersonDay: 2.2,
  /** Contacts who bought their numbers together: one apart. */
  neighbourContacts: 0.025,
  /** Numbers of businesses that come into use at some moment of the run, at full pace from then on. */
  freshBusinesses: 0.04,
  /** People who are our subscribers; the others are those they call and are called by. */
  ownPeople: 0.45,
  /** Numbers in use of a thousand-number block that is in use at all. */
  blockFill: 0.4,
  /** People whose number lies in the range of an operator that is not theirs. */
  ported: 0.04,
  /** Of our subscribers who took their number elsewhere, those our list of own numbers still has. */
  portedStale: 0.05,
  roaming: 0.012,
  /** Of people who are not ours: abroad, with foreign numbers. */
  foreign: 0.015,
  answered: 0.72,
  /** People ring again after no answer, and ring back a number they missed. */
  redial: 0.25,
  callBack: 0.2,
  attemptsMax: 3,
  /** Of all benign calls, beside those of businesses (businesses.ts); the rest is friends. */
  strangers: 0.06,
  friendsOneRing: 0.015,
  forwarded: 0.005,
  withheld: 0.004,
  toBusiness: 0.06,
  newSim: 0.004,
} as const

/** What the switch knows of a call: present in this share of the calls it could be known of, else unknown. */
export const KNOWLEDGE = {
  /** Whether our own subscriber roams (home register), and somebody else's (asked of his operator). */
  roamingOwn: 0.6,
  roamingOther: 0.3,
  /** The register is behind: a traveller who has just landed is said not to roam. */
  roamingWrong: 1 / 2_000,
  /** Whether the owner's operator confirms that its subscriber is calling, asked for calls on national trunks. */
  originating: 0.35,
  originatingWrong: 1 / 100_000,
  /** The number that redirected a call. */
  redirecting: 0.7,
  /** The switch names the kind of ingress; else the trunk registry fills it. */
  ingressKind: 0.9,
  /** Calls asked for twice within seconds (a second proxy, a retransmission). */
  askedTwice: 0.005,
} as const

/** How ends of calls arrive. */
export const CALL_ENDS = {
  arrive: 0.95,
  /** Of those: 1 to 60 minutes late, so that they overtake each other; and twice. */
  late: 0.02,
  twice: 0.01,
} as const

/** Who tells the hotline what. */
export const REPORTS = {
  /** Of answered fraud calls, unless the attack file says otherwise. */
  ofAnswered: 0.03,
  /** Of those: a digit mistyped; somebody else who called the same day. */
  mistyped: 0.04,
  wrongCaller: 0.04,
  /** The channel knows how the call came in. */
  ingressKnown: 0.3,
  /** The reporter is an opaque id rather than a phone number. */
  opaque: 0.2,
  channels: [
    ['hotline', 0.4],
    ['app', 0.3],
    ['chat', 0.2],
    ['bot', 0.1],
  ],
} as const

export const TRUNKS = { subscriber: 4, national: 12, international: 8 } as const
