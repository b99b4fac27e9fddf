export const LIVE_FILE = 'live.mdb'
export const LIVE_FORMAT_VERSION = 2
