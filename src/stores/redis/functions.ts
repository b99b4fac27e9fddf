/**
 * The writes of the record, as one library of Redis Functions: each is atomic, inside one slot. Names carry the version of
 * the library, so nodes of two versions have both loaded side by side and none replaces the other's.
 *
 * A head says where the partition ends and which server wrote last. `server` is the run id of the process with its
 * replication id, which changes at a promotion: another pair than before means that a tail may have been lost, and begins
 * a new epoch with a marker. An epoch is the time in seconds of the server that begins it, more than that of the epoch
 * before, and 20 bits that are a hash of the server: two promotions that branch off the same history get different epochs,
 * also in one second or when both clocks are behind it, so an (epoch, sequence) names one entry for ever. It stays below
 * 2^53 until the year 2242. `epochs` keeps where each epoch begins.
 *
 * `restoring` in a head is the token of the node that writes the partition anew: until it is done, nobody else may read or
 * append.
 *
 * Bucket keys of ids are made from a declared key inside the function, in the same slot, because one clock must choose
 * the bucket: the one of Redis, not the nodes'.
 */
import { RECORD_FUNCTIONS } from './record-functions.ts'

export const LIBRARY_VERSION = 2
export const functionName = (name: FunctionName): string => `zaslon${LIBRARY_VERSION}_${name}`
export type FunctionName =
  | 'append'
  | 'touch'
  | 'read'
  | 'seal'
  | 'create'
  | 'restored'
  | 'find'
  | 'claim'
  | 'migrating'
  | 'ready'
  | 'publish'
  | 'layer'

/** Epochs that an answer of `read` lists at a divergence, newest first. */
const EPOCHS_SHOWN = 10_000
/** `read` looks at its bound of bytes after so many entries. */
const ENTRIES_A_STEP = 64

