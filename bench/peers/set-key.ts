/** The set of listed numbers, digits without the plus. */
export const SET_KEY = 'deny'
