/**
 * Freephone numbers: the called party pays (ITU-T E.155; +800 is ITU-T E.169). They are given out one by one to businesses
 * of every kind (in North America through one registry, 47 CFR 52.101), not in blocks to whoever resells them, so a
 * number's neighbours are strangers and mostly honest ones.
 *
 * Known here: the whole of +1 (800, and 822 to 888 of one repeated digit, 822 in reserve), Russia's and Kazakhstan's
 * 8-800, and +800. Other countries' are not told apart: their numbers are read like any others.
 */
const NORTH_AMERICA = 1_000
const RUSSIA_800 = 7_800
const INTERNATIONAL_800 = 800

/** Whether a PhoneNumber is a freephone number of a country known here. No allocation. */
export function isFreephone(number: number): boolean {
  // Country code and area code of the eleven digits that +1 and +7 have.
  const area = Math.floor(number / 10_000_000)
  if (area >= NORTH_AMERICA && area < 2 * NORTH_AMERICA) {
    const code = area - NORTH_AMERICA
    const last = code % 10
    return code === 800 || (last >= 2 && last <= 8 && code === 800 + 11 * last)
  }
  return area === RUSSIA_800 || Math.floor(number / 100_000_000) === INTERNATIONAL_800
}