export const LIBRARY = `#!lua name=zaslon${LIBRARY_VERSION}
local FORMAT = '1'

local function text(number)
  return string.format('%.0f', number)
end

-- Seconds and hash of an epoch.
local EPOCH_HASHES = 2 ^ 20

local function damaged(key)
  return redis.error_reply('RECORDDAMAGED ' .. key)
end

local function serverNow()
  local info = redis.call('INFO', 'server', 'replication')
  return string.match(info, 'run_id:(%x+)') .. '.' .. string.match(info, 'master_replid:(%x+)')
end

local function nowMs()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function checkHash(key, format)
  local kind = redis.call('TYPE', key).ok
  if kind == 'none' then return redis.error_reply('RECORDLOST ' .. key) end
  if kind ~= 'hash' then return damaged(key) end
  local stored = redis.call('HGET', key, 'format')
  if stored == FORMAT then return nil end
  if stored and string.match(stored, '^%d+$') and tonumber(stored) > tonumber(FORMAT) then
    return redis.error_reply('RECORDFORMAT ' .. key)
  end
  return damaged(key)
end

local function epochAfter(before, server)
  local seconds = math.max(math.floor(before / EPOCH_HASHES) + 1, math.floor(nowMs() / 1000))
  return seconds * EPOCH_HASHES + tonumber(string.sub(redis.sha1hex(server), 1, 5), 16)
end

local function openHead(keys, token)
  local refused = checkHash(keys[1])
  if refused then return nil, refused end
  local fields = redis.call('HMGET', keys[1], 'epoch', 'sequence', 'server', 'oldest', 'restoring')
  if (fields[5] or '') ~= (token or '') then return nil, redis.error_reply('RECORDRESTORING ' .. keys[1]) end
  local head = { epoch = tonumber(fields[1] or ''), sequence = tonumber(fields[2] or ''), server = fields[3] or '', oldest = tonumber(fields[4] or '') }
  if not head.epoch or not head.sequence or not head.oldest then return nil, damaged(keys[1]) end
  local facts = redis.call('TYPE', keys[2]).ok
  if facts ~= 'stream' then return nil, damaged(keys[2]) end
  local epochs = redis.call('TYPE', keys[3]).ok
  if epochs ~= 'zset' then return nil, damaged(keys[3]) end
  return head, nil
end

-- An entry that is not ours, or one of ours that somebody removed, would be in the way of the next one.
local function checkTail(keys, head)
  local info = redis.call('XINFO', 'STREAM', keys[2])
  local position = text(head.epoch) .. '-' .. text(head.sequence)
  for index = 1, #info, 2 do
    local name, value = info[index], info[index + 1]
    if name == 'last-generated-id' and value ~= position then return damaged(keys[2]) end
    if name == 'last-entry' and (not value or value[1] ~= position) then return damaged(keys[2]) end
  end
  return nil
end

local function add(keys, head, factId, payload)
  local sequence = head.sequence + 1
  local added = redis.pcall('XADD', keys[2], text(head.epoch) .. '-' .. text(sequence), 'f', payload, 'i', factId)
  if type(added) == 'table' and added.err then return damaged(keys[2]) end
  head.sequence = sequence
  redis.call('HSET', keys[1], 'epoch', text(head.epoch), 'sequence', text(sequence), 'server', head.server)
  return nil
end

local function mark(keys, head)
  local refused = checkTail(keys, head)
  if refused then return refused end
  local server = serverNow()
  if server == head.server then return nil end
  head.epoch = epochAfter(head.epoch, server)
  head.server = server
  refused = add(keys, head, '', '')
  if refused then return refused end
  redis.call('ZREMRANGEBYSCORE', keys[3], text(head.sequence), text(head.sequence))
  redis.call('ZADD', keys[3], text(head.sequence), text(head.epoch))
  return nil
end

local function append(keys, args)
  local head, refused = openHead(keys, args[4])
  if refused then return refused end
  refused = mark(keys, head)
  if refused then return refused end
  local seconds = tonumber(args[3])
  local bucket = math.floor(nowMs() / 1000 / seconds)
  local current = keys[4] .. ':' .. text(bucket)
  for _, key in ipairs({ current, keys[4] .. ':' .. text(bucket - 1) }) do
    local kind = redis.call('TYPE', key).ok
    if kind ~= 'none' and kind ~= 'hash' then return damaged(key) end
    local known = kind == 'hash' and redis.call('HGET', key, args[1])
    if known then
      local epoch, sequence = string.match(known, '^(%d+)-(%d+)$')
      if not epoch then return damaged(key) end
      -- A write of no consequence, so that WAIT after it covers the entry of another connection too.
      redis.call('HSET', keys[1], 'format', FORMAT)
      return { epoch, sequence, 0 }
    end
  end
  refused = add(keys, head, args[1], args[2])
  if refused then return refused end
  local position = text(head.epoch) .. '-' .. text(head.sequence)
  if redis.call('HSET', current, args[1], position) == 1 and redis.call('HLEN', current) == 1 then
    redis.call('EXPIRE', current, 2 * seconds + 60)
  end
  return { text(head.epoch), text(head.sequence), 1 }
end

local function touch(keys)
  local head, refused = openHead(keys)
  if refused then return refused end
  refused = mark(keys, head)
  if refused then return refused end
  return { text(head.epoch), text(head.sequence), text(head.oldest) }
end

local function epochStarts(keys)
  return redis.call('ZREVRANGE', keys[3], 0, ${EPOCHS_SHOWN - 1}, 'WITHSCORES')
end

local function contains(keys, head, epoch, sequence)
  if sequence == 0 then return true end
  if sequence > head.sequence then return false end
  local at = redis.call('ZREVRANGEBYSCORE', keys[3], text(sequence), '-inf', 'LIMIT', 0, 1)
  return at[1] == epoch
end

local function read(keys, args)
  local head, refused = openHead(keys)
  if refused then return refused end
  local epoch, sequence = args[1], tonumber(args[2])
  if not contains(keys, head, epoch, sequence) then
    if sequence > head.sequence and head.server ~= serverNow() then return { 'entries', text(head.sequence), {} } end
    return { 'diverged', text(head.sequence), epochStarts(keys) }
  end
  if sequence == head.sequence then return { 'entries', text(head.sequence), {} } end
  if sequence + 1 < head.oldest then return { 'sealed', text(head.sequence), {} } end
  local from = '-'
  if sequence > 0 then from = '(' .. epoch .. '-' .. args[2] end
  local limit, room = tonumber(args[3]), tonumber(args[4])
  local entries = {}
  while #entries < limit and room > 0 do
    local some = redis.call('XRANGE', keys[2], from, '+', 'COUNT', math.min(${ENTRIES_A_STEP}, limit - #entries))
    if #some == 0 then break end
    for _, entry in ipairs(some) do
      if room <= 0 then break end
      entries[#entries + 1] = entry
      from = '(' .. entry[1]
      for _, field in ipairs(entry[2]) do room = room - #field end
    end
  end
  return { 'entries', text(head.sequence), entries }
end

local function seal(keys, args)
  local head, refused = openHead(keys)
  if refused then return refused end
  local first = redis.call('XRANGE', keys[2], '-', '+', 'COUNT', 1)
  if not first[1] or first[1][1] ~= args[1] or text(head.oldest) ~= args[3] then return 0 end
  if #redis.call('XRANGE', keys[2], args[2], args[2]) == 0 then return 0 end
  local kept = redis.call('XRANGE', keys[2], '(' .. args[2], '+', 'COUNT', 1)
  if not kept[1] then return 0 end
  redis.call('SET', keys[5] .. ':' .. args[3], args[5])
  redis.call('ZADD', keys[4], args[3], args[3])
  redis.call('HSET', keys[1], 'oldest', text(tonumber(args[4]) + 1))
  redis.call('XTRIM', keys[2], 'MINID', kept[1][1])
  return 1
end

local function create(keys, args)
  if redis.call('EXISTS', keys[1]) == 1 then
    local refused = checkHash(keys[1])
    return refused or '0'
  end
  for index = 2, 4 do
    if redis.call('EXISTS', keys[index]) == 1 then return damaged(keys[index]) end
  end
  -- Ids of a partition that was here before: their entries are gone.
  local bucket = math.floor(nowMs() / 1000 / tonumber(args[2]))
  redis.call('UNLINK', keys[5] .. ':' .. text(bucket), keys[5] .. ':' .. text(bucket - 1))
  local server = serverNow()
  local epoch = text(epochAfter(tonumber(args[1]), server))
  -- The first entry is a marker: whoever shares it shares the history, whatever was lost behind it.
  redis.call('XADD', keys[2], epoch .. '-1', 'f', '', 'i', '')
  redis.call('HSET', keys[1], 'format', FORMAT, 'epoch', epoch, 'sequence', '1', 'server', server, 'oldest', '1')
  if args[3] ~= '' then redis.call('HSET', keys[1], 'restoring', args[3]) end
  redis.call('ZADD', keys[3], '1', epoch)
  return epoch
end

local function restored(keys, args)
  local head, refused = openHead(keys, args[1])
  if refused then return refused end
  refused = checkTail(keys, head)
  if refused then return refused end
  if text(head.epoch) ~= args[2] or text(head.sequence) ~= args[3] then return 0 end
  redis.call('HDEL', keys[1], 'restoring')
  return 1
end

${RECORD_FUNCTIONS}
-- allow-oom: a marker is rare and small, a node must get to know its record, and sealing makes room.
local function register(name, callback, flags)
  redis.register_function{ function_name = 'zaslon${LIBRARY_VERSION}_' .. name, callback = callback, flags = flags }
end
register('append', append, {})
register('touch', touch, { 'allow-oom' })
register('read', read, { 'no-writes', 'allow-oom' })
register('seal', seal, { 'allow-oom' })
register('create', create, {})
register('restored', restored, { 'allow-oom' })
register('find', find, { 'no-writes', 'allow-oom' })
register('claim', claim, { 'allow-oom' })
register('migrating', migrating, {})
register('ready', ready, {})
register('publish', publish, {})
register('layer', layer, {})
`
