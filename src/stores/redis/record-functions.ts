/** Part of the library in functions.ts: what concerns the record as a whole, and what nodes show each other beside it. */
export const RECORD_FUNCTIONS = `
local function find(keys)
  local refused = checkHash(keys[1])
  if refused then return refused end
  local fields = redis.call('HMGET', keys[1], 'recordId', 'state', 'pseudonymCheck', 'touchedMs')
  if not fields[1] or not fields[2] or not fields[3] then return damaged(keys[1]) end
  return { fields[1], fields[2], fields[3], 0, text(math.max(0, nowMs() - (tonumber(fields[4] or '') or 0))) }
end

local function claim(keys, args)
  if redis.call('EXISTS', keys[1]) == 1 then return find(keys) end
  redis.call('HSET', keys[1], 'format', FORMAT, 'recordId', args[1], 'state', args[3], 'createdMs', text(nowMs()), 'touchedMs', text(nowMs()), 'pseudonymCheck', args[2])
  return { args[1], args[3], args[2], 1, '0' }
end

local function migrating(keys, args)
  local refused = checkHash(keys[1])
  if refused then return refused end
  if redis.call('HGET', keys[1], 'recordId') ~= args[1] then return 0 end
  redis.call('HSET', keys[1], 'touchedMs', text(nowMs()))
  return 1
end

local function ready(keys, args)
  local refused = checkHash(keys[1])
  if refused then return refused end
  if redis.call('HGET', keys[1], 'recordId') ~= args[1] then return 0 end
  redis.call('HSET', keys[1], 'state', 'ready')
  return 1
end

local function publish(keys, args)
  local kind = redis.call('TYPE', keys[1]).ok
  if kind ~= 'none' and kind ~= 'hash' then return damaged(keys[1]) end
  local epoch, sequence = tonumber(args[1]), tonumber(args[2])
  local known = redis.call('HMGET', keys[1], 'epoch', 'sequence', 'recordId')
  local knownEpoch, knownSequence = tonumber(known[1] or ''), tonumber(known[2] or '')
  if knownEpoch and knownSequence and known[3] == args[6] then
    if epoch < knownEpoch or (epoch == knownEpoch and sequence <= knownSequence) then return 0 end
  end
  redis.call('HSET', keys[1], 'epoch', args[1], 'sequence', args[2], 'reports', args[3], 'score', args[4], 'record', args[5], 'recordId', args[6])
  redis.call('EXPIRE', keys[1], args[7])
  return 1
end

local function layer(keys, args)
  local kind = redis.call('TYPE', keys[1]).ok
  if kind ~= 'none' and kind ~= 'string' then return damaged(keys[1]) end
  local counter = tonumber(redis.call('GET', keys[1]) or '0')
  if not counter then return damaged(keys[1]) end
  local next = text(math.max(counter, tonumber(args[1])) + 1)
  redis.call('SET', keys[1], next)
  return next
end
`
